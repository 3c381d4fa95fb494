"""What orders keeps beside orders: dispatches, signal decisions, cursors, dead letters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

from sqlalchemy import Connection, bindparam, func, insert, select, update

from runtime.stores.new_rows import NewRows
from services.orders import tables as t
from services.orders.store import Key

_OF_ORDER = (
    t.dispatches.c.account == bindparam("of_account"),
    t.dispatches.c.client_order_id == bindparam("of_client_order_id"),
)
_OPEN_DISPATCH = insert(t.dispatches)
_CLOSE_DISPATCH = (
    update(t.dispatches)
    .where(*_OF_ORDER, t.dispatches.c.outcome == "")
    .values(outcome=bindparam("new_outcome"))
)
_LAST_DISPATCH = select(func.max(t.dispatches.c.started_ns)).where(*_OF_ORDER)
_DECISIONS, _DEAD_LETTERS = NewRows(t.signal_decisions), NewRows(t.dead_letters)
_DECIDED_SEQUENCES = select(t.signal_decisions.c.sequence).order_by(t.signal_decisions.c.sequence)
_BURIED_SEQUENCES = select(t.dead_letters.c.sequence)
_FEEDBACK = select(t.feedback_cursors.c.sequence).where(
    t.feedback_cursors.c.subscriber == bindparam("of_subscriber")
)
_ADD_FEEDBACK = insert(t.feedback_cursors)
_MOVE_FEEDBACK = update(t.feedback_cursors).where(
    t.feedback_cursors.c.subscriber == bindparam("of_subscriber")
)
_REPORTS = select(t.report_cursors.c.sequence).where(
    t.report_cursors.c.source == bindparam("of_source")
)
_ADD_REPORTS = insert(t.report_cursors)
_MOVE_REPORTS = update(t.report_cursors).where(t.report_cursors.c.source == bindparam("of_source"))


class Outcome(IntEnum):
    """What became of a signal; the numbers are those of the contract."""

    ORDERED = 1
    REJECTED = 2
    EXPIRED = 3
    IGNORED = 4
    RECORDED = 5


@dataclass(frozen=True, slots=True)
class Decision:
    """One signal's end: an order, or why there is none."""

    signal_id: str
    sequence: int
    strategy_id: str
    outcome: Outcome
    decided_ns: int
    client_order_id: str = ""
    order_id: str = ""
    codes: tuple[str, ...] = ()


Dispatch = tuple[Key, int, int]  # Of an order: which attempt, begun when.


def open_dispatches(tx: Connection, begun: Sequence[Dispatch], epoch: int) -> None:
    """Note, before they are made, that orders are about to be sent (X3)."""
    rows = [
        {
            "account": key[0],
            "client_order_id": key[1],
            "attempt": attempt,
            "epoch": epoch,
            "started_ns": started_ns,
            "outcome": "",
        }
        for key, attempt, started_ns in begun
    ]
    if rows:
        tx.execute(_OPEN_DISPATCH, rows)


def close_dispatches(tx: Connection, outcomes: Mapping[Key, str]) -> None:
    """Note what came of sends that were open; closing what is closed changes nothing."""
    if outcomes:
        rows = [_of(key) | {"new_outcome": outcome} for key, outcome in outcomes.items()]
        tx.execute(_CLOSE_DISPATCH, rows)


def last_dispatch_ns(tx: Connection, key: Key) -> int:
    """Return when the order was last about to be sent; 0 when it never was."""
    return tx.execute(_LAST_DISPATCH, _of(key)).scalar() or 0


def decide(tx: Connection, decision: Decision) -> bool:
    """Keep a decision; returns False, and changes nothing, when the signal was decided before."""
    row = {
        "signal_id": decision.signal_id,
        "sequence": decision.sequence,
        "strategy_id": decision.strategy_id,
        "outcome": int(decision.outcome),
        "client_order_id": decision.client_order_id,
        "order_id": decision.order_id,
        "codes": ",".join(decision.codes),
        "decided_ns": decision.decided_ns,
    }
    return _DECISIONS.add(tx, row)


def settled_sequences(tx: Connection) -> list[int]:
    """Return the sequences of all signals that need no more work, in order."""
    found = [*tx.execute(_DECIDED_SEQUENCES).scalars(), *tx.execute(_BURIED_SEQUENCES).scalars()]
    return sorted(found)


def feedback_cursor(tx: Connection, subscriber: str) -> int:
    """Return the last order event that `subscriber` has for certain."""
    found = tx.execute(_FEEDBACK, {"of_subscriber": subscriber}).scalar()
    if found is None:
        tx.execute(_ADD_FEEDBACK, {"subscriber": subscriber, "sequence": 0})
    return found or 0


def move_feedback(tx: Connection, subscriber: str, sequence: int) -> None:
    """Keep how far `subscriber` is; back, too, when it asks for events again."""
    tx.execute(_MOVE_FEEDBACK, {"of_subscriber": subscriber, "sequence": sequence})


def report_cursor(tx: Connection, source: str) -> int:
    """Return the last report of `source` whose effect is committed."""
    found = tx.execute(_REPORTS, {"of_source": source}).scalar()
    if found is None:
        tx.execute(_ADD_REPORTS, {"source": source, "sequence": 0})
    return found or 0


def move_reports(tx: Connection, source: str, sequence: int) -> None:
    """Keep how far the reports of `source` have taken effect."""
    tx.execute(_MOVE_REPORTS, {"of_source": source, "sequence": sequence})


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An entry of a stream that cannot be handled, and why."""

    event_id: str
    sequence: int
    error: str
    payload: bytes
    buried_ns: int


def bury(tx: Connection, letter: DeadLetter) -> None:
    """Keep a dead letter, once."""
    row = {
        "event_id": letter.event_id,
        "sequence": letter.sequence,
        "error": letter.error,
        "payload": letter.payload,
        "buried_ns": letter.buried_ns,
    }
    _DEAD_LETTERS.add(tx, row)


def _of(key: Key) -> dict[str, str]:
    return {"of_account": key[0], "of_client_order_id": key[1]}
