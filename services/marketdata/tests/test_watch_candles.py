"""WatchCandles: gap-free, filtered, resumable; gaps are announced, never filled."""

import asyncio
from decimal import Decimal

import pytest
from grpc import StatusCode
from trading.marketdata.v1 import marketdata_pb2 as pb
from trading.types.v1 import market_pb2

from runtime.errors import ServiceError
from runtime.times import to_ns
from services.marketdata.candles import Candle
from services.marketdata.tests.mothers import SQUARE, a_candle, a_market, items
from services.marketdata.timeframes import Timeframe


async def test_the_first_message_is_a_heartbeat_with_the_current_sequence() -> None:
    market = await a_market()
    await market.publish(a_candle(0), a_candle(1))
    watch = market.client.watch_candles(pb.WatchCandlesRequest(after_sequence=2))
    assert await anext(watch) == pb.WatchCandlesResponse(sequence=2, is_heartbeat=True)
    await watch.aclose()


async def test_a_watcher_that_reconnects_misses_nothing() -> None:
    market = await a_market()
    await market.publish(*(a_candle(minute) for minute in range(0, 40, 2)))
    seen: list[int] = []
    for _ in range(13):  # Three items at a time, from the store or from memory.
        request = pb.WatchCandlesRequest(after_sequence=seen[-1] if seen else 0)
        seen += [item.sequence for item in await items(market, 3, request)]
        if len(seen) == 15:
            market = await market.restarted()
    assert seen == list(range(1, 40))


async def test_a_missing_interval_is_reported_as_a_gap_not_filled() -> None:
    market = await a_market()
    await market.publish(a_candle(0), a_candle(4))
    first, gap, last = await items(market, 3)
    assert (first.WhichOneof("item"), last.WhichOneof("item")) == ("candle", "candle")
    assert to_ns(gap.gap.from_time) == a_candle(1).open_ns
    assert to_ns(gap.gap.to_time) == a_candle(4).open_ns
    assert (gap.gap.instrument, gap.gap.timeframe) == (SQUARE, market_pb2.TIMEFRAME_MINUTE_1)


async def test_a_missing_session_is_a_gap_and_a_weekend_is_none() -> None:
    market = await a_market(now_ns=1_800_000_000 * 10**9)

    def day(opens_s: int) -> Candle:
        opens_ns = opens_s * 10**9
        return a_candle(
            instrument="SPX5.XSIM",
            timeframe=Timeframe.DAY_1,
            open_ns=opens_ns,
            close_ns=opens_ns + 23_400 * 10**9,
        )

    friday, monday, wednesday = 1_704_465_000, 1_704_724_200, 1_704_897_000
    await market.publish(day(friday), day(monday), day(wednesday))
    kinds = [item.WhichOneof("item") for item in await items(market, 4)]
    assert kinds == ["candle", "candle", "gap", "candle"]


async def test_filters_drop_items_and_a_heartbeat_tells_how_far_the_stream_is() -> None:
    market = await a_market()
    await market.publish(a_candle(0, instrument="SQ01.XSIM"), a_candle(0))
    await market.publish(a_candle(1, instrument="SQ01.XSIM"))
    watch = market.client.watch_candles(pb.WatchCandlesRequest(instruments=[SQUARE]))
    assert (await anext(watch)).is_heartbeat
    assert (await anext(watch)).sequence == 2
    # In the same instant: whoever waits for this reader to be through need not wait a second.
    now_s = asyncio.get_running_loop().time()
    assert await anext(watch) == pb.WatchCandlesResponse(sequence=3, is_heartbeat=True)
    assert asyncio.get_running_loop().time() == now_s
    await watch.aclose()


async def test_a_watch_may_be_of_one_timeframe() -> None:
    market = await a_market()
    hour = a_candle(timeframe=Timeframe.HOUR_1, close_ns=a_candle().open_ns + 3_600 * 10**9)
    await market.publish(a_candle(), hour)
    request = pb.WatchCandlesRequest(timeframes=[market_pb2.TIMEFRAME_HOUR_1])
    (item,) = await items(market, 1, request)
    assert item.candle.timeframe == market_pb2.TIMEFRAME_HOUR_1


async def test_a_correction_is_watched_after_what_it_corrects() -> None:
    market = await a_market()
    await market.publish(a_candle(0), a_candle(1))
    await market.publish(a_candle(0, close=Decimal("100.75"), revision=1))
    assert [item.candle.revision for item in await items(market, 3)] == [0, 0, 1]


async def test_an_unknown_instrument_or_a_sequence_ahead_is_refused() -> None:
    market = await a_market()
    with pytest.raises(ServiceError) as caught:
        await items(market, 1, pb.WatchCandlesRequest(instruments=["NOBODY.XSIM"]))
    assert (caught.value.code, caught.value.reason) == (StatusCode.NOT_FOUND, "UNKNOWN_INSTRUMENT")
    with pytest.raises(ServiceError) as caught:
        await items(market, 1, pb.WatchCandlesRequest(after_sequence=5))
    assert caught.value.code is StatusCode.OUT_OF_RANGE
