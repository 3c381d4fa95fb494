"""What execution knows of one order at a venue, and how that changes.

Quantities are in attos, times in nanoseconds. Source: specification of the pipeline,
sections 3.1 (X2 to X7) and 9.
"""

from dataclasses import dataclass, replace
from enum import Enum

NS_PER_S = 1_000_000_000
SETTLE_NS = 2 * NS_PER_S  # At least twice as long as a message may be on its way (X6).
AGREE_NS = NS_PER_S  # Two queries this far apart must agree.


class Status(Enum):
    """Where a child stands, as far as execution knows."""

    PENDING_NEW = "PENDING_NEW"  # A send is committed; its outcome is not.
    IN_DOUBT = "IN_DOUBT"  # A send had no answer.
    NEW = "NEW"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    SUSPENDED = "SUSPENDED"
    REFUSED = "REFUSED"  # The venue answered that it did not take it, and made no report.
    NOT_ACCEPTED = "NOT_ACCEPTED"  # The venue does not have it and never will.


UNSETTLED = frozenset({Status.PENDING_NEW, Status.IN_DOUBT})
WORKING = frozenset({Status.NEW, Status.PARTIALLY_FILLED, Status.SUSPENDED})


@dataclass(frozen=True, slots=True)
class Child:
    """One order at a venue. Its name there never changes, however often it is sent."""

    account: str
    child_order_id: str
    client_order_id: str  # The parent.
    venue: str
    quantity_atto: int
    status: Status = Status.PENDING_NEW
    filled_atto: int = 0
    leaves_atto: int = 0
    venue_order_id: str = ""
    attempts: int = 0
    sent_ns: int = 0
    absent_since_ns: int = 0  # When a query first did not find it; 0: none since the last send.
    venue_sequence: int = 0  # The account's report up to which everything is applied.
    refusal: str = ""  # REFUSED: the venue's reason.
    number: int = 0  # Of an algorithm's child, from 1; the fields below are of such ones too.
    slice: int = 0
    meeting: str = ""
    price_ticks: int = 0
    target_lots: int = 0  # Most that its parent may have filled and open after this child.
    market_lots: int = 0  # POV: the market's volume when it was sent.

    @property
    def is_unsettled(self) -> bool:
        """Whether nobody knows if the venue has it."""
        return self.status in UNSETTLED

    @property
    def is_direct(self) -> bool:
        """Whether it is the only child of its parent, under the parent's own name."""
        return self.number == 0

    @property
    def is_open(self) -> bool:
        """Whether it may still trade, as far as anybody knows."""
        return self.status in UNSETTLED or self.status in WORKING

    @property
    def is_working(self) -> bool:
        """Whether the venue has it and it may still trade."""
        return self.status in WORKING


@dataclass(frozen=True, slots=True)
class Fact:
    """What a venue says of an order: where it stands after a report."""

    venue_sequence: int
    status: Status
    filled_atto: int
    leaves_atto: int
    venue_order_id: str
    quantity_atto: int = 0  # 0: not stated, as it was.


@dataclass(frozen=True, slots=True)
class Split:
    """Where a parent's quantity is; the parts add up to it while the parent lives."""

    filled_atto: int
    working_atto: int
    doubtful_atto: int
    unscheduled_atto: int


def sent(child: Child, now_ns: int) -> Child:
    """Return `child` about to be sent, for the first time or again."""
    return replace(
        child,
        status=Status.PENDING_NEW,
        leaves_atto=child.quantity_atto,
        attempts=child.attempts + 1,
        sent_ns=now_ns,
        absent_since_ns=0,
    )


def unanswered(child: Child) -> Child:
    """Return `child` in doubt, unless the venue has spoken meanwhile (X4)."""
    if child.status is not Status.PENDING_NEW:
        return child
    return replace(child, status=Status.IN_DOUBT)


def refused(child: Child, reason: str) -> Child:
    """Return `child` ended by a definite error: the venue did not take it."""
    if not child.is_unsettled:
        return child
    return replace(child, status=Status.REFUSED, leaves_atto=0, refusal=reason)


def told(child: Child, fact: Fact) -> Child:
    """Return `child` after a fact; one that is older than what is known changes nothing."""
    if fact.venue_sequence <= child.venue_sequence:
        return child
    return replace(
        child,
        quantity_atto=fact.quantity_atto or child.quantity_atto,
        status=fact.status,
        filled_atto=fact.filled_atto,
        leaves_atto=fact.leaves_atto,
        venue_order_id=fact.venue_order_id or child.venue_order_id,
        venue_sequence=fact.venue_sequence,
        absent_since_ns=0,
    )


def not_found(child: Child, now_ns: int) -> Child:
    """Return `child` after a query that did not find it.

    It is certain that the venue never accepted it once the settle delay has passed since the
    last send and two queries, far enough apart, agree (X6).
    """
    if not child.is_unsettled:
        return child
    first_ns = child.absent_since_ns or now_ns
    is_certain = now_ns - child.sent_ns >= SETTLE_NS and now_ns - first_ns >= AGREE_NS
    if is_certain:
        return replace(child, status=Status.NOT_ACCEPTED, leaves_atto=0, absent_since_ns=first_ns)
    return replace(child, absent_since_ns=first_ns)


def split(quantity_atto: int, children: list[Child], *, is_ended: bool) -> Split:
    """Return where a parent's quantity is: filled + working + doubtful + unscheduled."""
    filled = sum(child.filled_atto for child in children)
    working = sum(child.leaves_atto for child in children if child.is_working)
    doubtful = sum(child.leaves_atto for child in children if child.is_unsettled)
    rest = 0 if is_ended else quantity_atto - filled - working - doubtful
    return Split(filled, working, doubtful, rest)
