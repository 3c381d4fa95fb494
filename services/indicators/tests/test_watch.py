"""Watching indicators: one point per candle, with the bits of the batch."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from trading.indicators.v1 import indicators_pb2 as pb
from trading.types.v1 import indicator_pb2 as ind
from trading.types.v1 import market_pb2

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

SPECS = [
    ind.IndicatorSpec(kind=ind.INDICATOR_KIND_EMA, parameters={"n": 3}, name="fast"),
    ind.IndicatorSpec(kind=ind.INDICATOR_KIND_ATR, parameters={"n": 4}, name="atr"),
    ind.IndicatorSpec(kind=ind.INDICATOR_KIND_BBANDS, parameters={"n": 5}),
]
WALK = candles(mothers.walk(6))


def watch(**changes: Any) -> pb.WatchIndicatorsRequest:
    arguments: dict[str, Any] = {"instruments": [ALPHA], "timeframe": MINUTE_1, "specs": SPECS}
    arguments |= changes
    return pb.WatchIndicatorsRequest(**arguments)


async def points(
    stream: AsyncGenerator[pb.WatchIndicatorsResponse, None], count: int
) -> list[pb.WatchIndicatorsResponse]:
    """Read on until `count` points have come."""
    found: list[pb.WatchIndicatorsResponse] = []
    for _ in range(10 * count):
        message = await anext(stream)
        if not message.is_heartbeat:
            found.append(message)
        if len(found) == count:
            return found
    raise AssertionError(f"{len(found)} points came, not {count}")


async def batch(given: list[market_pb2.Candle]) -> dict[int, dict[str, float]]:
    """The batch's values of each of these candles, by open time."""
    request = pb.ComputeIndicatorsRequest(
        instrument=ALPHA,
        timeframe=MINUTE_1,
        specs=SPECS,
        candles=pb.InlineCandles(candles=given),
    )
    answer = await serve(FakeMarket()).compute_indicators(request)
    values: dict[int, dict[str, float]] = {}
    for series in answer.series:
        for offset, value in enumerate(series.values):
            time_ns = to_ns(series.first_time) + offset * MINUTE_NS
            values.setdefault(time_ns, {})[series.name] = value
    return values


async def test_streamed_and_batch_values_are_equal_to_the_last_bit() -> None:
    made = candles(mothers.walk(60))
    market = FakeMarket(made[:20])
    async with aclosing(serve(market).watch_indicators(watch(from_time=to_timestamp(0)))) as stream:
        await anext(stream)
        for one in made[20:]:
            market.publish(one)
        live = await points(stream, 40)
    expected = await batch(made)
    for response in live:
        assert dict(response.point.values) == expected[to_ns(response.point.open_time)]


async def test_a_watch_resumes_after_a_time_without_a_gap() -> None:
    made = candles(mothers.walk(30))
    market = FakeMarket(made[:25])
    request = watch(from_time=to_timestamp(0), after_time=to_timestamp(19 * MINUTE_NS))
    async with aclosing(serve(market).watch_indicators(request)) as stream:
        assert (await anext(stream)).is_heartbeat
        stored = await points(stream, 5)
        market.publish(made[25])
        stored += await points(stream, 1)
    assert [to_ns(p.point.open_time) // MINUTE_NS for p in stored] == list(range(20, 26))


async def test_a_watch_never_goes_back_however_much_has_come_while_it_opened() -> None:
    market = FakeMarket()
    async with aclosing(serve(market).watch_indicators(watch())) as stream:
        shown = [await anext(stream)]
        for one in WALK:
            market.publish(one)
        shown += [await anext(stream) for _ in WALK]
    assert [one.sequence for one in shown] == list(range(len(WALK) + 1))


async def test_nothing_is_said_before_it_is_warm() -> None:
    market = FakeMarket()
    made = candles(mothers.walk(6))
    async with aclosing(serve(market).watch_indicators(watch())) as stream:
        await anext(stream)
        for one in made:
            market.publish(one)
        seen = await points(stream, 6)
    assert [sorted(p.point.values) for p in seen[:3]] == [[], [], ["fast"]]
    assert [p.point.is_warm for p in seen] == [False, False, False, False, True, True]
    assert seen[2].point.missing[0] == "atr"
    assert not seen[5].point.is_settled


async def test_a_point_is_warm_only_when_its_last_output_can_be() -> None:
    """The change of a histogram comes a bar after the histogram: as in the batch, not before."""
    spec = ind.IndicatorSpec(
        kind=ind.INDICATOR_KIND_MACD, parameters={"fast": 1, "slow": 2, "signal": 2}, name="macd"
    )
    market = FakeMarket()
    async with aclosing(serve(market).watch_indicators(watch(specs=[spec]))) as stream:
        await anext(stream)
        for one in WALK:
            market.publish(one)
        seen = await points(stream, 4)
    assert [len(p.point.values) for p in seen] == [0, 0, 3, 4]
    assert [p.point.is_warm for p in seen] == [False, False, False, True]


async def test_a_gap_is_marked_on_the_next_value() -> None:
    made = candles(mothers.walk(12))
    market = FakeMarket(made[:8])
    async with aclosing(serve(market).watch_indicators(watch())) as stream:
        await anext(stream)
        market.announce_gap()
        for one in made[10:]:
            market.publish(one)
        after, later = await points(stream, 2)
    assert list(after.point.missing) == ["GAP"]
    assert after.point.is_warm
    assert list(later.point.missing) == []


async def test_a_forming_candle_does_not_disturb_the_confirmed_value() -> None:
    made = candles(mothers.walk(21))
    market = FakeMarket(made[:20])
    forming = candle((100.0, 120.0, 80.0, 119.0, 5.0), 20, is_confirmed=False)
    request = watch(from_time=to_timestamp(0), is_forming_included=True)
    async with aclosing(serve(market).watch_indicators(request)) as stream:
        await anext(stream)
        market.publish(forming)
        market.publish(made[20])
        shown, confirmed = await points(stream, 2)
    assert (shown.is_forming, confirmed.is_forming) == (True, False)
    assert shown.point.values["fast"] != confirmed.point.values["fast"]
    assert dict(confirmed.point.values) == (await batch(made))[20 * MINUTE_NS]


async def test_a_correction_changes_no_value() -> None:
    made = candles(mothers.walk(22))
    market = FakeMarket(made[:20])
    correction = candle((900.0, 900.0, 1.0, 900.0, 1.0), 19)
    correction.revision = 1
    async with aclosing(serve(market).watch_indicators(watch(from_time=to_timestamp(0)))) as stream:
        await anext(stream)
        market.publish(correction)
        market.publish(made[20])
        (point,) = await points(stream, 1)
    assert dict(point.point.values) == (await batch(made[:21]))[20 * MINUTE_NS]


async def test_a_backfill_counts_in_stream_and_batch_alike() -> None:
    made = candles(mothers.walk(30))
    market = FakeMarket(made[10:20])
    async with aclosing(serve(market).watch_indicators(watch(from_time=to_timestamp(0)))) as stream:
        await anext(stream)
        for one in made[:10]:
            market.publish(one, is_backfill=True)
        market.publish(made[20])
        (point,) = await points(stream, 1)
    assert dict(point.point.values) == (await batch(made[:21]))[20 * MINUTE_NS]
    assert to_ns(point.anchor_time) == 0


async def test_a_candle_that_lacks_the_range_leaves_its_output_missing() -> None:
    made = candles(mothers.walk(12))
    market = FakeMarket(made[:10])
    async with aclosing(serve(market).watch_indicators(watch())) as stream:
        await anext(stream)
        market.publish(candles(mothers.closes(100.0), 10)[0])
        market.publish(made[11])
        without, again = await points(stream, 2)
    assert list(without.point.missing) == ["atr"]
    assert list(again.point.missing) == []


async def test_an_idle_watch_shows_signs_of_life() -> None:
    market = FakeMarket(WALK)
    async with aclosing(serve(market).watch_indicators(watch())) as stream:
        messages = [await anext(stream) for _ in range(4)]
    assert all(m.is_heartbeat and m.sequence == len(WALK) for m in messages)


async def test_states_that_made_room_come_back_with_the_same_bits() -> None:
    """Ten instruments share room for two; every value still equals the batch."""
    names = [f"I{n}.XSIM" for n in range(10)]
    bars = mothers.walk(30)
    market = FakeMarket(
        candle(bar, minute, instrument=name)
        for minute, bar in enumerate(bars[:20])
        for name in names
    )
    client = serve(market, states_max=6)
    request = watch(instruments=names, from_time=to_timestamp(0))
    async with aclosing(client.watch_indicators(request)) as stream:
        await anext(stream)
        for name in names:
            market.publish(candle(bars[20], 20, instrument=name))
        seen = await points(stream, 10)
    expected = (await batch(candles(bars[:21])))[20 * MINUTE_NS]
    assert [dict(p.point.values) for p in seen] == [expected] * 10
