"""What an order is to the state machine: where it stands and what has been filled.

Quantities, prices and fees are integers of 10^-18 (attos), not lots and ticks: an order that is
off lot or off tick is recorded as it came and refused by risk, so it must be representable.
Source: specification of the pipeline, section 8.
"""

from collections.abc import Mapping
from enum import IntEnum
from typing import Any, NamedTuple

from runtime.money import divide_half_even

SHOWN_PRICE_STEP_ATTO = 10**10  # Average prices are shown to 8 decimals (M5).


class Status(IntEnum):
    """FIX field 39, plus IN_DOUBT, which is ours: the outcome of a message is unknown."""

    PENDING_NEW = 1
    NEW = 2
    PARTIALLY_FILLED = 3
    FILLED = 4
    DONE_FOR_DAY = 5
    CANCELED = 6
    PENDING_CANCEL = 7
    REJECTED = 8
    SUSPENDED = 9
    EXPIRED = 10
    PENDING_REPLACE = 11
    IN_DOUBT = 12


class Stage(IntEnum):
    """How far an order has travelled."""

    RECEIVED = 1
    APPROVED = 2
    SENT = 3
    ACKNOWLEDGED = 4
    DONE = 5


class Doubt(IntEnum):
    """Which message an order in doubt has no answer to."""

    NONE = 1
    NEW = 2
    CANCEL = 3
    REPLACE = 4


class Place(IntEnum):
    """One row or column of the transition table: a shown status with its stage or doubt."""

    NOWHERE = 0  # The order does not exist yet.
    RECEIVED = 1
    APPROVED = 2
    SENT = 3
    NEW = 4
    PARTIALLY_FILLED = 5
    SUSPENDED = 6
    PENDING_CANCEL = 7
    PENDING_REPLACE = 8
    DOUBT_NEW = 9
    DOUBT_CANCEL = 10
    DOUBT_REPLACE = 11
    FILLED = 12
    CANCELED = 13
    REJECTED = 14
    EXPIRED = 15


class Shown(NamedTuple):
    """What the world sees of a place."""

    status: Status
    stage: Stage
    doubt: Doubt = Doubt.NONE


SHOWN: Mapping[Place, Shown] = {
    Place.RECEIVED: Shown(Status.PENDING_NEW, Stage.RECEIVED),
    Place.APPROVED: Shown(Status.PENDING_NEW, Stage.APPROVED),
    Place.SENT: Shown(Status.PENDING_NEW, Stage.SENT),
    Place.NEW: Shown(Status.NEW, Stage.ACKNOWLEDGED),
    Place.PARTIALLY_FILLED: Shown(Status.PARTIALLY_FILLED, Stage.ACKNOWLEDGED),
    Place.SUSPENDED: Shown(Status.SUSPENDED, Stage.ACKNOWLEDGED),
    Place.PENDING_CANCEL: Shown(Status.PENDING_CANCEL, Stage.ACKNOWLEDGED),
    Place.PENDING_REPLACE: Shown(Status.PENDING_REPLACE, Stage.ACKNOWLEDGED),
    Place.DOUBT_NEW: Shown(Status.IN_DOUBT, Stage.SENT, Doubt.NEW),
    Place.DOUBT_CANCEL: Shown(Status.IN_DOUBT, Stage.ACKNOWLEDGED, Doubt.CANCEL),
    Place.DOUBT_REPLACE: Shown(Status.IN_DOUBT, Stage.ACKNOWLEDGED, Doubt.REPLACE),
    Place.FILLED: Shown(Status.FILLED, Stage.DONE),
    Place.CANCELED: Shown(Status.CANCELED, Stage.DONE),
    Place.REJECTED: Shown(Status.REJECTED, Stage.DONE),
    Place.EXPIRED: Shown(Status.EXPIRED, Stage.DONE),
}

PENDING_NEW = (Place.RECEIVED, Place.APPROVED, Place.SENT)
WORKING = (Place.NEW, Place.PARTIALLY_FILLED)
PENDING = (Place.PENDING_CANCEL, Place.PENDING_REPLACE)
IN_DOUBT = (Place.DOUBT_NEW, Place.DOUBT_CANCEL, Place.DOUBT_REPLACE)
TERMINAL = (Place.FILLED, Place.CANCELED, Place.REJECTED, Place.EXPIRED)
FIRST_DOUBT, LAST_DOUBT, FIRST_END = Place.DOUBT_NEW, Place.DOUBT_REPLACE, Place.FILLED
LIVE = (*PENDING_NEW, *WORKING, Place.SUSPENDED, *PENDING, *IN_DOUBT)


class RejectSource(IntEnum):
    """Who refused an order."""

    RISK = 1
    ROUTER = 2
    VENUE = 3


class Reject(NamedTuple):
    """Why an order was refused: stable codes of the risk table, and text for people."""

    source: RejectSource
    codes: tuple[str, ...] = ()
    text: str = ""


class Fill(NamedTuple):
    """One execution as the venue reported it; the fee is negative for a rebate."""

    quantity_atto: int
    price_atto: int
    fee_atto: int = 0


class Amendment(NamedTuple):
    """A replace request that the venue has not answered; None keeps the former value."""

    quantity_atto: int
    limit_price_atto: int | None = None
    stop_price_atto: int | None = None
    request_id: str = ""  # Under which it is sent, and repeated.


class Order(NamedTuple):
    """The state of one order.

    A NamedTuple, not a frozen dataclass: changing fields of it is several times faster, and
    200,000 transitions a second are promised.
    """

    quantity_atto: int
    place: Place = Place.NOWHERE
    working: Place = Place.RECEIVED  # The state underneath while a pending one or a doubt shows.
    cum_atto: int = 0
    cost: int = 0  # Exact sum of price times quantity of the fills, in attos squared.
    fees_atto: int = 0
    version: int = 0  # Counts events; the etag.
    validation: int = 1  # Which validation of risk the approval comes from.
    attempt: int = 0  # How often the order has been sent.
    decision_id: str = ""
    venue_order_id: str = ""
    reject: Reject | None = None
    amendment: Amendment | None = None
    is_cancel_wanted: bool = False
    is_triggered: bool = False
    doubt_since_ns: int = 0
    created_ns: int = 0
    updated_ns: int = 0

    def changed(self, changes: Mapping[str, Any]) -> "Order":
        """Return the order with some fields changed: `_replace`, at a third of its time."""
        values = list(self)
        for name, value in changes.items():
            values[FIELD[name]] = value
        return Order._make(values)

    @property
    def is_terminal(self) -> bool:
        """Whether the order can trade no more; a late trade is booked, but is an anomaly."""
        return self.place >= FIRST_END

    @property
    def is_in_doubt(self) -> bool:
        """Whether the outcome of a message of this order is unknown."""
        return FIRST_DOUBT <= self.place <= LAST_DOUBT

    @property
    def is_cancel_due(self) -> bool:
        """Whether a cancel that had to wait for a doubt can be sent now (row 16)."""
        return self.is_cancel_wanted and Place.NEW <= self.place <= Place.SUSPENDED

    @property
    def leaves_atto(self) -> int:
        """What may still trade: nothing once the order is terminal."""
        return 0 if self.is_terminal else self.quantity_atto - self.cum_atto

    @property
    def average_price_atto(self) -> int:
        """Mean fill price to 8 decimals, half to even, for showing only (M5)."""
        if not self.cum_atto:
            return 0
        steps = divide_half_even(self.cost, self.cum_atto * SHOWN_PRICE_STEP_ATTO)
        return steps * SHOWN_PRICE_STEP_ATTO


FIELD: Mapping[str, int] = {name: index for index, name in enumerate(Order._fields)}
