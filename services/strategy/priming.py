"""Takes in the points before a strategy's first candle, so that a start makes no old signal."""

import asyncio
from dataclasses import dataclass

from runtime.errors import ServiceError
from services.strategy.indicators import KIND_INSUFFICIENT, IndicatorRequests
from services.strategy.kinds import KindState
from services.strategy.registry import kind_of
from services.strategy.terms import Config

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

    def __init__(self, requests: IndicatorRequests) -> None:
        self._requests = requests

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
        prime = kind_of(config.kind).prime
        bar_count, values = await self._requests.earlier_values(
            config, instrument, span, has_range=has_range
        )
        for one in values:
            state = prime(state, one)
        return Primed(bar_count, state, has_range)
