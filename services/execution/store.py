"""What execution keeps: rows to domain values and back, one statement per function."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from runtime.stores.new_rows import NewRows
from services.execution import tables as t
from services.execution.children import UNSETTLED, WORKING, Child, Status

Key = tuple[str, str]  # Account, and client_order_id or child_order_id.


@dataclass(frozen=True, slots=True)
class Parent:
    """An approved order as it came."""

    account: str
    client_order_id: str
    execution_id: str
    spec: bytes  # OrderSpec.
    digest: bytes
    decision_id: str
    is_cancel_wanted: bool
    created_ns: int


@dataclass(frozen=True, slots=True)
class Replacement:
    """Another quantity or limit of an order, as it was asked for; empty: unchanged."""

    account: str
    client_order_id: str
    request_id: str
    quantity: str
    limit_price: str


_PARENT = select(t.parents).where(
    t.parents.c.account == bindparam("account"),
    t.parents.c.client_order_id == bindparam("client_order_id"),
)
_UPDATE_PARENT = update(t.parents).where(
    t.parents.c.account == bindparam("of_account"),
    t.parents.c.client_order_id == bindparam("of_id"),
)
_INSERT_PARENT = insert(t.parents)
_CHILD = select(t.children).where(
    t.children.c.account == bindparam("account"),
    t.children.c.child_order_id == bindparam("child_order_id"),
)
_CHILDREN_OF = (
    select(t.children)
    .where(
        t.children.c.account == bindparam("account"),
        t.children.c.client_order_id == bindparam("client_order_id"),
    )
    .order_by(t.children.c.number)
)
_OPEN_CHILDREN_OF = _CHILDREN_OF.where(
    t.children.c.status.in_(sorted(status.value for status in UNSETTLED | WORKING))
)
_OPEN_ACCOUNTS = (
    select(t.children.c.account)
    .where(t.children.c.status.in_(sorted(status.value for status in UNSETTLED | WORKING)))
    .distinct()
    .order_by(t.children.c.account)
)
_CHILDREN_NAMED = select(t.children).where(  # Both, because the key begins with the account.
    t.children.c.account.in_(bindparam("accounts", expanding=True)),
    t.children.c.child_order_id.in_(bindparam("ids", expanding=True)),
)
_UNSETTLED = (
    select(t.children)
    .where(t.children.c.status.in_(sorted(status.value for status in UNSETTLED)))
    .order_by(t.children.c.sent_ns, t.children.c.account, t.children.c.child_order_id)
)
_INSERT_CHILD = insert(t.children)
_UPDATE_CHILD = update(t.children).where(
    t.children.c.account == bindparam("of_account"),
    t.children.c.child_order_id == bindparam("of_id"),
)
_REPLACEMENTS = NewRows(t.replacements)
_INSERT_DISPATCH = insert(t.dispatches)
_CLOSE_DISPATCH = update(t.dispatches).where(
    t.dispatches.c.account == bindparam("of_account"),
    t.dispatches.c.child_order_id == bindparam("of_id"),
    t.dispatches.c.closed_ns.is_(None),
)


def load_parent(tx: Connection, key: Key) -> Parent | None:
    """Return the order of an account and client_order_id."""
    row = tx.execute(_PARENT, {"account": key[0], "client_order_id": key[1]}).mappings().first()
    if row is None:
        return None
    return Parent(**{**row, "is_cancel_wanted": bool(row["is_cancel_wanted"])})


def insert_parent(tx: Connection, parent: Parent) -> None:
    """Keep a new order."""
    tx.execute(
        _INSERT_PARENT,
        {
            "account": parent.account,
            "client_order_id": parent.client_order_id,
            "execution_id": parent.execution_id,
            "spec": parent.spec,
            "digest": parent.digest,
            "decision_id": parent.decision_id,
            "is_cancel_wanted": int(parent.is_cancel_wanted),
            "created_ns": parent.created_ns,
        },
    )


def update_parent(tx: Connection, key: Key, **changes: Any) -> None:
    """Change fields of an order that is there."""
    tx.execute(_UPDATE_PARENT.values(**changes), {"of_account": key[0], "of_id": key[1]})


def load_child(tx: Connection, key: Key) -> Child | None:
    """Return the child of that name."""
    row = tx.execute(_CHILD, {"account": key[0], "child_order_id": key[1]}).first()
    return _child(row) if row else None


def load_children_of(tx: Connection, parent: Key) -> list[Child]:
    """Return a parent's children in the order of sending."""
    rows = tx.execute(_CHILDREN_OF, {"account": parent[0], "client_order_id": parent[1]})
    return [_child(row) for row in rows]


def load_open_children_of(tx: Connection, parent: Key) -> list[Child]:
    """Return those children of a parent that may still trade, in the order of sending."""
    named = {"account": parent[0], "client_order_id": parent[1]}
    return [_child(row) for row in tx.execute(_OPEN_CHILDREN_OF, named)]


def accounts_with_open_children(tx: Connection) -> list[str]:
    """Return the accounts of which something may still trade."""
    return list(tx.execute(_OPEN_ACCOUNTS).scalars())


def load_children(tx: Connection, keys: Sequence[Key]) -> dict[Key, Child]:
    """Return those of the named children that exist."""
    if len(keys) == 1:
        child = load_child(tx, keys[0])
        return {keys[0]: child} if child else {}
    accounts, ids = (sorted(set(names)) for names in zip(*keys, strict=True)) if keys else ([], [])
    rows = tx.execute(_CHILDREN_NAMED, {"accounts": accounts, "ids": ids})
    found = {(row.account, row.child_order_id): _child(row) for row in rows}
    return {key: found[key] for key in keys if key in found}


def load_unsettled(tx: Connection) -> list[Child]:
    """Return every child of which nobody knows whether the venue has it, oldest first."""
    return [_child(row) for row in tx.execute(_UNSETTLED)]


def insert_child(tx: Connection, child: Child) -> None:
    """Keep a new child."""
    fixed: dict[str, Any] = {
        "account": child.account,
        "child_order_id": child.child_order_id,
        "client_order_id": child.client_order_id,
        "venue": child.venue,
        "number": child.number,
        "slice": child.slice,
        "meeting": child.meeting,
        "price_ticks": child.price_ticks,
        "target_lots": child.target_lots,
        "market_lots": child.market_lots,
    }
    tx.execute(_INSERT_CHILD, fixed | _changing(child))


def update_children(tx: Connection, children: Sequence[Child]) -> None:
    """Keep what has changed of children that are there."""
    if children:
        rows = [
            {"of_account": child.account, "of_id": child.child_order_id, **_changing(child)}
            for child in children
        ]
        tx.execute(_UPDATE_CHILD, rows)


def open_dispatch(tx: Connection, child: Child, epoch: int, decision_id: str) -> None:
    """Note that a child is about to be sent (X3)."""
    tx.execute(
        _INSERT_DISPATCH,
        {
            "account": child.account,
            "child_order_id": child.child_order_id,
            "attempt": child.attempts,
            "epoch": epoch,
            "decision_id": decision_id,
            "started_ns": child.sent_ns,
        },
    )


def keep_replacement(tx: Connection, wanted: Replacement, now_ns: int) -> None:
    """Note that a child is about to be replaced; a repeat of the request changes nothing."""
    _REPLACEMENTS.add(tx, {**asdict(wanted), "sent_ns": now_ns})


def close_dispatches(tx: Connection, children: Sequence[Child], now_ns: int) -> None:
    """Note the outcome of the last sends of children: where they stand now."""
    if children:
        rows = [
            {
                "of_account": child.account,
                "of_id": child.child_order_id,
                "closed_ns": now_ns,
                "outcome": child.status.value,
            }
            for child in children
        ]
        tx.execute(_CLOSE_DISPATCH, rows)


def _changing(child: Child) -> dict[str, Any]:
    return {
        "quantity": str(child.quantity_atto),
        "status": child.status.value,
        "filled": str(child.filled_atto),
        "leaves": str(child.leaves_atto),
        "venue_order_id": child.venue_order_id,
        "attempts": child.attempts,
        "sent_ns": child.sent_ns,
        "absent_since_ns": child.absent_since_ns,
        "venue_sequence": child.venue_sequence,
        "refusal": child.refusal,
    }


def _child(row: Row[Any]) -> Child:
    return Child(
        account=row.account,
        child_order_id=row.child_order_id,
        client_order_id=row.client_order_id,
        venue=row.venue,
        quantity_atto=int(row.quantity),
        status=Status(row.status),
        filled_atto=int(row.filled),
        leaves_atto=int(row.leaves),
        venue_order_id=row.venue_order_id,
        attempts=row.attempts,
        sent_ns=row.sent_ns,
        absent_since_ns=row.absent_since_ns,
        venue_sequence=row.venue_sequence,
        refusal=row.refusal,
        number=row.number,
        slice=row.slice,
        meeting=row.meeting,
        price_ticks=row.price_ticks,
        target_lots=row.target_lots,
        market_lots=row.market_lots,
    )
