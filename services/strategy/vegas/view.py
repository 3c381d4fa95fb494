"""What the rules of the tunnel look at after one bar, as plain numbers.

Rules are written once for both sides: `side` is the sign of the trade. "a lies beyond b"
means above it for a long and below it for a short; a share above 1 for a long mirrors to the
same share below 1 for a short.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from runtime.atto import ATTO
from services.strategy.terms import Bar, Direction
from services.strategy.vegas import inputs as i

LONG, SHORT, NONE = Direction.LONG, Direction.SHORT, Direction.NONE


class Emas(NamedTuple):
    """The seven averages, the fastest first."""

    ema1: float
    ema2: float
    ema3: float
    ema4: float
    ema5: float
    ema6: float
    ema7: float


@dataclass(frozen=True, slots=True)
class Shape:
    """A bar with its proportions; of a bar that is one price every share is 0."""

    open: float
    high: float
    low: float
    close: float
    range: float
    body: float  # Shares of the range.
    upper: float
    lower: float
    width: float  # Range and body as shares of the open.
    move: float

    @property
    def colour(self) -> Direction:
        """Which way the bar went from open to close."""
        return sign_of(self.close - self.open)

    def near(self, side: Direction) -> float:
        """Return the extreme that comes back against a trade: of a long the low."""
        return self.low if side is LONG else self.high

    def far(self, side: Direction) -> float:
        """Return the extreme in favour of a trade: of a long the high."""
        return self.high if side is LONG else self.low


@dataclass(frozen=True, slots=True)
class Before:
    """What is remembered of the bar before; its averages once it had them."""

    close: float
    high: float
    low: float
    ema2: float | None = None
    ema5: float | None = None

    def far(self, side: Direction) -> float:
        """Return the extreme in favour of a trade: of a long the high."""
        return self.high if side is LONG else self.low


@dataclass(frozen=True, slots=True)
class View:
    """One bar, the averages, and everything else by output name; absent is not there."""

    bar: Shape
    emas: Emas
    before: Before | None
    values: Mapping[str, float]
    is_four_hours: bool = False

    def value(self, name: str) -> float:
        """Return an output that may be absent, which says as little as 0."""
        return self.values.get(name, 0.0)

    def is_engulfing(self, side: Direction) -> bool:
        """Whether the bar swallows the one before, in favour of a trade."""
        return bool(self.value(i.BULL if side is LONG else i.BEAR))


def prices_of(bar: Bar) -> tuple[int, int, int]:
    """Return open, high and low of a bar that has a range."""
    assert bar.open_atto is not None
    assert bar.high_atto is not None
    assert bar.low_atto is not None
    return bar.open_atto, bar.high_atto, bar.low_atto


def shape_of(bar: Bar) -> Shape:
    """Return the shape of a bar: of whole numbers, divided once, so that no edge is blurred."""
    opened, high, low = prices_of(bar)
    close, span, top = bar.close_atto, high - low, max(opened, bar.close_atto)
    bottom = min(opened, close)
    whole = span or 1  # Without range there is neither body nor shadow.
    return Shape(
        open=opened / ATTO,
        high=high / ATTO,
        low=low / ATTO,
        close=close / ATTO,
        range=span / ATTO,
        body=(top - bottom) / whole,
        upper=(high - top) / whole,
        lower=(bottom - low) / whole,
        width=span / opened,
        move=(top - bottom) / opened,
    )


def is_beyond(side: Direction, one: float, other: float) -> bool:
    """Whether `one` lies further in favour of `side` than `other`."""
    return side * (one - other) > 0


def share(side: Direction, more: float) -> float:
    """Return the factor that leads `more` in favour of `side`."""
    return 1.0 + side * more


def is_ordered(side: Direction, averages: Sequence[float]) -> bool:
    """Whether each average lies beyond the slower one after it."""
    if side is LONG:
        return all(a > b for a, b in pairwise(averages))
    return all(a < b for a, b in pairwise(averages))


def is_trending(side: Direction, emas: Emas) -> bool:
    """Whether the short-term averages, the first three, are ordered for `side`."""
    return is_ordered(side, emas[:3])


def sign_of(value: float) -> Direction:
    """Return the side that a number's sign names."""
    if value > 0:
        return LONG
    return SHORT if value < 0 else NONE
