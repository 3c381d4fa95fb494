"""What orders keeps: rows to domain values and back, one statement per function."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, insert, select, update

from runtime.atto import from_atto, to_atto
from runtime.stores import StoreConflict
from runtime.stores.new_rows import NewRows
from services.orders import tables as t
from services.orders.states import (
    FIRST_END,
    Amendment,
    Order,
    Place,
    Reject,
    RejectSource,
)

PLACES = tuple(Place)  # By number: a lookup in the Enum class costs several times more.


@dataclass(frozen=True, slots=True)
class Stored:
    """An order as it is kept: its state, and what the state machine does not look at."""

    account: str
    client_order_id: str
    order_id: str
    strategy_id: str
    instrument: str
    spec: bytes  # OrderSpec, with all replacements so far.
    digest: bytes  # Of the order as it was submitted.
    order: Order
    decision: bytes = b""  # RiskDecision; empty before there is one.
    currency: str = ""
    pending_request_id: str = ""
    deadline_ns: int = 0  # From this instant of market time it must not be sent; 0: none.
    number: int = 0  # Counts orders as they are accepted; 0 before it is stored.
    kept: "Kept" = field(default=(0, 0), compare=False)  # What it must still be when it changes.

    @property
    def key(self) -> "Key":
        """What names the order everywhere."""
        return (self.account, self.client_order_id)


Key = tuple[str, str]  # Account and client_order_id.
Kept = tuple[int, int]  # Version and validation in the table: no change leaves both as they are.

_SELECT = select(t.orders)
_BY_KEY = _SELECT.where(
    t.orders.c.account == bindparam("account"),
    t.orders.c.client_order_id == bindparam("client_order_id"),
)
_BY_CLIENT_ORDER_IDS = _SELECT.where(
    t.orders.c.client_order_id.in_(bindparam("client_order_ids", expanding=True))
)
_BY_ORDER_ID = _SELECT.where(t.orders.c.order_id == bindparam("order_id"))
_LIVE = _SELECT.where(t.orders.c.place < int(FIRST_END))  # Sorted here: no index can do both.
_LIVE_OF = _LIVE.where(t.orders.c.account == bindparam("of_account"))
_NEXT_ACCOUNT = select(func.min(t.orders.c.account)).where(t.orders.c.account > bindparam("last"))
_NEW = NewRows(t.orders)
_UPDATE = update(t.orders).where(
    t.orders.c.number == bindparam("of_number"),
    t.orders.c.version == bindparam("kept_version"),
    t.orders.c.validation == bindparam("kept_validation"),
)
_LAST_EVENT = select(func.max(t.order_events.c.sequence))
_INSERT_EVENTS = insert(t.order_events)
_EVENTS_AFTER = (
    select(t.order_events.c.sequence, t.order_events.c.payload)
    .where(t.order_events.c.sequence > bindparam("after"))
    .order_by(t.order_events.c.sequence)
    .limit(bindparam("count"))
)


def load(tx: Connection, key: Key) -> Stored | None:
    """Return the order of an account and client_order_id."""
    row = tx.execute(_BY_KEY, {"account": key[0], "client_order_id": key[1]}).first()
    return stored_of(row) if row else None


def load_many(tx: Connection, client_order_ids: Sequence[str]) -> list[Stored]:
    """Return the orders of these ids, of any account."""
    rows = tx.execute(_BY_CLIENT_ORDER_IDS, {"client_order_ids": list(client_order_ids)})
    return [stored_of(row) for row in rows]


def load_by_order_id(tx: Connection, order_id: str) -> Stored | None:
    """Return the order of this platform's name."""
    row = tx.execute(_BY_ORDER_ID, {"order_id": order_id}).first()
    return stored_of(row) if row else None


def load_live(tx: Connection) -> list[Stored]:
    """Return every order that has not ended, oldest first."""
    return _oldest_first(tx.execute(_LIVE))


def load_live_of(tx: Connection, account: str) -> list[Stored]:
    """Return every order of an account that has not ended, oldest first."""
    return _oldest_first(tx.execute(_LIVE_OF, {"of_account": account}))


def accounts(tx: Connection) -> list[str]:
    """Return every account that ever had an order, by name."""
    found: list[str] = []  # One seek for each account: DISTINCT would read all of the index.
    while name := tx.execute(_NEXT_ACCOUNT, {"last": found[-1] if found else ""}).scalar():
        found.append(name)
    return found


def insert_order(tx: Connection, stored: Stored) -> int | None:
    """Keep a new order; returns its number, None, and changes nothing, when it is there."""
    fixed = {
        "account": stored.account,
        "client_order_id": stored.client_order_id,
        "order_id": stored.order_id,
        "strategy_id": stored.strategy_id,
        "instrument": stored.instrument,
        "digest": stored.digest,
        "deadline_ns": stored.deadline_ns,
    }
    return _NEW.number(tx, fixed | _changing(stored))


def update_orders(tx: Connection, changed: Sequence[Stored]) -> None:
    """Keep what has changed of orders that are there.

    Raises StoreConflict when another writer has changed one of them since it was read (S2).
    """
    if not changed:
        return
    found = tx.execute(_UPDATE, [_condition(s) | _changing(s) for s in changed]).rowcount
    if found != len(changed):
        raise StoreConflict(
            f"{len(changed) - found} of {len(changed)} orders were changed by another writer: "
            "nothing was committed; read them again"
        )


def last_event(tx: Connection) -> int:
    """Return the sequence of the newest order event, 0 before the first."""
    return tx.execute(_LAST_EVENT).scalar() or 0


def insert_events(tx: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep order events: sequence, account, client_order_id, payload."""
    if rows:
        tx.execute(_INSERT_EVENTS, rows)


def events_after(tx: Connection, after: int, count: int) -> list[tuple[int, bytes]]:
    """Return sequence and payload of the next order events, in order."""
    return [(row[0], row[1]) for row in tx.execute(_EVENTS_AFTER, {"after": after, "count": count})]


def _oldest_first(rows: Iterable[Row[Any]]) -> list[Stored]:
    return sorted(map(stored_of, rows), key=attrgetter("number"))


def _condition(stored: Stored) -> dict[str, Any]:
    version, validation = stored.kept
    return {"of_number": stored.number, "kept_version": version, "kept_validation": validation}


def _changing(stored: Stored) -> dict[str, Any]:
    order = stored.order
    return {
        "spec": stored.spec,
        "decision": stored.decision,
        "currency": stored.currency,
        "pending_request_id": stored.pending_request_id,
        "place": int(order.place),
        "working": int(order.working),
        "quantity": from_atto(order.quantity_atto),
        "cum": from_atto(order.cum_atto),
        "cost": str(order.cost),
        "fees": from_atto(order.fees_atto),
        "version": order.version,
        "validation": order.validation,
        "attempt": order.attempt,
        "decision_id": order.decision_id,
        "venue_order_id": order.venue_order_id,
        "reject": _json(order.reject),
        "amendment": _json(order.amendment),
        "is_cancel_wanted": int(order.is_cancel_wanted),
        "is_triggered": int(order.is_triggered),
        "doubt_since_ns": order.doubt_since_ns,
        "created_ns": order.created_ns,
        "updated_ns": order.updated_ns,
    }


def stored_of(row: Row[Any]) -> Stored:
    """Return the order that a row of the table is."""
    order = Order(
        quantity_atto=to_atto(row.quantity),
        place=PLACES[row.place],
        working=PLACES[row.working],
        cum_atto=to_atto(row.cum),
        cost=int(row.cost),
        fees_atto=to_atto(row.fees),
        version=row.version,
        validation=row.validation,
        attempt=row.attempt,
        decision_id=row.decision_id,
        venue_order_id=row.venue_order_id,
        reject=_reject(row.reject),
        amendment=Amendment(*json.loads(row.amendment)) if row.amendment else None,
        is_cancel_wanted=bool(row.is_cancel_wanted),
        is_triggered=bool(row.is_triggered),
        doubt_since_ns=row.doubt_since_ns,
        created_ns=row.created_ns,
        updated_ns=row.updated_ns,
    )
    return Stored(
        account=row.account,
        client_order_id=row.client_order_id,
        order_id=row.order_id,
        strategy_id=row.strategy_id,
        instrument=row.instrument,
        spec=row.spec,
        digest=row.digest,
        order=order,
        decision=row.decision,
        currency=row.currency,
        pending_request_id=row.pending_request_id,
        deadline_ns=row.deadline_ns,
        number=row.number,
        kept=(row.version, row.validation),
    )


def _json(value: Reject | Amendment | None) -> str | None:
    return None if value is None else json.dumps(value)


def _reject(text: str | None) -> Reject | None:
    if text is None:
        return None
    source, codes, words = json.loads(text)
    return Reject(RejectSource(source), tuple(codes), words)
