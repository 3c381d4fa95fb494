"""Applies events to orders by the transition table; pure."""

from collections.abc import Callable, Mapping
from enum import Enum
from typing import NamedTuple

from services.orders import effects
from services.orders.effects import Changes
from services.orders.events import Event, Kind
from services.orders.states import (
    FIRST_DOUBT,
    FIRST_END,
    IN_DOUBT,
    LAST_DOUBT,
    PENDING,
    SHOWN,
    WORKING,
    Order,
    Place,
    Status,
)
from services.orders.transitions import TABLE, Goal, Row


class Anomaly(Enum):
    """What should not have happened; the order's state is kept and the money is booked."""

    ILLEGAL = "the pair of state and event is not in the table"
    TRADE_AFTER_END = "a trade arrived for an order that had ended"
    OVERFILL = "more was filled than ordered"
    FILL_UNKNOWN = "a bust or correction names a fill that was never booked"


class Applied(NamedTuple):
    """What an event came to; without a row the pair was illegal and the state is kept."""

    order: Order
    row: Row | None
    anomaly: Anomaly | None = None


# Row 30: what the venue says is handled by the row of the report that would have said it.
REPORTED_AS = {
    Place.NEW: Kind.ACKNOWLEDGED,
    Place.PARTIALLY_FILLED: Kind.ACKNOWLEDGED,
    Place.SUSPENDED: Kind.ACKNOWLEDGED,
    Place.CANCELED: Kind.CANCELED,
    Place.REJECTED: Kind.VENUE_REJECTED,
    Place.EXPIRED: Kind.EXPIRED,
}


# An enum member costs a tenth of a microsecond to look up, so the hot path names some once.
TRADED, FULLY_TRADED, PARTLY_TRADED = Kind.TRADED, Kind.FULLY_TRADED, Kind.PARTLY_TRADED
MOOT, AS_THE_VENUE_SAYS = Goal.MOOT, Goal.AS_THE_VENUE_SAYS
PLACE_FILLED, PLACE_PARTLY, PLACE_NEW = Place.FILLED, Place.PARTIALLY_FILLED, Place.NEW
AFTER_END = 27

# While one of these is shown the state underneath stays what it was.
KEEPS_WORKING = frozenset((*PENDING, *IN_DOUBT))
# What the table alone cannot tell: these need something that the order may not have.
GUARDED = frozenset((Kind.BUSTED, Kind.CORRECTED, Kind.REPLACED, Kind.RESOLVED))


def apply(order: Order, event: Event) -> Applied:
    """Return the order after `event`, the row that moved it and the anomaly, if any.

    An order that nothing changed comes back as the same object: there is no event to record.
    """
    kind = event.kind if event.kind is not TRADED else _refined(order, event)
    row = TABLE.get((kind, order.place))
    if row is None:
        return _kept(order, event, Anomaly.ILLEGAL)
    to = row.to
    if to is MOOT:
        return Applied(order, row)
    if to is AS_THE_VENUE_SAYS:
        return _as_the_venue_says(order, event, row)
    if kind in GUARDED and (problem := _impossible(order, event, kind)):
        return _kept(order, event, problem)
    changes = row.effect(order, event)
    if isinstance(to, Place):
        place, working = to, (order.working if to in KEEPS_WORKING else to)
    else:
        place, working = MOVES[to](order, event, changes)
    _conclude(order, event, place, changes)
    changes["place"], changes["working"] = place, working
    return Applied(order.changed(changes), row, _anomaly_of(order, row, changes))


def _conclude(order: Order, event: Event, place: Place, changes: Changes) -> None:
    """Add what every move does: count it, date it, and forget what its place ends."""
    changes["version"], changes["updated_ns"] = order.version + 1, event.at_ns
    if event.venue_order_id:
        changes["venue_order_id"] = event.venue_order_id
    if place >= FIRST_END:
        changes["amendment"], changes["is_cancel_wanted"] = None, False
    if order.doubt_since_ns and not FIRST_DOUBT <= place <= LAST_DOUBT:
        changes["doubt_since_ns"] = 0


def noted(order: Order, at_ns: int) -> Order:
    """Return `order` with one more event that changed nothing else."""
    return order.changed({"version": order.version + 1, "updated_ns": at_ns})


def is_consistent(order: Order, named: Place) -> bool:
    """Whether an operator may resolve `order` to `named`: what is filled must agree."""
    if named is Place.FILLED or named in WORKING:
        return _by_cum(order, {}) is named
    return named is Place.CANCELED or named is Place.EXPIRED or named is Place.REJECTED


def shown(order: Order) -> Status:
    """Return the status the world sees."""
    return SHOWN[order.place].status


def working_status(order: Order) -> Status:
    """Return the state underneath while a pending one, a halt or a doubt is shown."""
    return SHOWN[order.working].status


def _refined(order: Order, event: Event) -> Kind:
    assert event.fill is not None, "a trade carries its fill"
    is_full = order.cum_atto + event.fill.quantity_atto >= order.quantity_atto
    return FULLY_TRADED if is_full else PARTLY_TRADED


def _impossible(order: Order, event: Event, kind: Kind) -> Anomaly | None:
    if kind is Kind.BUSTED or kind is Kind.CORRECTED:
        return Anomaly.FILL_UNKNOWN if event.former is None else None
    if kind is Kind.REPLACED and order.amendment is None:
        return Anomaly.ILLEGAL
    if kind is Kind.RESOLVED and not is_consistent(order, event.named):
        return Anomaly.ILLEGAL
    return None


def _as_the_venue_says(order: Order, event: Event, row: Row) -> Applied:
    works = event.named in WORKING or event.named is Place.SUSPENDED
    if works and order.place is not Place.DOUBT_NEW:
        # The order lives, so a doubtful cancel or replace has not taken effect: it is repeated.
        if not (order.place is Place.DOUBT_REPLACE and event.is_amendment_done):
            return Applied(order, row)
        applied = apply(order, event._replace(kind=Kind.REPLACED))
    elif kind := REPORTED_AS.get(event.named):
        applied = apply(order, event._replace(kind=kind))
    else:
        return Applied(order, row)  # Filled: its executions will say so.
    return applied._replace(row=row) if applied.row else applied


def _kept(order: Order, event: Event, anomaly: Anomaly) -> Applied:
    changes: Changes = {"version": order.version + 1, "updated_ns": event.at_ns}
    if event.kind is Kind.TRADED:
        changes |= effects.book(order, event)
    return Applied(order.changed(changes), None, anomaly)


def _anomaly_of(order: Order, row: Row, changes: Changes) -> Anomaly | None:
    if row.number == AFTER_END:
        return Anomaly.TRADE_AFTER_END
    if row.kind is FULLY_TRADED and changes["cum_atto"] > order.quantity_atto:
        return Anomaly.OVERFILL
    return None


def _by_cum(order: Order, changes: Changes) -> Place:
    cum_atto = changes.get("cum_atto", order.cum_atto)
    if cum_atto >= changes.get("quantity_atto", order.quantity_atto):
        return PLACE_FILLED
    return PLACE_PARTLY if cum_atto else PLACE_NEW


def _to_cum(order: Order, event: Event, changes: Changes) -> tuple[Place, Place]:
    place = _by_cum(order, changes)
    return place, place


def _beneath_by_cum(order: Order, event: Event, changes: Changes) -> tuple[Place, Place]:
    beneath = _by_cum(order, changes)
    if beneath is Place.FILLED:
        return beneath, beneath
    is_bust_while_halted = order.working is Place.SUSPENDED and event.kind is Kind.BUSTED
    return order.place, order.working if is_bust_while_halted else beneath


def _uncovered(order: Order, event: Event, changes: Changes) -> tuple[Place, Place]:
    has_amendment = changes.get("amendment", order.amendment) is not None
    return (Place.PENDING_REPLACE if has_amendment else order.working), order.working


def _filled_stays(order: Order, event: Event, changes: Changes) -> tuple[Place, Place]:
    place = Place.FILLED if changes["cum_atto"] >= order.quantity_atto else Place.CANCELED
    return place, place


def _given_up(order: Order, event: Event, changes: Changes) -> tuple[Place, Place]:
    place = Place.CANCELED if order.is_cancel_wanted else Place.REJECTED
    return place, place


def _sent_again(order: Order, event: Event, changes: Changes) -> tuple[Place, Place]:
    if order.is_cancel_wanted:
        changes.clear()  # Nothing is sent for an order that should be canceled.
        return Place.CANCELED, Place.CANCELED
    return Place.SENT, Place.SENT


def _same(order: Order, event: Event, changes: Changes) -> tuple[Place, Place]:
    return order.place, order.working


def _beneath_suspended(order: Order, event: Event, changes: Changes) -> tuple[Place, Place]:
    return order.place, Place.SUSPENDED


def _named(order: Order, event: Event, changes: Changes) -> tuple[Place, Place]:
    return event.named, event.named


# The place to show and the one beneath it, for each target that depends on the order.
MOVES: Mapping[Goal, Callable[[Order, Event, Changes], tuple[Place, Place]]] = {
    Goal.SAME: _same,
    Goal.BY_CUM: _to_cum,
    Goal.BENEATH_BY_CUM: _beneath_by_cum,
    Goal.BENEATH_SUSPENDED: _beneath_suspended,
    Goal.UNCOVERED: _uncovered,
    Goal.FILLED_STAYS: _filled_stays,
    Goal.GIVEN_UP: _given_up,
    Goal.SENT_AGAIN: _sent_again,
    Goal.NAMED: _named,
}
