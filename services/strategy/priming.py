"""Takes in the points before a strategy's first candle, so that a start makes no old signal."""

import asyncio
from dataclasses import dataclass

from trading.marketdata.v1 import marketdata_pb2
from trading.marketdata.v1.marketdata_port import MarketDataService
from trading.types.v1 import market_pb2

from runtime.errors import ServiceError
from runtime.times import to_timestamp
from services.strategy.indicators import KIND_INSUFFICIENT, IndicatorRequests
from services.strategy.kinds import KindState, forget
from services.strategy.registry import kind_of
from services.strategy.terms import Bar, Config
from services.strategy.wire import bar_of

PAUSE_S = 0.2
ATTEMPTS = 150  # Half a minute: then the candle goes without its past.


@dataclass(frozen=True, slots=True)
class Primed:
    """What the past of an instrument comes to."""

    bar_count: int
    kind_state: KindState
    has_range: bool


class Priming:
    """Asks for the past of instruments."""

    def __init__(self, requests: IndicatorRequests, market: MarketDataService) -> None:
        self._requests = requests
        self._market = market

    async def prime(
        self, config: Config, instrument: str, span: tuple[int, int], *, has_range: bool
    ) -> Primed | None:
        """Return what the candles of `span` (from, to exclusive) come to; None if nobody says.

        Candles without range among them are met by indicators that need none.
        """
        for _ in range(ATTEMPTS):
            try:
                return await self._prime(config, instrument, span, has_range=has_range)
            except ServiceError as error:
                if error.reason == KIND_INSUFFICIENT and has_range:
                    has_range = False
                elif error.definite:
                    return None
                else:
                    await asyncio.sleep(PAUSE_S)
        return None

    async def _prime(
        self, config: Config, instrument: str, span: tuple[int, int], *, has_range: bool
    ) -> Primed:
        state: KindState = {}
        kind = kind_of(config.kind)
        bar_count, values = await self._requests.earlier_values(
            config, instrument, span, has_range=has_range
        )
        for one in values:
            state = kind.prime(state, one)
        if kind.remember is not forget:
            for bar in await self._last_bar(config, instrument, span):
                state = kind.remember(state, bar)
        return Primed(bar_count, state, has_range)

    async def _last_bar(self, config: Config, instrument: str, span: tuple[int, int]) -> list[Bar]:
        """Return the bar before the first one, if there is one."""
        first_ns, open_ns = span
        request = marketdata_pb2.ListCandlesRequest(
            instrument=instrument,
            timeframe=market_pb2.Timeframe.ValueType(config.timeframe),
            from_time=to_timestamp(first_ns),
            to_time=to_timestamp(open_ns),
            last_count=1,
            revision=marketdata_pb2.REVISION_VIEW_AS_FIRST_SEEN,
        )
        return [bar_of(one) for one in (await self._market.list_candles(request)).candles]
