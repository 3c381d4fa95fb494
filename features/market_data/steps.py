"""Steps of market data: a feed publishes, watchers watch."""

from contextlib import aclosing
from datetime import datetime, timedelta
from typing import Any

from pytest_bdd import scenarios
from pytest_bdd.parsers import parse
from trading.marketdata.v1 import marketdata_pb2 as pb
from trading.types.v1.market_pb2 import TIMEFRAME_DAY_1, Candle

from features.bdd import given, then, when
from fixtures import crossing
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
from runtime.times import NS_PER_S, to_ns

SYMBOL = "SQ00.XSIM"
Answer = pb.PublishCandlesResponse | ServiceError

scenarios("market_data")


@given(parse('the feed has published a bar of "{symbol}" at {close}'), target_fixture="bar")
async def publish_bar(stage: Stage, symbol: str, close: str) -> Candle:
    return await stage.close_bar(symbol, close)


@given(parse('the feed has published {count:d} bars of "{symbol}"'))
async def publish_bars(stage: Stage, count: int, symbol: str) -> None:
    await publish_minutes(stage, symbol, range(1, count + 1))


@when("the feed sends the same bar again under another request", target_fixture="answer")
async def send_again(stage: Stage, bar: Candle) -> Answer:
    return await stage.publish([bar])


@given(
    parse('a strategy that has evaluated a falling bar of "{symbol}" at {close}'),
    target_fixture="strategy_id",
)
async def evaluate_falling(stage: Stage, symbol: str, close: str) -> str:
    strategy_id = await crossing.running(stage, symbol, 10)
    await stage.close_bar(symbol, close)
    assert await evaluated(stage, strategy_id) == 1
    return strategy_id


@when(
    parse("the feed corrects that bar to {close}, at which the strategy would have bought"),
    target_fixture="answer",
)
async def correct(stage: Stage, close: str) -> Answer:
    last = len(await stage.bars(SYMBOL)) - 1
    answer = await stage.publish([minute_candle(SYMBOL, close, minute=last, revision=1)])
    await stage.system.settle()
    return answer


@then("the strategy has evaluated 1 bar and decided nothing")
async def decided_nothing(stage: Stage, strategy_id: str) -> None:
    assert await evaluated(stage, strategy_id) == 1
    assert not await crossing.published(stage)
    assert not await crossing.filtered(stage)


@when(
    parse('the feed sends a bar of "{symbol}" that ends in 2 minutes, and one that is over'),
    target_fixture="answer",
)
async def send_future(stage: Stage, symbol: str) -> Answer:
    await stage.system.time.skip_to(instant(FIRST_MINUTE + MINUTE))
    future = minute_candle(symbol, "100.00", minute=2)
    return await stage.publish([future, minute_candle(symbol, "100.00", minute=0)])


@when(
    parse('the feed sends a bar of "{symbol}" that opens 10 seconds late'),
    target_fixture="answer",
)
async def send_off_grid(stage: Stage, symbol: str) -> Answer:
    await stage.system.time.skip_to(instant(FIRST_MINUTE + 2 * MINUTE))
    candle = minute_candle(symbol, "100.00")
    candle.open_time.seconds += 10
    return await stage.publish([candle])


@when(
    parse('the feed sends a bar of "{bad}" with high and low swapped, and one of "{good}"'),
    target_fixture="answer",
)
async def send_swapped(stage: Stage, bad: str, good: str) -> Answer:
    await stage.system.time.skip_to(instant(FIRST_MINUTE + MINUTE))
    swapped = ranged_candle(bad, ("100.00", "99.00", "101.00", "100.00"))
    return await stage.publish([swapped, minute_candle(good, "100.00")])


@when(parse("the feed publishes the sessions of {first} and {second}"))
async def publish_sessions(stage: Stage, first: str, second: str) -> None:
    sessions = [session_candle("AAPL.XSIM", day) for day in (first, second)]
    await stage.publish_bars(sessions)


@then(parse("the watcher sees a bar, a gap where {day} belongs and a bar"))
async def sees_a_missing_session(stage: Stage, day: str) -> None:
    seen = await watched(stage, "AAPL.XSIM", 3, after_sequence=0)
    assert [item.WhichOneof("item") for item in seen] == ["candle", "gap", "candle"]
    missing = session_candle("AAPL.XSIM", day)
    assert seen[1].gap.from_time == missing.open_time
    assert seen[1].gap.to_time == seen[2].candle.open_time


@then(parse('"{symbol}" has {count:d} sessions'))
async def has_sessions(stage: Stage, symbol: str, count: int) -> None:
    assert len(await stage.bars(symbol, timeframe=TIMEFRAME_DAY_1)) == count


@when(parse("the feed sends that bar with another close of {close}"), target_fixture="answer")
async def contradict(stage: Stage, bar: Candle, close: str) -> Answer:
    return await stage.publish([minute_candle(bar.instrument, close)])


@when("the feed sends a bar from before them", target_fixture="answer")
async def send_older(stage: Stage) -> Answer:
    return await stage.publish([minute_candle(SYMBOL, "99.00", minute=0)])


@when(
    parse('the feed sends a bar of "{bad}" at {price} beside one of "{good}" at {close}'),
    target_fixture="answer",
)
async def send_both(stage: Stage, bad: str, price: str, good: str, close: str) -> Answer:
    await stage.system.time.skip_to(instant(FIRST_MINUTE + MINUTE))
    return await attempt(stage, [minute_candle(bad, price), minute_candle(good, close)])


@when(parse("{minutes:d} minutes pass without another"))
async def let_time_pass(stage: Stage, minutes: int) -> None:
    time = stage.system.time
    await time.skip_to(time.now_ns() + minutes * 60 * NS_PER_S)


@given(parse('a watcher of "{symbol}"'), target_fixture="after_sequence")
def watch_from_now(symbol: str) -> int:
    return 0


@given(
    parse('a watcher of "{symbol}" that has seen {count:d} bars and left'),
    target_fixture="after_sequence",
)
async def watch_and_leave(stage: Stage, symbol: str, count: int) -> int:
    await publish_minutes(stage, symbol, range(1, count + 1))
    seen = await watched(stage, symbol, count, after_sequence=0)
    return int(seen[-1].sequence)


@when(parse("the feed publishes the bars of minutes {first:d} and {second:d}"))
async def publish_with_gap(stage: Stage, first: int, second: int) -> None:
    await publish_minutes(stage, SYMBOL, (first, second))


@when(parse("the feed publishes {count:d} more bars"))
async def publish_more(stage: Stage, count: int) -> None:
    await publish_minutes(stage, SYMBOL, range(3, 3 + count))


@when("the watcher returns to where it was", target_fixture="seen")
async def return_to_watch(stage: Stage, after_sequence: int) -> list[Any]:
    return await watched(stage, SYMBOL, 3, after_sequence=after_sequence)


@then(parse('"{symbol}" has {count:d} bar'))
@then(parse('"{symbol}" has {count:d} bars'))
async def has_bars(stage: Stage, symbol: str, count: int) -> None:
    assert len(await stage.bars(symbol)) == count


@then("it is answered as a duplicate")
def is_duplicate(answer: pb.PublishCandlesResponse) -> None:
    assert [r.outcome for r in answer.results] == [pb.CANDLE_OUTCOME_DUPLICATE]


@then("it is answered as revised")
def is_revised(answer: pb.PublishCandlesResponse) -> None:
    assert [r.outcome for r in answer.results] == [pb.CANDLE_OUTCOME_REVISED]


@then(parse("it is rejected as {reason}"))
def is_rejected(answer: pb.PublishCandlesResponse, reason: str) -> None:
    assert answer.results[0].outcome == pb.CANDLE_OUTCOME_REJECTED
    assert pb.CandleRejectReason.Name(answer.results[0].reason).endswith(f"_REASON_{reason}")


@then("the whole request is refused, naming the price")
def is_refused(answer: Answer) -> None:
    assert isinstance(answer, ServiceError)
    assert answer.code.name == "INVALID_ARGUMENT"
    assert "candles[0].open" in answer.message


@then(parse('the newest bar of "{symbol}" closes at {close}'))
async def closes_at(stage: Stage, symbol: str, close: str) -> None:
    bars = await stage.bars(symbol)
    assert float(bars[-1].close.value) == float(close)


@then(parse("as first seen it closed at {close}"))
async def closed_at_first(stage: Stage, close: str) -> None:
    view = pb.REVISION_VIEW_AS_FIRST_SEEN
    bars = await stage.bars(SYMBOL, revision=view)
    assert float(bars[-1].close.value) == float(close)


@then(parse('the quote of "{symbol}" is stale and {minutes:d} minutes old'))
async def quote_is_stale(stage: Stage, symbol: str, minutes: int) -> None:
    quote = await stage.marketdata.get_quote(pb.GetQuoteRequest(instrument=symbol))
    assert quote.is_stale
    assert round(quote.age.ToSeconds() / 60) == minutes


@then("the watcher sees a bar, a gap of 2 minutes and a bar")
async def sees_a_gap(stage: Stage, after_sequence: int) -> None:
    seen = await watched(stage, SYMBOL, 3, after_sequence=after_sequence)
    assert [item.WhichOneof("item") for item in seen] == ["candle", "gap", "candle"]
    gap = seen[1].gap
    assert to_ns(gap.to_time) - to_ns(gap.from_time) == 2 * 60 * NS_PER_S


@then(parse("it sees the {count:d} bars it missed, in order"))
def sees_what_it_missed(seen: list[Any], after_sequence: int, count: int) -> None:
    expected = list(range(after_sequence + 1, after_sequence + 1 + count))
    assert [item.sequence for item in seen] == expected


# What steps do, where it takes more than a line.


async def evaluated(stage: Stage, strategy_id: str) -> int:
    rows = await stage.system.rows("strategy", "evaluations")
    return sum(row["strategy_id"] == strategy_id for row in rows)


def session_candle(symbol: str, day: str) -> Candle:
    opened = datetime.fromisoformat(f"{day}T14:30+00:00")  # New York in winter.
    candle = close_only_candle(symbol, "100.000")
    candle.timeframe = TIMEFRAME_DAY_1
    candle.open_time.FromNanoseconds(instant(opened))
    candle.close_time.FromNanoseconds(instant(opened + timedelta(hours=6, minutes=30)))
    return candle


async def attempt(stage: Stage, candles: list[Candle]) -> Answer:
    try:
        return await stage.publish(candles)
    except ServiceError as error:
        return error


async def publish_minutes(stage: Stage, symbol: str, minutes: Any) -> None:
    for minute in minutes:
        await stage.system.time.skip_to(instant(FIRST_MINUTE + (minute + 1) * MINUTE))
        answer = await stage.publish([minute_candle(symbol, "100.00", minute=minute)])
        assert answer.results[0].outcome == pb.CANDLE_OUTCOME_STORED, answer


async def watched(stage: Stage, symbol: str, count: int, *, after_sequence: int) -> list[Any]:
    request = pb.WatchCandlesRequest(instruments=[symbol], after_sequence=after_sequence)
    seen: list[Any] = []
    async with aclosing(stage.marketdata.watch_candles(request)) as stream:
        await anext(stream)  # How far the stream is.
        async for message in stream:
            if message.is_heartbeat or len(seen) == count:
                break  # It has seen everything.
            seen.append(message)
    return seen
