"""Generated trades (rule D8): they bounce between bid and offer around a path of the generator."""

from collections.abc import Iterator
from typing import TypedDict, Unpack

import numpy as np

from services.marketdata.calendars import Instants
from services.marketdata.generated import Line, path_of
from services.marketdata.jump_diffusion import (
    DATASET,
    EXPONENT,
    STEPS,
    Path,
    Stream,
    stream,
    whole,
)
from services.marketdata.ticks import TickKind, Ticks
from services.marketdata.timeframes import NS_PER_SECOND, Timeframe

BARS_AT_ONCE = 64
LOTS_MAX = 100


class Flow(TypedDict):
    """How the trades of one instrument come: from when on, how many a second, how packed."""

    seed: int
    start_ns: int
    per_second: float
    batch: int


def live_ticks(instrument: str, **flow: Unpack[Flow]) -> Iterator[Ticks]:
    """Yield trades of an instrument of `synthetic-jd-v1`, batch after batch, without end.

    They follow the path of its one-second bars from `start_ns`, a whole second: who buys pays
    a tick more than who sells gets. Gaps between trades are exponential.
    """
    line = Line(
        dataset=DATASET,
        instrument=instrument,
        timeframe=Timeframe.SECOND_1,
        seed=flow["seed"],
        start_ns=flow["start_ns"],
    )
    return _endless(instrument, _Steps(path_of(line)), flow)


class _Steps:
    """The prices of a path by the time since its start, as far as anybody has asked."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._prices: Instants = np.zeros(0, dtype=np.int64)
        self._forgotten = 0

    def at(self, since_ns: Instants) -> Instants:
        """Return the price in the tenth of a second of each time; times never go back."""
        steps = since_ns * STEPS // NS_PER_SECOND - self._forgotten
        while int(steps[-1]) >= len(self._prices):
            more = self._path.bars(BARS_AT_ONCE).steps.reshape(-1)
            self._prices = np.concatenate([self._prices, more])
        prices = self._prices[steps]
        self._forgotten += int(steps[0])
        self._prices = self._prices[int(steps[0]) :]
        return prices


def _endless(instrument: str, path: _Steps, flow: Flow) -> Iterator[Ticks]:
    gaps, sides, sizes = (
        stream(flow["seed"], instrument, purpose)
        for purpose in (Stream.TICK_GAPS, Stream.TICK_SIDES, Stream.TICK_LOTS)
    )
    count, mean_ns = flow["batch"], NS_PER_SECOND / flow["per_second"]
    sequence, since_ns = 0, 0
    while True:
        moments = since_ns + np.cumsum(np.maximum(whole(gaps.exponential(mean_ns, count)), 1))
        signs = np.where(sides.random(count) < 0.5, 1, -1)
        lots = 1 + (sizes.random(count) * LOTS_MAX).astype(np.int64)
        yield Ticks(
            instrument=instrument,
            kind=TickKind.TRADES,
            sequence_first=sequence,
            price_exponent=EXPONENT,
            quantity_exponent=0,
            times_ns=flow["start_ns"] + moments,
            prices=path.at(moments) + (signs > 0),
            quantities=signs * lots,
        )
        sequence, since_ns = sequence + count, int(moments[-1])
