"""The transition table of orders: 32 numbered rows of data.

Source: specification of the pipeline, section 8, table of the state machine.
"""

from collections.abc import Callable, Mapping
from enum import Enum
from typing import NamedTuple

from services.orders import effects as do
from services.orders.events import Event, Kind
from services.orders.states import (
    IN_DOUBT,
    LIVE,
    PENDING,
    PENDING_NEW,
    TERMINAL,
    WORKING,
    Order,
    Place,
)


class Goal(Enum):
    """Targets that depend on the order; the others are plain places."""

    SAME = "the same place, the working state untouched"
    BY_CUM = "new, partially filled or filled, by what is filled of the quantity"
    BENEATH_BY_CUM = "the same shown state, the working state by what is filled"
    BENEATH_SUSPENDED = "the same shown state, the working state suspended"
    UNCOVERED = "what was beneath: a pending replace, else the working state"
    FILLED_STAYS = "canceled once a filled order is short again, else as it was"
    GIVEN_UP = "rejected, or canceled when a cancel was waiting"
    SENT_AGAIN = "sent, or canceled when a cancel was waiting"
    NAMED = "the place that the event names"
    AS_THE_VENUE_SAYS = "through the row of the report that would have said the same"
    MOOT = "nothing changes: the request lost a race, or must be repeated"


Effect = Callable[[Order, Event], do.Changes]


class Row(NamedTuple):
    """One line of the table; rows with several outcomes have several lines of one number."""

    number: int
    kind: Kind
    origins: tuple[Place, ...]
    to: Place | Goal
    effect: Effect = do.nothing


P = Place
DOUBT_KNOWN = (Place.DOUBT_CANCEL, Place.DOUBT_REPLACE)  # The venue has the order for certain.
# A halt waits for no answer: the specification's row 25 forgets the doubts.
HIDDEN = (*PENDING, *DOUBT_KNOWN)
BOOKED_LIVE = (*PENDING, Place.SUSPENDED, *DOUBT_KNOWN)

ROWS: tuple[Row, ...] = (
    Row(1, Kind.SUBMITTED, (P.NOWHERE,), P.RECEIVED, do.create),
    Row(2, Kind.RISK_APPROVED, (P.RECEIVED,), P.APPROVED, do.approve),
    Row(3, Kind.RISK_REJECTED, (P.RECEIVED,), P.REJECTED, do.reject),
    Row(4, Kind.RISK_UNANSWERED, (P.RECEIVED,), Goal.SAME),
    Row(4, Kind.RISK_UNAVAILABLE, (P.RECEIVED,), P.REJECTED, do.reject_without_risk),
    Row(5, Kind.APPROVAL_EXPIRED, (P.APPROVED,), P.RECEIVED, do.validate_again),
    Row(6, Kind.DISPATCHED, (P.APPROVED,), P.SENT, do.send),
    Row(7, Kind.REFUSED, (P.SENT,), P.REJECTED, do.reject),
    Row(8, Kind.UNANSWERED, (P.SENT,), P.DOUBT_NEW, do.doubt),
    Row(9, Kind.ACKNOWLEDGED, (*PENDING_NEW, P.DOUBT_NEW), P.NEW),
    Row(10, Kind.VENUE_REJECTED, (*PENDING_NEW, P.DOUBT_NEW), P.REJECTED, do.reject),
    Row(
        11,
        Kind.PARTLY_TRADED,
        (*PENDING_NEW, *WORKING, P.DOUBT_NEW),
        P.PARTIALLY_FILLED,
        do.book,
    ),
    Row(12, Kind.FULLY_TRADED, LIVE, P.FILLED, do.book),
    Row(13, Kind.PARTLY_TRADED, BOOKED_LIVE, Goal.BENEATH_BY_CUM, do.book),
    Row(
        14,
        Kind.CANCEL_REQUESTED,
        (*WORKING, P.SUSPENDED, P.PENDING_REPLACE),
        P.PENDING_CANCEL,
        do.begin_cancel,
    ),
    Row(15, Kind.CANCEL_REQUESTED, (P.RECEIVED, P.APPROVED), P.CANCELED),
    Row(
        16,
        Kind.CANCEL_REQUESTED,
        (P.SENT, P.DOUBT_NEW, P.DOUBT_REPLACE),
        Goal.SAME,
        do.want_cancel,
    ),
    Row(17, Kind.CANCELED, LIVE, P.CANCELED),
    Row(18, Kind.CANCEL_REJECTED, (P.PENDING_CANCEL, P.DOUBT_CANCEL), Goal.UNCOVERED),
    Row(18, Kind.CANCEL_REJECTED, TERMINAL, Goal.MOOT),  # The fill or the end came first.
    Row(19, Kind.CANCEL_UNANSWERED, (P.PENDING_CANCEL,), P.DOUBT_CANCEL, do.doubt),
    Row(20, Kind.REPLACE_REQUESTED, WORKING, P.PENDING_REPLACE, do.amend),
    Row(21, Kind.REPLACED, (P.PENDING_REPLACE, P.DOUBT_REPLACE), Goal.BY_CUM, do.replace),
    Row(21, Kind.REPLACED, (P.PENDING_CANCEL,), Goal.BENEATH_BY_CUM, do.replace),
    Row(
        22,
        Kind.REPLACE_REJECTED,
        (P.PENDING_REPLACE, P.DOUBT_REPLACE),
        Goal.UNCOVERED,
        do.drop_amendment,
    ),
    Row(22, Kind.REPLACE_REJECTED, (P.PENDING_CANCEL,), Goal.SAME, do.drop_amendment),
    Row(22, Kind.REPLACE_REJECTED, TERMINAL, Goal.MOOT),
    Row(23, Kind.REPLACE_UNANSWERED, (P.PENDING_REPLACE,), P.DOUBT_REPLACE, do.doubt),
    Row(24, Kind.EXPIRED, LIVE, P.EXPIRED),
    Row(25, Kind.SUSPENDED, WORKING, P.SUSPENDED),
    Row(25, Kind.SUSPENDED, HIDDEN, Goal.BENEATH_SUSPENDED),
    Row(25, Kind.RESUMED, (P.SUSPENDED,), Goal.BY_CUM),
    Row(25, Kind.RESUMED, HIDDEN, Goal.BENEATH_BY_CUM),
    Row(26, Kind.NOT_FOUND, (P.DOUBT_NEW,), Goal.GIVEN_UP, do.give_up),
    Row(26, Kind.RESENT, (P.DOUBT_NEW,), Goal.SENT_AGAIN, do.resend),
    Row(27, Kind.PARTLY_TRADED, TERMINAL, Goal.SAME, do.book),
    Row(27, Kind.FULLY_TRADED, TERMINAL, Goal.SAME, do.book),
    Row(28, Kind.BUSTED, WORKING, Goal.BY_CUM, do.take_back),
    Row(28, Kind.BUSTED, BOOKED_LIVE, Goal.BENEATH_BY_CUM, do.take_back),
    Row(28, Kind.BUSTED, (P.FILLED,), Goal.FILLED_STAYS, do.take_back),
    Row(28, Kind.BUSTED, (P.CANCELED, P.REJECTED, P.EXPIRED), Goal.SAME, do.take_back),
    Row(29, Kind.CORRECTED, WORKING, Goal.BY_CUM, do.correct),
    Row(29, Kind.CORRECTED, BOOKED_LIVE, Goal.BENEATH_BY_CUM, do.correct),
    Row(29, Kind.CORRECTED, TERMINAL, Goal.SAME, do.correct),
    Row(30, Kind.STATE_KNOWN, IN_DOUBT, Goal.AS_THE_VENUE_SAYS),
    Row(31, Kind.RESOLVED, IN_DOUBT, Goal.NAMED, do.reject),
    Row(32, Kind.TRIGGERED, (P.NEW,), P.NEW, do.trigger),
    Row(32, Kind.TRIGGERED, BOOKED_LIVE, Goal.SAME, do.trigger),  # It crossed our request.
)

TABLE: Mapping[tuple[Kind, Place], Row] = {
    (row.kind, origin): row for row in ROWS for origin in row.origins
}
