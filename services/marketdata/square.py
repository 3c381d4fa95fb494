"""The load generator `square-v1` (rule D9): a price wave that trends every four candles.

It carries no market meaning. EMA(2) and EMA(5) of it cross on exactly a quarter of the
candles, so a crossover strategy has a known share of signals.
"""

import math
from collections.abc import Iterator
from itertools import islice

import numpy as np

from services.marketdata.calendars import Instants
from services.marketdata.timeframes import DURATION_NS, Timeframe

DATASET = "square-v1"
TIMEFRAMES = (Timeframe.SECOND_1, Timeframe.MINUTE_1)
EXPONENT = -2  # Prices are whole cents.
VOLUME = 1_000
CENTRE_CENTS = 10_000
HALF_HEIGHT = 0.005
WALK_SIGMA = 0.0002
WALK_UNIT = 1e-9
HALF_PERIOD = 4
PHASES = 8
BLOCK = 1_024

Bar = tuple[int, int, int, int]
"""Open, high, low and close in cents."""


def square_bars(seed: int, index: int) -> Iterator[Bar]:
    """Yield the endless bars of instrument `index` (0..99), the first at the series' start.

    The walk's steps are whole billionths and summed as integers, so the same seed gives the
    same bytes on every machine; one instrument's path does not depend on the others.
    """
    previous = _close(index, -1, walk=0)
    for step, walk in enumerate(_walk(seed, index)):
        close = _close(index, step, walk)
        yield previous, max(previous, close) + 1, min(previous, close) - 1, close
        previous = close


def square_columns(seed: int, index: int, *, first: int, count: int) -> Instants:
    """Return the bars from number `first` on as four columns of cents, one row per bar."""
    bars = list(islice(square_bars(seed, index), first, first + count))
    return np.array(bars, dtype=np.int64).reshape(-1, 4)


def open_times_ns(start_ns: int, timeframe: Timeframe, *, first: int, count: int) -> Instants:
    """Return when bars number `first` and on open, of a series that starts at `start_ns`."""
    steps = np.arange(first, first + count, dtype=np.int64)
    return start_ns + steps * DURATION_NS[timeframe]


def _close(index: int, step: int, walk: int) -> int:
    is_high = (step + index % PHASES) // HALF_PERIOD % 2 == 0
    exponent = (HALF_HEIGHT if is_high else -HALF_HEIGHT) + walk * WALK_UNIT
    return round(CENTRE_CENTS * math.exp(exponent))


def _walk(seed: int, index: int) -> Iterator[int]:
    """Yield the random walk in billionths; the generator's key is (seed, instrument)."""
    key = np.array([seed % 2**64, index + 1], dtype=np.uint64)
    draws = np.random.Generator(np.random.Philox(key=key))
    walk = 0
    while True:
        for step in np.rint(draws.standard_normal(BLOCK) * (WALK_SIGMA / WALK_UNIT)).tolist():
            walk += int(step)
            yield walk
