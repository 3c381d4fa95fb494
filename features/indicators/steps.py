"""Steps of indicators: bars arrive, Ana asks for numbers or watches them come."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing

from google.rpc.error_details_pb2 import ErrorInfo
from pytest_bdd import scenarios
from pytest_bdd.parsers import parse
from trading.indicators.v1 import indicators_pb2 as pb
from trading.types.v1.indicator_pb2 import IndicatorKind, IndicatorSpec
from trading.types.v1.market_pb2 import TIMEFRAME_MINUTE_1, Candle

from features.bdd import given, then, when
from features.indicators.reference import REFERENCES, assert_equal, columns_of
from fixtures.mothers import (
    FIRST_MINUTE,
    MINUTE,
    close_only_candle,
    instant,
    minute_candle,
    ranged_candle,
)
from fixtures.stage import Stage
from runtime.errors import ServiceError
from runtime.times import to_ns

SYMBOL = "SQ00.XSIM"
Answer = pb.ComputeIndicatorsResponse | ServiceError
Seen = list[pb.WatchIndicatorsResponse]
Values = dict[str, float]

scenarios("indicators")


@given(parse('{count:d} bars of "{symbol}"'))
async def publish_bars(stage: Stage, count: int, symbol: str) -> None:
    await stage.publish_bars([bar(number) for number in range(1, count + 1)])


@given(parse('{count:d} bars of "{symbol}" at the same price'))
async def publish_flat_bars(stage: Stage, count: int, symbol: str) -> None:
    await stage.publish_bars([minute_candle(symbol, "100.10", minute=n) for n in range(count)])


@given(parse('{count:d} bars of "{symbol}" that know their close alone'))
async def publish_close_only_bars(stage: Stage, count: int, symbol: str) -> None:
    await stage.publish_bars([close_only_candle(symbol, "100.10", minute=n) for n in range(count)])


@given(parse("Ana has seen their {kind} over {bars:d} bars"), target_fixture="before")
async def see(stage: Stage, kind: str, bars: int) -> Answer:
    return await asked(stage, indicator(kind, bars))


@when(parse('{count:d} more bars of "{symbol}" follow'))
async def publish_more_bars(stage: Stage, before: Answer, count: int, symbol: str) -> None:
    assert isinstance(before, pb.ComputeIndicatorsResponse)
    first = before.candle_count + 1
    await stage.publish_bars([bar(number) for number in range(first, first + count)])


@when(parse("Ana asks for the {kind:w}"), target_fixture="answer")
async def ask_plainly(stage: Stage, kind: str) -> Answer:
    return await asked(stage, indicator(kind))


@when(parse("Ana asks for the {kind:w} with {parameter:w} of {value:g}"), target_fixture="answer")
async def ask_with(stage: Stage, kind: str, parameter: str, value: float) -> Answer:
    spec = indicator(kind)
    spec.parameters[parameter] = value
    return await asked(stage, spec)


@when(parse("Ana asks for the {kind} over {bars:d} bars"), target_fixture="answer")
async def ask(stage: Stage, kind: str, bars: int) -> Answer:
    return await asked(stage, indicator(kind, bars))


@when(
    parse("Ana asks for the {kind} over {bars:d} of the newest {count:d} bars"),
    target_fixture="answer",
)
async def ask_for_newest(stage: Stage, kind: str, bars: int, count: int) -> Answer:
    return await asked(stage, indicator(kind, bars), last_count=count)


@when(
    parse('{count:d} more bars of "{symbol}" follow while Ana watches its {kind}'),
    target_fixture="seen",
)
async def watch_more_bars(stage: Stage, count: int, symbol: str, kind: str) -> Seen:
    return await watched(stage, indicator(kind), range(11, 11 + count))


@when(
    parse("bars {bars} follow while Ana watches its {kind} over {period:d} bars"),
    target_fixture="seen",
)
async def watch_named_bars(stage: Stage, bars: str, kind: str, period: int) -> Seen:
    numbers = [int(number) for number in bars.replace(" and ", ", ").split(", ")]
    return await watched(stage, indicator(kind, period), numbers)


@when(
    parse(
        "bar {number:d} is shown forming and then confirmed while Ana watches its {kind} over"
        " {period:d} bars"
    ),
    target_fixture="seen",
)
async def watch_forming(stage: Stage, number: int, kind: str, period: int) -> Seen:
    forming = bar(number)
    forming.is_confirmed = False
    forming.close.value = forming.high.value
    return await watched_of(stage, indicator(kind, period), [forming, bar(number)])


@then(parse("there are {count:d} values, the first at bar {bar:d}"))
def has_values(answer: pb.ComputeIndicatorsResponse, count: int, bar: int) -> None:
    (series,) = answer.series
    assert len(series.values) == count
    assert series.first_index == bar - 1
    assert to_ns(series.first_time) == opening_ns(bar)


@then("there is no value")
def has_no_value(answer: pb.ComputeIndicatorsResponse) -> None:
    (series,) = answer.series
    assert not series.values
    assert series.first_index == -1


@then(parse("she is refused: the {kind} needs a {needs} and has {has}"))
def is_refused_by_name(answer: Answer, kind: str, needs: str, has: str) -> None:
    assert isinstance(answer, ServiceError)
    assert answer.reason == "CANDLE_KIND_INSUFFICIENT"
    info = answer.detail(ErrorInfo)
    assert info is not None
    assert dict(info.metadata).items() >= {"indicator": kind, "needs": needs, "has": has}.items()


@then(parse("she is refused with {reason:w}"))
def is_refused(answer: Answer, reason: str) -> None:
    assert isinstance(answer, ServiceError)
    assert answer.reason == reason


@then(parse("no bar from bar {first:d} on has a value, and each of them is named"))
def has_absent_values(answer: pb.ComputeIndicatorsResponse, first: int) -> None:
    absent = list(range(first - 1, answer.candle_count))
    found = [(list(one.values), one.first_index, list(one.absent)) for one in answer.series]
    assert found == [([], first - 1, absent)] * len(answer.series)


@then("it is what the reference library says")
def equals_reference(answer: pb.ComputeIndicatorsResponse) -> None:
    kind = answer.series[0].name.split("_")[0].upper()
    candles = [bar(number) for number in range(1, answer.candle_count + 1)]
    assert_equal(answer.series, REFERENCES[kind](*columns_of(candles)))


@then(parse("its first {count:d} values are still what she saw"))
async def is_unchanged(stage: Stage, before: pb.ComputeIndicatorsResponse, count: int) -> None:
    after = await asked(stage, indicator("RSI", 9))
    assert isinstance(after, pb.ComputeIndicatorsResponse)
    assert len(before.series[0].values) == count
    assert after.series[0].values[:count] == before.series[0].values
    assert len(after.series[0].values) > count


@then(parse("its last value is {value:g}"))
def last_value_is(answer: pb.ComputeIndicatorsResponse, value: float) -> None:
    assert answer.series[0].values[-1] == value


@then(parse("its anchor is bar {bar:d}"))
def anchor_is(answer: pb.ComputeIndicatorsResponse, bar: int) -> None:
    assert [to_ns(series.anchor_time) for series in answer.series] == [opening_ns(bar)]


@then(parse("she has seen {count:d} bars"))
def has_seen(seen: Seen, count: int) -> None:
    assert len(seen) == count


@then(parse("what she saw equals the {kind} computed at once, to the last bit"))
async def equals_batch(stage: Stage, seen: Seen, kind: str) -> None:
    answer = await asked(stage, indicator(kind))
    assert isinstance(answer, pb.ComputeIndicatorsResponse)
    points = {to_ns(one.point.open_time): dict(one.point.values) for one in seen}
    assert {opened: values for opened, values in points.items() if values} == values_by_bar(
        answer, after=10
    )


@then(parse("she has seen bar {number:d} forming at one value and confirmed at another"))
def has_seen_both(seen: Seen, number: int) -> None:
    forming, confirmed = seen
    assert (forming.is_forming, confirmed.is_forming) == (True, False)
    assert {to_ns(one.point.open_time) for one in seen} == {opening_ns(number)}
    assert dict(forming.point.values) != dict(confirmed.point.values)


@then(parse("what she saw last equals the {kind} over {bars:d} bars computed at once"))
async def last_equals_batch(stage: Stage, seen: Seen, kind: str, bars: int) -> None:
    answer = await asked(stage, indicator(kind, bars))
    assert isinstance(answer, pb.ComputeIndicatorsResponse)
    (expected,) = values_by_bar(answer, after=answer.candle_count - 1).values()
    assert dict(seen[-1].point.values) == expected


@then(parse("of the bars she has seen only bar {bar:d} is marked as after a gap"))
def only_one_is_marked(seen: Seen, bar: int) -> None:
    marked = [response.point for response in seen if "GAP" in response.point.missing]
    assert [to_ns(point.open_time) for point in marked] == [opening_ns(bar)]


# What steps do, where it takes more than a line. Bars are counted from 1, one a minute.


def indicator(kind: str, bars: int = 0) -> IndicatorSpec:
    parameters: Mapping[str, float] = {"n": bars} if bars else {}
    return IndicatorSpec(kind=IndicatorKind.Value(f"INDICATOR_KIND_{kind}"), parameters=parameters)


def opening_ns(bar: int) -> int:
    return instant(FIRST_MINUTE + (bar - 1) * MINUTE)


def bar(number: int) -> Candle:
    """Return a bar of a market that goes up and down without a pattern of round numbers."""
    opened, close = cents(number - 1), cents(number)
    high, low = max(opened, close) + number * 7 % 5, min(opened, close) - number * 3 % 4
    prices = price_of(opened), price_of(high), price_of(low), price_of(close)
    return ranged_candle(SYMBOL, prices, minute=number - 1)


def price_of(amount: int) -> str:
    return f"{amount / 100:.2f}"


def cents(number: int) -> int:
    return 10_000 + number * 37 % 101 - number * 53 % 67


async def asked(stage: Stage, spec: IndicatorSpec, last_count: int = 1000) -> Answer:
    request = pb.ComputeIndicatorsRequest(
        instrument=SYMBOL, timeframe=TIMEFRAME_MINUTE_1, specs=[spec], last_count=last_count
    )
    try:
        return await stage.indicators.compute_indicators(request)
    except ServiceError as error:
        return error


async def watched(stage: Stage, spec: IndicatorSpec, numbers: Sequence[int]) -> Seen:
    """Publish bars one after the other while they are watched; return what came of them."""
    return await watched_of(stage, spec, [bar(number) for number in numbers])


async def watched_of(stage: Stage, spec: IndicatorSpec, candles: Sequence[Candle]) -> Seen:
    """Publish candles, forming ones too, while they are watched; return what came of them."""
    request = pb.WatchIndicatorsRequest(
        instruments=[SYMBOL],
        timeframe=TIMEFRAME_MINUTE_1,
        specs=[spec],
        is_forming_included=True,
    )
    seen: Seen = []
    async with aclosing(stage.indicators.watch_indicators(request)) as stream:
        assert (await anext(stream)).is_heartbeat
        for candle in candles:
            await stage.publish_bars([candle])
            seen.append(await _next_point(stream))
    return seen


async def _next_point(
    stream: AsyncIterator[pb.WatchIndicatorsResponse],
) -> pb.WatchIndicatorsResponse:
    for _ in range(5):  # Signs of life, one a second.
        if not (response := await anext(stream)).is_heartbeat:
            return response
    raise AssertionError("the stream lives, but no point came")


def values_by_bar(answer: pb.ComputeIndicatorsResponse, *, after: int) -> dict[int, Values]:
    """Return the values of each bar after number `after`, by its opening."""
    found: dict[int, Values] = {}
    for series in answer.series:
        for index, value in enumerate(series.values, series.first_index):
            if index >= after:
                found.setdefault(opening_ns(index + 1), {})[series.name] = value
    return found
