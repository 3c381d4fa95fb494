"""Valid-by-default ticks for tests: break one thing in them."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from itertools import pairwise
from typing import Any

from trading.marketdata.v1 import marketdata_pb2 as pb
from trading.types.v1 import market_pb2

from runtime.stores import Database
from runtime.times import NS_PER_S, to_timestamp
from services.marketdata.tests.mothers import NOON_NS, SQUARE, Market, a_market

MS = 1_000_000
QUOTES = market_pb2.TICK_KIND_QUOTES


def a_batch(first: int = 0, count: int = 4, **changes: Any) -> market_pb2.TickBatch:
    """Return trades of SQ00.XSIM, one each 100 ms from noon on, at 100.00 and up by a cent."""
    values: dict[str, Any] = {
        "instrument": SQUARE,
        "sequence_first": first,
        "price_exponent": -2,
        "quantity_exponent": 0,
        "base_time": to_timestamp(NOON_NS + first * 100 * MS),
        "base_price": 10_000 + first,
        "time_deltas_ns": [0] + [100 * MS] * (count - 1),
        "price_deltas": [0] + [1] * (count - 1),
        "quantities": [5] * count,
        "kind": market_pb2.TICK_KIND_TRADES,
    }
    return market_pb2.TickBatch(**values | changes)


def trades(first: int, *ticks: tuple[int, int, int], **changes: Any) -> market_pb2.TickBatch:
    """Return trades of (milliseconds after noon, cents, quantity)."""
    times_ns = [NOON_NS + ms * MS for ms, _, _ in ticks]
    prices = [cents for _, cents, _ in ticks]
    return a_batch(
        first,
        **{
            "base_time": to_timestamp(times_ns[0]),
            "base_price": prices[0],
            "time_deltas_ns": _deltas(times_ns),
            "price_deltas": _deltas(prices),
            "quantities": [quantity for _, _, quantity in ticks],
            **changes,
        },
    )


def _deltas(values: Sequence[int]) -> list[int]:
    return [0] + [after - before for before, after in pairwise(values)]


async def a_tick_market(*, seconds: float = 0.5, database: Database | None = None) -> Market:
    """Return a running service whose clock stands shortly after noon."""
    return await a_market(now_ns=NOON_NS + round(seconds * NS_PER_S), database=database)


async def publish(market: Market, *batches: market_pb2.TickBatch) -> pb.PublishTicksResponse:
    """Publish batches in a stream of their own."""
    return await publish_requests(market, *(pb.PublishTicksRequest(batch=b) for b in batches))


async def publish_requests(
    market: Market, *requests: pb.PublishTicksRequest
) -> pb.PublishTicksResponse:
    """Publish requests in a stream of their own."""

    async def stream() -> AsyncIterator[pb.PublishTicksRequest]:
        for request in requests:
            yield request

    return await market.client.publish_ticks(stream())


async def pass_time(market: Market, seconds: float) -> None:
    """Let time pass until so many seconds after noon, and what is due on the way happen."""
    clock, until_ns = market.clock, NOON_NS + round(seconds * NS_PER_S)
    while (due_ns := clock.next_alarm_ns()) is not None and due_ns <= until_ns:
        clock.skip_to(due_ns)
        await asyncio.sleep(0.003)
    clock.skip_to(until_ns)


async def candles(
    market: Market,
    timeframe: market_pb2.Timeframe.ValueType = market_pb2.TIMEFRAME_SECOND_1,
    revision: pb.RevisionView.ValueType = pb.REVISION_VIEW_LATEST,
) -> list[market_pb2.Candle]:
    """Return the stored candles of SQ00.XSIM."""
    request = pb.ListCandlesRequest(instrument=SQUARE, timeframe=timeframe, revision=revision)
    return list((await market.client.list_candles(request)).candles)


def numbers(candle: market_pb2.Candle) -> tuple[str, str, str, str, str, int]:
    """Return O, H, L, C, volume and number of trades of a candle."""
    return (
        candle.open.value,
        candle.high.value,
        candle.low.value,
        candle.close.value,
        candle.volume.value,
        candle.trade_count,
    )


async def seen(
    market: Market, count: int, *, after: int = 0, instruments: Sequence[str] = (SQUARE,)
) -> list[pb.WatchTicksResponse]:
    """Return the next `count` batches that a watcher sees."""
    request = pb.WatchTicksRequest(instruments=instruments, after_sequence=after)
    found: list[pb.WatchTicksResponse] = []
    watch = market.client.watch_ticks(request)
    try:
        while len(found) < count:
            response = await anext(watch)
            found += [] if response.is_heartbeat else [response]
    finally:
        await watch.aclose()
    return found
