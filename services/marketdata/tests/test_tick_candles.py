"""Candles made of ticks: confirmed after the grace, revised for late ticks (rule D6)."""

from trading.marketdata.v1 import marketdata_pb2 as pb
from trading.types.v1 import market_pb2

from services.marketdata.tests.mothers import SQUARE, Market, a_candle, items
from services.marketdata.tests.tick_mothers import (
    QUOTES,
    a_batch,
    a_tick_market,
    candles,
    numbers,
    pass_time,
    publish,
    publish_requests,
    trades,
)

MINUTE = market_pb2.TIMEFRAME_MINUTE_1
BOTH = (
    trades(0, (100, 10_000, 5), (400, 10_030, -2), (900, 10_010, 1)),
    trades(3, (1_200, 10_020, 4)),
)


async def test_trades_make_a_candle_of_a_second_and_of_a_minute() -> None:
    market = await a_tick_market()
    await publish(market, *BOTH)
    await pass_time(market, 61)
    first, second = await candles(market)
    assert numbers(first) == ("100", "100.3", "100", "100.1", "8", 3)
    assert numbers(second) == ("100.2", "100.2", "100.2", "100.2", "4", 1)
    (minute,) = await candles(market, MINUTE)
    assert numbers(minute) == ("100", "100.3", "100", "100.2", "12", 4)
    assert (minute.kind, minute.is_confirmed) == (market_pb2.CANDLE_KIND_OHLCV, True)
    assert minute.source.process == "ticks"


async def test_a_candle_is_confirmed_a_quarter_second_after_its_end() -> None:
    market = await a_tick_market()
    await publish(market, BOTH[0])
    await pass_time(market, 1.249)
    assert not await candles(market)
    await pass_time(market, 1.25)
    assert len(await candles(market)) == 1


async def test_a_tick_within_the_grace_belongs_to_the_candle() -> None:
    market = await a_tick_market()
    await publish(market, BOTH[0])
    await pass_time(market, 1.2)
    await publish(market, trades(3, (999, 9_990, 7)))
    await pass_time(market, 1.3)
    (candle,) = await candles(market)
    assert (candle.revision, candle.low.value, candle.volume.value) == (0, "99.9", "15")


async def test_a_late_tick_makes_a_revision_and_the_first_one_stays() -> None:
    market = await a_tick_market()
    await publish(market, *BOTH)
    await pass_time(market, 3)
    await publish(market, trades(4, (950, 10_050, 3), (50, 9_980, 3)))
    first, _ = await candles(market)
    assert first.revision == 1
    assert numbers(first) == ("99.8", "100.5", "99.8", "100.5", "14", 5)
    seen_first = await candles(market, revision=pb.REVISION_VIEW_AS_FIRST_SEEN)
    assert numbers(seen_first[0]) == ("100", "100.3", "100", "100.1", "8", 3)
    await pass_time(market, 61)
    (minute,) = await candles(market, MINUTE)  # It was still forming: no revision of it.
    assert (minute.revision, minute.volume.value, minute.trade_count) == (0, "18", 6)


async def test_late_ticks_that_come_together_make_one_revision() -> None:
    market = await a_tick_market()
    await publish(market, BOTH[0])
    await pass_time(market, 3)
    await publish(market, *(trades(at, (at * 100, 10_000, 1)) for at in range(3, 8)))
    (candle,) = await candles(market)
    assert (candle.revision, candle.trade_count) == (1, 8)


async def test_a_late_tick_of_a_second_without_trades_is_a_backfill() -> None:
    market = await a_tick_market()
    await publish(market, BOTH[1])
    await pass_time(market, 3)
    await publish(market, trades(4, (500, 10_000, 1)))
    earlier, later = await candles(market)
    assert (earlier.revision, later.revision) == (0, 0)
    watched = await items(market, 2)
    assert [item.is_backfill for item in watched] == [False, True]


async def test_quotes_make_no_candles() -> None:
    market = await a_tick_market()
    await publish(market, a_batch(0, 4, kind=QUOTES))
    await pass_time(market, 61)
    assert not await candles(market)


async def crossing(market: Market) -> list[tuple[str, str, str, str, str, int]]:
    """Let the rest of the minute pass; return its candle."""
    await pass_time(market, 30)
    await publish(market, trades(3, (30_000, 10_300, 2)))
    await pass_time(market, 61)
    return [numbers(candle) for candle in await candles(market, MINUTE)]


async def test_a_restart_within_a_minute_changes_nothing_of_its_candle() -> None:
    market = await a_tick_market()
    await publish(market, BOTH[0])
    market = await market.restarted()
    assert await crossing(market) == [("100", "103", "100", "103", "10", 4)]
    assert len(await candles(market)) == 2


async def test_candles_that_were_due_during_a_restart_are_made_up_for() -> None:
    market = await a_tick_market()
    await publish(market, *BOTH)
    market.clock.skip_to(market.clock.now_ns() + 90 * 10**9)
    market = await market.restarted()
    assert [candle.revision for candle in await candles(market)] == [0, 0]
    assert len(await candles(market, MINUTE)) == 1
    market = await market.restarted()
    assert [candle.revision for candle in await candles(market)] == [0, 0]


async def test_candles_say_where_their_ticks_come_from() -> None:
    market = await a_tick_market()
    source = market_pb2.DataSource(
        dataset="synthetic-jd-v1", process="synthetic-jd-v1", is_synthetic=True, seed=7
    )
    await publish_requests(market, pb.PublishTicksRequest(batch=BOTH[0], source=source))
    market = await market.restarted()
    await publish(market, BOTH[1])
    await pass_time(market, 3)
    assert [candle.source for candle in await candles(market)] == [source, source]


async def test_a_candle_that_the_feed_confirmed_itself_is_left_as_it_is() -> None:
    market = await a_tick_market()
    await publish(market, BOTH[0])
    await pass_time(market, 60.1)
    await market.publish(a_candle(0))
    await pass_time(market, 61)
    (minute,) = await candles(market, MINUTE)
    assert minute.close.value == "100.5"
    assert market.environment.tasks.failed == {}


async def test_late_ticks_after_a_restart_are_added_to_all_that_is_stored() -> None:
    market = await a_tick_market()
    await publish(market, *BOTH)
    await pass_time(market, 3)
    market = await market.restarted()
    await publish(market, trades(4, (950, 10_050, 3)))
    first, _ = await candles(market)
    assert (first.revision, first.trade_count, first.volume.value) == (1, 4, "11")


async def test_a_restart_revises_no_candle_of_the_feed() -> None:
    market = await a_tick_market()
    await publish(market, BOTH[0])
    await pass_time(market, 60.1)
    await market.publish(a_candle(0))
    await pass_time(market, 61)
    market = await market.restarted()
    (minute,) = await candles(market, MINUTE)
    assert (minute.revision, minute.close.value) == (0, "100.5")


async def test_ticks_make_the_same_candles_however_they_are_packed() -> None:
    one, other = await a_tick_market(seconds=30), await a_tick_market(seconds=30)
    many = [(at, 10_000 + at % 13 - at % 7, at % 5 + 1) for at in range(25_000)]
    await publish(one, *(trades(at, *many[at : at + 5_000]) for at in range(0, 25_000, 5_000)))
    await publish(other, *(trades(at, *many[at : at + 100]) for at in range(0, 25_000, 100)))
    for market in (one, other):
        await pass_time(market, 61)
    ours, theirs = await candles(one), await candles(other)
    assert [numbers(candle) for candle in ours] == [numbers(candle) for candle in theirs]
    assert sum(candle.trade_count for candle in ours) == 25_000


async def test_the_quote_has_the_newest_bid_offer_and_trade() -> None:
    market = await a_tick_market()
    book = trades(0, (100, 9_990, 3), (200, 10_010, -4), (300, 9_995, 6), kind=QUOTES)
    await publish(market, book, trades(3, (350, 10_010, 2)))
    answer = await market.client.get_quote(pb.GetQuoteRequest(instrument=SQUARE))
    quote = answer.quote
    assert [quote.bid.value, quote.bid_size.value] == ["99.95", "6"]
    assert [quote.ask.value, quote.ask_size.value] == ["100.1", "4"]
    assert quote.last.value == "100.1"
    assert (answer.is_stale, answer.age.ToMilliseconds()) == (False, 150)


async def test_a_quote_of_ticks_is_stale_after_five_seconds_and_survives_a_restart() -> None:
    market = await a_tick_market()
    await publish(market, BOTH[0], trades(3, (950, 9_990, 3), kind=QUOTES))
    market = await market.restarted()
    for seconds, is_stale in ((5.95, False), (5.96, True), (61, True)):
        await pass_time(market, seconds)
        answer = await market.client.get_quote(pb.GetQuoteRequest(instrument=SQUARE))
        assert answer.is_stale is is_stale
        assert (answer.quote.last.value, answer.quote.bid.value) == ("100.1", "99.9")
    assert answer.age.ToMilliseconds() == 60_050
