"""Computing over candles given or stored: what callers get, and what is refused."""

from collections.abc import Sequence
from contextlib import aclosing
from math import nan
from typing import Any

import pytest
from grpc import StatusCode
from trading.indicators.v1 import indicators_pb2 as pb
from trading.types.v1 import indicator_pb2 as ind
from trading.types.v1 import market_pb2

from runtime.errors import ErrorInfo, ServiceError
from runtime.times import to_ns, to_timestamp
from services.indicators.tests import mothers
from services.indicators.tests.fake_market import (
    ALPHA,
    MINUTE_1,
    MINUTE_NS,
    FakeMarket,
    candle,
    candles,
    serve,
)

BETA = "BETA.XSIM"
EMA_3 = ind.IndicatorSpec(kind=ind.INDICATOR_KIND_EMA, parameters={"n": 3}, name="fast")
ATR_4 = ind.IndicatorSpec(kind=ind.INDICATOR_KIND_ATR, parameters={"n": 4}, name="atr")
SPECS = [EMA_3, ATR_4, ind.IndicatorSpec(kind=ind.INDICATOR_KIND_BBANDS, parameters={"n": 5})]


def over(
    given: Sequence[market_pb2.Candle], specs: Sequence[ind.IndicatorSpec] = SPECS
) -> pb.ComputeIndicatorsRequest:
    return pb.ComputeIndicatorsRequest(
        instrument=ALPHA,
        timeframe=MINUTE_1,
        specs=specs,
        candles=pb.InlineCandles(candles=given),
    )


async def refusal(work: Any) -> ServiceError:
    with pytest.raises(ServiceError) as raised:
        await work
    return raised.value


async def test_the_anchor_of_every_value_is_stated() -> None:
    service = serve(FakeMarket(candles(mothers.walk(30))))
    request = pb.ComputeIndicatorsRequest(
        instrument=ALPHA, timeframe=MINUTE_1, specs=SPECS, last_count=12
    )
    answer = await service.compute_indicators(request)
    assert to_ns(answer.anchor_time) == 18 * MINUTE_NS
    assert {to_ns(series.anchor_time) for series in answer.series} == {18 * MINUTE_NS}
    assert (answer.candle_count, to_ns(answer.last_time)) == (12, 29 * MINUTE_NS)
    watch = pb.WatchIndicatorsRequest(
        instruments=[ALPHA],
        timeframe=MINUTE_1,
        specs=SPECS,
        last_count=12,
        after_time=to_timestamp(28 * MINUTE_NS),
    )
    async with aclosing(service.watch_indicators(watch)) as stream:
        await anext(stream)
        assert to_ns((await anext(stream)).anchor_time) == 18 * MINUTE_NS


async def test_only_the_last_values_are_sent_when_asked_for() -> None:
    service = serve(FakeMarket())
    made = candles(mothers.walk(30))
    request = over(made)
    whole = await service.compute_indicators(request)
    request.is_last_only = True
    last = await service.compute_indicators(request)
    assert [s.values[0] for s in last.series] == [s.values[-1] for s in whole.series]
    assert {(s.first_index, to_ns(s.first_time)) for s in last.series} == {(29, 29 * MINUTE_NS)}


async def test_fewer_candles_than_warm_up_are_no_error() -> None:
    answer = await serve(FakeMarket()).compute_indicators(over(candles(mothers.walk(4))))
    assert [(s.name, len(s.values), s.first_index) for s in answer.series][:2] == [
        ("fast", 2, 2),
        ("atr", 0, -1),
    ]
    assert not answer.series[1].HasField("first_time")


async def test_a_range_indicator_on_close_only_candles_is_refused_by_name() -> None:
    closes = candles(mothers.closes(1.0, 2.0, 3.0))
    error = await refusal(serve(FakeMarket()).compute_indicators(over(closes)))
    assert (error.code, error.reason) == (
        StatusCode.FAILED_PRECONDITION,
        "CANDLE_KIND_INSUFFICIENT",
    )
    info = error.detail(ErrorInfo)
    assert info is not None
    assert dict(info.metadata) == {
        "indicator": "ATR",
        "needs": "RANGE",
        "has": "CLOSE_ONLY",
    }


async def test_closes_alone_have_averages_and_moves() -> None:
    move = ind.IndicatorSpec(kind=ind.INDICATOR_KIND_ABS_MOVE, parameters={"n": 2}, name="move")
    closes = candles(mothers.closes(1.0, 2.0, 4.0))
    answer = await serve(FakeMarket()).compute_indicators(over(closes, [move]))
    assert list(answer.series[0].values) == [1.5]
    assert answer.candle_kind == market_pb2.CANDLE_KIND_CLOSE_ONLY


WALK = candles(mothers.walk(6))


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ([WALK[1], WALK[0]], "CANDLES_UNSORTED"),
        ([WALK[0], WALK[0]], "CANDLES_UNSORTED"),
        ([candle((1, 2, 1, 1, 1), 0, instrument=BETA)], "CANDLE_FOREIGN"),
        ([candle((1, 2, 1, 1, 1), 0, is_confirmed=False), WALK[1]], "CANDLE_UNCONFIRMED"),
    ],
)
async def test_candles_that_are_no_series_are_refused(
    given: list[market_pb2.Candle], reason: str
) -> None:
    error = await refusal(serve(FakeMarket()).compute_indicators(over(given)))
    assert (error.code, error.reason) == (StatusCode.INVALID_ARGUMENT, reason)


@pytest.mark.parametrize(
    ("spec", "code", "reason"),
    [
        (
            ind.IndicatorSpec(kind=ind.INDICATOR_KIND_EMA, parameters={"n": 0}),
            StatusCode.INVALID_ARGUMENT,
            "PARAMETER_OUT_OF_RANGE",
        ),
        (
            ind.IndicatorSpec(kind=ind.INDICATOR_KIND_SMA, name="fast"),
            StatusCode.INVALID_ARGUMENT,
            "NAMES_COLLIDE",
        ),
    ],
)
async def test_specs_that_cannot_be_computed_are_refused(
    spec: ind.IndicatorSpec, code: StatusCode, reason: str
) -> None:
    service = serve(FakeMarket(WALK))
    error = await refusal(service.compute_indicators(over(WALK, [EMA_3, spec])))
    assert (error.code, error.reason) == (code, reason)
    assert "specs[1]" in str(error.details[1])
    watch = pb.WatchIndicatorsRequest(instruments=[ALPHA], timeframe=MINUTE_1, specs=[EMA_3, spec])
    error = await refusal(anext(service.watch_indicators(watch)))
    assert (error.code, error.reason) == (code, reason)


async def test_an_instrument_without_candles_is_not_found() -> None:
    request = pb.ComputeIndicatorsRequest(
        instrument=BETA, timeframe=MINUTE_1, specs=SPECS, last_count=5
    )
    error = await refusal(serve(FakeMarket(WALK)).compute_indicators(request))
    assert (error.code, error.reason) == (StatusCode.NOT_FOUND, "NO_CANDLES")


async def test_indicators_are_listed_in_pages_with_everything_to_ask_for_them() -> None:
    service = serve(FakeMarket())
    first = await service.list_indicators(pb.ListIndicatorsRequest(page_size=4))
    second = await service.list_indicators(
        pb.ListIndicatorsRequest(page_size=100, page_token=first.next_page_token)
    )
    found = [*first.indicators, *second.indicators]
    assert (len(found), second.next_page_token) == (20, "")
    for one in found:
        spec = ind.IndicatorSpec(
            kind=one.kind, parameters={p.name: p.default for p in one.parameters}
        )
        assert (await service.compute_indicators(over(WALK, [spec]))).series
    error = await refusal(service.list_indicators(pb.ListIndicatorsRequest(page_token="99")))
    assert error.reason == "PAGE_TOKEN_FOREIGN"


@pytest.mark.parametrize("is_inline", [True, False])
async def test_more_values_than_a_message_should_hold_are_refused(
    monkeypatch: pytest.MonkeyPatch, is_inline: bool
) -> None:
    monkeypatch.setattr("services.indicators.service.POINTS_MAX", 35)
    service = serve(FakeMarket(WALK))
    request = over(WALK)
    if not is_inline:
        request.last_count = 6
    error = await refusal(service.compute_indicators(request))
    assert (error.code, error.reason) == (StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_POINTS")


async def test_a_bar_without_a_value_is_named_and_the_others_keep_theirs() -> None:
    """The fourth bar has no range, so it cannot engulf; the third lacks the range altogether."""
    bars = mothers.walk(6)
    bars[2] = mothers.closes(100.0)[0]
    bars[3] = mothers.flat(1)[0]
    spec = ind.IndicatorSpec(kind=ind.INDICATOR_KIND_HAMMER, name="h")
    request = over(candles(bars), [spec])
    hammer = (await serve(FakeMarket()).compute_indicators(request)).series[0]
    assert (hammer.name, hammer.first_index, list(hammer.absent)) == ("h_hammer", 0, [2, 3])
    assert len(hammer.values) == 4
    cut = over(candles(bars[:4]), [spec])
    cut.is_last_only = True
    last = (await serve(FakeMarket()).compute_indicators(cut)).series[0]
    assert (list(last.values), last.first_index, list(last.absent)) == ([], 3, [3])
    assert to_ns(last.first_time) == 3 * MINUTE_NS


async def test_one_candle_without_volume_takes_no_value_from_the_others() -> None:
    """As in the stream: the candle is passed over, so both ways give a strategy one answer."""
    bars = mothers.walk(8)
    bars[5] = (*bars[5][:4], nan)
    spec = ind.IndicatorSpec(kind=ind.INDICATOR_KIND_VOLUME_RATIO, parameters={"n": 2}, name="v")
    answer = await serve(FakeMarket()).compute_indicators(over(candles(bars), [spec]))
    (ratio,) = answer.series
    assert (ratio.first_index, list(ratio.absent)) == (2, [5])
    assert ratio.values[3] == bars[6][4] / ((bars[3][4] + bars[4][4]) / 2)
    assert answer.candle_kind == market_pb2.CANDLE_KIND_OHLC


async def test_the_list_says_what_every_output_means() -> None:
    listed = await serve(FakeMarket()).list_indicators(pb.ListIndicatorsRequest())
    for one in listed.indicators:
        assert [output.name for output in one.output_definitions] == list(one.outputs)
        assert all(output.text for output in one.output_definitions)
        assert one.warm_up
        assert one.text
    fib = listed.indicators[-1]
    assert (fib.kind, list(fib.rising)) == (ind.INDICATOR_KIND_FIB, ["shallow", "deep"])
