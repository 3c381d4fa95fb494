"""What protects a position at the venue: a stop and a target that follow it; pure.

Both are reduce-only and together never close more than the entry has left; what one closes the
other gives up. Quantities and prices are in attos. Source: specification of the pipeline, 8.
"""

from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple

from services.orders.states import WORKING, Order, Place

RETRIES_MAX = 3  # Market orders that close what a stop did not; then a person must.


class Role(Enum):
    """What a leg is for."""

    STOP = "gives the position up at the stop price"
    EDGE = "the stop once more, at the edge of the collar: the first was refused"
    MARKET = "closes at once what no stop protects"
    TARGET = "takes profit at the target price"


class Leg(NamedTuple):
    """One protective order, and where it stands."""

    key: tuple[str, str]
    role: Role
    order: Order
    stop_price_atto: int = 0


class Entry(NamedTuple):
    """What is to be protected: what the entry has filled and what of it is left to close."""

    filled_atto: int
    position_atto: int  # Of the account, on the entry's side, that this entry may claim.
    stop_price_atto: int = 0  # 0: no stop.
    has_target: bool = False


class Create(NamedTuple):
    """A leg to submit."""

    role: Role
    quantity_atto: int


class Change(NamedTuple):
    """A leg to replace; a stop price of 0 keeps it."""

    leg: Leg
    quantity_atto: int
    stop_price_atto: int = 0


class Withdraw(NamedTuple):
    """A leg to cancel."""

    leg: Leg


class Lost(NamedTuple):
    """A position that nothing protects: a person must look."""


Step = Create | Change | Withdraw | Lost


def open_atto(entry: Entry, legs: Sequence[Leg]) -> int:
    """Return what of the entry is left to protect, never more than the position."""
    closed_atto = sum(leg.order.cum_atto for leg in legs)
    return max(0, min(entry.filled_atto - closed_atto, entry.position_atto))


def steps(entry: Entry, legs: Sequence[Leg]) -> list[Step]:
    """Return what must be done next; `legs` in the order in which they were made.

    A leg whose last request is still under way is left until its next event.
    """
    left_atto = open_atto(entry, legs)
    stops = [leg for leg in legs if leg.role is not Role.TARGET]
    targets = [leg for leg in legs if leg.role is Role.TARGET]
    found: list[Step] = []
    if entry.stop_price_atto:
        found += _of_stops(entry, stops, left_atto)
    if targets:
        found += _followed(targets[-1], left_atto)
    elif entry.has_target and left_atto:
        found.append(Create(Role.TARGET, left_atto))
    return found


def _of_stops(entry: Entry, stops: Sequence[Leg], left_atto: int) -> list[Step]:
    if not stops:
        return [Create(Role.STOP, left_atto)] if left_atto else []
    last = stops[-1]
    if not last.order.is_terminal:
        return _followed(last, left_atto, _moved(entry, last))
    if not left_atto:
        return []
    if last.order.place is Place.REJECTED:
        return _after_refusal(stops, left_atto)
    if last.order.place is Place.FILLED:  # The stop was hit; what filled since must go too.
        return [Create(Role.MARKET, left_atto)]
    return []  # Canceled by somebody: a halt, or a person who knows better.


def _after_refusal(stops: Sequence[Leg], left_atto: int) -> list[Step]:
    if stops[-1].role is Role.STOP:
        return [Create(Role.EDGE, left_atto)]
    tried = sum(leg.role is Role.MARKET for leg in stops)
    if not tried:
        return [Lost(), Create(Role.MARKET, left_atto)]
    return [Create(Role.MARKET, left_atto)] if tried < RETRIES_MAX else []


def _moved(entry: Entry, leg: Leg) -> int:
    is_stop = leg.role is Role.STOP and not leg.order.is_triggered
    return entry.stop_price_atto if is_stop and leg.stop_price_atto != entry.stop_price_atto else 0


def _followed(leg: Leg, left_atto: int, stop_price_atto: int = 0) -> list[Step]:
    """Return how a leg follows what is left to protect."""
    order = leg.order
    if order.place not in WORKING or order.is_cancel_wanted:
        return []
    if not left_atto:
        return [Withdraw(leg)]
    quantity_atto = order.cum_atto + left_atto
    if quantity_atto != order.quantity_atto or stop_price_atto:
        return [Change(leg, quantity_atto, stop_price_atto)]
    return []


def shares(position_atto: int, wanted: Sequence[int]) -> list[int]:
    """Return what each entry, oldest first, may claim of a position: the newest first.

    What was closed by other orders was the oldest's (first in, first out).
    """
    claimed: list[int] = []
    for each in reversed(wanted):
        claimed.append(min(each, position_atto))
        position_atto -= claimed[-1]
    return claimed[::-1]
