"""What can happen to an order, as the transition table names it."""

from enum import IntEnum
from typing import NamedTuple

from services.orders.states import Amendment, Fill, Place, Reject


class Kind(IntEnum):
    """The events of the transition table; report kinds are what a venue said."""

    SUBMITTED = 1
    RISK_APPROVED = 2
    RISK_REJECTED = 3
    RISK_UNANSWERED = 4
    RISK_UNAVAILABLE = 5  # The order's deadline passed without a decision.
    APPROVAL_EXPIRED = 6
    DISPATCHED = 7
    REFUSED = 8  # Execution said, definitely, that nothing was sent.
    UNANSWERED = 9
    ACKNOWLEDGED = 10
    VENUE_REJECTED = 11
    TRADED = 12  # Becomes one of the next two by what it leaves open.
    PARTLY_TRADED = 13
    FULLY_TRADED = 14
    CANCEL_REQUESTED = 15
    CANCELED = 16
    CANCEL_REJECTED = 17
    CANCEL_UNANSWERED = 18
    REPLACE_REQUESTED = 19
    REPLACED = 20
    REPLACE_REJECTED = 21
    REPLACE_UNANSWERED = 22
    EXPIRED = 23
    SUSPENDED = 24
    RESUMED = 25
    NOT_FOUND = 26  # Definitely unknown at the venue, and no longer wanted.
    RESENT = 27  # Definitely unknown at the venue, validated anew and sent again.
    BUSTED = 28
    CORRECTED = 29
    STATE_KNOWN = 30
    RESOLVED = 31
    TRIGGERED = 32


class Event(NamedTuple):
    """One event with what it carries; fields an event does not need keep their defaults."""

    kind: Kind
    at_ns: int = 0
    fill: Fill | None = None  # TRADED: the execution; CORRECTED: what it is from now on.
    former: Fill | None = None  # BUSTED, CORRECTED: the booked execution, None when unknown.
    amendment: Amendment | None = None  # REPLACE_REQUESTED.
    reject: Reject | None = None
    decision_id: str = ""
    venue_order_id: str = ""
    named: Place = Place.NOWHERE  # STATE_KNOWN, RESOLVED: what the venue or a person says.
    is_amendment_done: bool = False  # STATE_KNOWN: the venue works the new values.
