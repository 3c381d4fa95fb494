"""Stored candles, read from market data page by page, as they were first seen."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from google.protobuf.timestamp_pb2 import Timestamp
from trading.marketdata.v1 import marketdata_pb2
from trading.marketdata.v1.marketdata_port import MarketDataService
from trading.types.v1 import market_pb2

from runtime.rpc import Call

PAGE_SIZE = 5_000


@dataclass(frozen=True, slots=True)
class Span:
    """Which stored candles: from a time on, before a time, the newest so many of them."""

    from_time: Timestamp | None = None
    to_time: Timestamp | None = None
    last_count: int = 0


class History:
    """The stored candles of every series. A correction changes nothing: what was seen counts."""

    def __init__(self, market: MarketDataService) -> None:
        self._market = market

    async def candles(
        self,
        instrument: str,
        timeframe: market_pb2.Timeframe.ValueType,
        span: Span,
        call: Call,
        check: Callable[[int], None] = lambda count: None,
    ) -> list[market_pb2.Candle]:
        """Return the candles, oldest first; `check` may refuse a number while it grows."""
        candles: list[market_pb2.Candle] = []
        async for page in self._pages(instrument, timeframe, span, call):
            candles.extend(page.candles)
            check(len(candles))
        return candles

    async def _pages(
        self, instrument: str, timeframe: market_pb2.Timeframe.ValueType, span: Span, call: Call
    ) -> AsyncIterator[marketdata_pb2.ListCandlesResponse]:
        request = marketdata_pb2.ListCandlesRequest(
            instrument=instrument,
            timeframe=timeframe,
            from_time=span.from_time,
            to_time=span.to_time,
            last_count=span.last_count,
            page_size=PAGE_SIZE,
            revision=marketdata_pb2.REVISION_VIEW_AS_FIRST_SEEN,
        )
        while True:
            page = await self._market.list_candles(request, call)
            yield page
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token
