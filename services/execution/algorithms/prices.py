"""At what price a child meets the market: at the touch, never beyond limit or collar (A3)."""

from dataclasses import dataclass
from enum import Enum

from services.execution.algorithms.terms import Terms

BP = 10_000


class Meeting(Enum):
    """How one child meets the market."""

    PASSIVE = "PASSIVE"  # Rests at its own side's touch.
    CROSS = "CROSS"  # Takes at the other side's touch what is there, at once.
    COMPLETE = "COMPLETE"  # Takes up to the collar, at the end of the window (A4).
    SHOW = "SHOW"  # Rests as the visible part of an ICEBERG.


@dataclass(frozen=True, slots=True)
class Touch:
    """The best prices of a book in ticks; 0: that side is empty."""

    bid_ticks: int = 0
    ask_ticks: int = 0

    @property
    def twice_mid(self) -> int:
        """Twice the middle of both sides, 0 without one of them: it stays a whole number."""
        has_both = self.bid_ticks > 0 and self.ask_ticks > 0
        return self.bid_ticks + self.ask_ticks if has_both else 0


def price_of(terms: Terms, meeting: Meeting, touch: Touch) -> int | None:
    """Return the limit price of a child in ticks; None without a market price (NO_REFERENCE)."""
    if not touch.twice_mid:
        return None
    own, far = touch.bid_ticks, touch.ask_ticks
    if not terms.is_buy:
        own, far = far, own
    if meeting is Meeting.SHOW:
        wanted = terms.limit_ticks or own
    elif meeting is Meeting.COMPLETE:
        wanted = collar_ticks(terms, touch)
    else:
        wanted = own if meeting is Meeting.PASSIVE else far
    return bounded(terms, wanted, touch)


def bounded(terms: Terms, ticks: int, touch: Touch) -> int:
    """Return `ticks`, or the parent's limit or the collar where that is less far."""
    bounds = [collar_ticks(terms, touch)]
    if terms.limit_ticks:
        bounds.append(terms.limit_ticks)
    return min(ticks, *bounds) if terms.is_buy else max(ticks, *bounds)


def collar_ticks(terms: Terms, touch: Touch) -> int:
    """Return the worst price that the collar around the mid allows, on the tick inside it."""
    if terms.is_buy:
        return touch.twice_mid * (BP + terms.collar_bps) // (2 * BP)
    return max(1, -(-touch.twice_mid * (BP - terms.collar_bps) // (2 * BP)))


def is_marketable(terms: Terms, ticks: int, touch: Touch) -> bool:
    """Whether a limit reaches the other side, so that taking can trade at all."""
    return ticks >= touch.ask_ticks if terms.is_buy else ticks <= touch.bid_ticks
