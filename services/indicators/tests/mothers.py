"""Valid-by-default candles for the tests of this service."""

import random
from collections.abc import Sequence
from math import exp, nan

from services.indicators.catalogue import CATALOGUE
from services.indicators.series import Bar, Indicator, choose


def walk(count: int, seed: int = 7, step: float = 0.01) -> list[Bar]:
    """Return bars around a random walk that starts at 100."""
    rng = random.Random(seed)
    bars = []
    close = 100.0
    for _ in range(count):
        opened, close = close, close * exp(rng.gauss(0, step))
        high = max(opened, close) * (1 + abs(rng.gauss(0, step)))
        low = min(opened, close) * (1 - abs(rng.gauss(0, step)) / 2)
        bars.append((opened, high, low, close, float(rng.randrange(1, 10_000))))
    return bars


def closes(*prices: float) -> list[Bar]:
    """Return bars that carry a close and nothing else."""
    return [(nan, nan, nan, price, nan) for price in prices]


def flat(count: int, price: float = 100.1) -> list[Bar]:
    """Return bars in which nothing moves."""
    return [(price, price, price, price, 1.0)] * count


def column(bars: Sequence[Bar], index: int) -> list[float]:
    """Return one column of `bars`: 0 open, 1 high, 2 low, 3 close, 4 volume."""
    return [bar[index] for bar in bars]


def every_indicator() -> list[Indicator]:
    """Return each built kind with its default parameters."""
    return [choose(kind, {}) for kind in CATALOGUE]
