"""Steps of ticks: a feed publishes them, candles and quotes follow."""

from decimal import Decimal

import pytest
from pytest_bdd import scenarios
from pytest_bdd.parsers import parse
from trading.marketdata.v1 import marketdata_pb2 as pb
from trading.types.v1.market_pb2 import TICK_KIND_QUOTES, TIMEFRAME_SECOND_1, Candle

from features.bdd import given, then, when
from fixtures.stage import STAGE_START_NS, Stage
from fixtures.ticking import batch, publish, watched
from runtime.errors import ErrorInfo, ServiceError
from runtime.times import NS_PER_S

SYMBOL = "SQ00.XSIM"

scenarios("market_ticks")


@given(parse('the feed has published trades 0 to 9 of "{symbol}"'))
async def publish_ten(stage: Stage, symbol: str) -> None:
    await stage.pass_time(0.9)
    await publish(stage, batch(symbol, 0, range(10_000, 10_010)))


@given("it has published a bid of 99.95")
async def publish_bid(stage: Stage) -> None:
    await publish(stage, batch(SYMBOL, 10, [9_995], kind=TICK_KIND_QUOTES))


@given("a watcher has seen them and left", target_fixture="last_seen")
async def watch_and_leave(stage: Stage) -> int:
    return (await watched(stage, SYMBOL, 1))[-1].sequence


@given(parse("{seconds:g} seconds have passed"))
@when(parse("{seconds:g} seconds have passed"))
async def time_passes(stage: Stage, seconds: float) -> None:
    await stage.pass_until(STAGE_START_NS + round(seconds * NS_PER_S))


@when(parse("it goes on with trade {first:d}"), target_fixture="refused")
async def go_on(stage: Stage, first: int) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        await publish(stage, batch(SYMBOL, first, [10_000]))
    return caught.value


@when("it sends them again, and trade 10", target_fixture="answer")
async def send_again(stage: Stage) -> pb.PublishTicksResponse:
    again = batch(SYMBOL, 0, range(10_000, 10_010))
    return await publish(stage, again, batch(SYMBOL, 10, [10_000]))


@when("the feed sends trades of which one has no quantity", target_fixture="refused")
async def send_uneven(stage: Stage) -> ServiceError:
    uneven = batch(SYMBOL, 0, [10_000, 10_001])
    uneven.quantities.pop()
    with pytest.raises(ServiceError) as caught:
        await publish(stage, uneven)
    return caught.value


@when("a trade of the first second comes late, at 99.00")
async def come_late(stage: Stage) -> None:
    await publish(stage, batch(SYMBOL, 10, [9_900], at_s=0.5))


@when("the feed publishes trades 10 to 12 in batches of one")
async def publish_more(stage: Stage) -> None:
    await stage.pass_time(0.5)
    await publish(stage, *(batch(SYMBOL, first, [10_000]) for first in (10, 11, 12)))


@when("the watcher of ticks returns", target_fixture="seen")
async def return_to_watch(stage: Stage, last_seen: int) -> list[pb.WatchTicksResponse]:
    return await watched(stage, SYMBOL, 3, after=last_seen)


@then("it is refused, and told that 10 comes next")
def tells_expected(refused: ServiceError) -> None:
    info = refused.detail(ErrorInfo)
    assert (refused.code.name, refused.reason) == ("FAILED_PRECONDITION", "TICK_GAP")
    assert info is not None
    assert info.metadata["expected"] == "10"


@then("when it goes on with trade 10 that is taken in")
async def take_in(stage: Stage) -> None:
    answer = await publish(stage, batch(SYMBOL, 10, [10_000]))
    assert (answer.batches, answer.ticks) == (1, 1)


@then("one batch of 1 tick is counted")
def counted_once(answer: pb.PublishTicksResponse) -> None:
    assert (answer.batches, answer.ticks, answer.gaps) == (1, 1, 0)


@then("they are refused, naming the arrays")
def names_arrays(refused: ServiceError) -> None:
    assert refused.code.name == "INVALID_ARGUMENT"
    assert "time_deltas_ns, price_deltas and quantities must have equal length" in refused.message


@then("no trade is stored")
async def none_stored(stage: Stage) -> None:
    answer = await publish(stage, batch(SYMBOL, 0, [10_000]))
    assert (await watched(stage, SYMBOL, 1))[0].sequence == answer.batches == 1


@then(parse('"{symbol}" has {count:d} one-second bars'))
async def has_bars(stage: Stage, symbol: str, count: int) -> None:
    assert len(await seconds_of(stage, symbol)) == count


@then("when 1.25 seconds have passed it has 1")
async def has_confirmed(stage: Stage) -> None:
    await stage.pass_until(STAGE_START_NS + NS_PER_S * 5 // 4)
    assert len(await seconds_of(stage, SYMBOL)) == 1


@then(parse('the one-second bar of "{symbol}" goes from {opened} to {closed}, of {count:d} trades'))
async def goes(stage: Stage, symbol: str, opened: str, closed: str, count: int) -> None:
    (bar,) = await seconds_of(stage, symbol)
    assert Decimal(bar.open.value) == Decimal(opened)
    assert Decimal(bar.close.value) == Decimal(closed)
    assert (bar.trade_count, bar.volume.value, bar.is_confirmed) == (count, str(count), True)


@then(parse('the one-second bar of "{symbol}" is in revision 1 with a low of 99.00'))
async def is_revised(stage: Stage, symbol: str) -> None:
    (bar,) = await seconds_of(stage, symbol)
    assert (bar.revision, bar.low.value, bar.trade_count) == (1, "99", 11)


@then("as first seen its low was 100.00")
async def was_first(stage: Stage) -> None:
    (bar,) = await seconds_of(stage, SYMBOL, pb.REVISION_VIEW_AS_FIRST_SEEN)
    assert (bar.revision, bar.low.value, bar.trade_count) == (0, "100", 10)


@then(parse('the quote of "{symbol}" is 99.95 bid, last traded at 100.09'))
async def quote_follows(stage: Stage, symbol: str) -> None:
    quote = (await stage.marketdata.get_quote(pb.GetQuoteRequest(instrument=symbol))).quote
    assert (quote.bid.value, quote.bid_size.value, quote.last.value) == ("99.95", "1", "100.09")
    assert not quote.HasField("ask")


@then("it is stale")
async def is_stale(stage: Stage) -> None:
    answer = await stage.marketdata.get_quote(pb.GetQuoteRequest(instrument=SYMBOL))
    assert (answer.is_stale, round(answer.age.ToSeconds())) == (True, 9)


@then("it sees the three batches, in order")
def sees_three(seen: list[pb.WatchTicksResponse], last_seen: int) -> None:
    assert [item.sequence for item in seen] == [last_seen + 1, last_seen + 2, last_seen + 3]
    assert [item.batch.sequence_first for item in seen] == [10, 11, 12]


# What steps do, where it takes more than a line.


async def seconds_of(
    stage: Stage,
    symbol: str,
    revision: pb.RevisionView.ValueType = pb.REVISION_VIEW_LATEST,
) -> list[Candle]:
    return await stage.bars(symbol, timeframe=TIMEFRAME_SECOND_1, revision=revision)
