"""The inbox of reports: each venue's report once, and what its fill amounts to by now."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select, update

from runtime.atto import from_atto, to_atto
from runtime.stores.new_rows import NewRows
from services.orders.states import Fill
from services.orders.store import Key
from services.orders.tables import executions as table

NO_FILL = Fill(0, 0)


@dataclass(frozen=True, slots=True)
class Execution:
    """A report as it is kept; its fill is empty unless it traded and still holds."""

    venue: str
    exec_id: str
    key: Key
    exec_ref_id: str
    fill: Fill
    digest: bytes
    payload: bytes = b""


_NAMED = (table.c.venue == bindparam("of_venue"), table.c.exec_id == bindparam("of_exec_id"))
_FIND = select(table).where(*_NAMED)
_NEW = NewRows(table)
_SET_FILL = update(table).where(*_NAMED)


def add(tx: Connection, new: Execution) -> bool:
    """Keep a report; returns False, and changes nothing, when one of its name is there."""
    row = {
        "venue": new.venue,
        "exec_id": new.exec_id,
        "account": new.key[0],
        "client_order_id": new.key[1],
        "exec_ref_id": new.exec_ref_id,
        "digest": new.digest,
        "payload": new.payload,
    }
    return _NEW.add(tx, row | _columns(new.fill))


def find(tx: Connection, venue: str, exec_id: str) -> Execution | None:
    """Return the report of this name, if it was seen."""
    row = tx.execute(_FIND, {"of_venue": venue, "of_exec_id": exec_id}).first()
    return _execution(row) if row else None


def referred(tx: Connection, venue: str, exec_id: str) -> Execution | None:
    """Return the trade that a bust or correction means, also when it names a correction of it."""
    found = find(tx, venue, exec_id)
    while found and found.exec_ref_id:
        found = find(tx, venue, found.exec_ref_id)
    return found


def set_fill(tx: Connection, trade: Execution, fill: Fill) -> None:
    """Keep what a trade amounts to after a bust (nothing) or a correction."""
    named = {"of_venue": trade.venue, "of_exec_id": trade.exec_id}
    tx.execute(_SET_FILL, named | _columns(fill))


def _columns(fill: Fill) -> dict[str, str]:
    return {
        "quantity": from_atto(fill.quantity_atto),
        "price": from_atto(fill.price_atto),
        "fee": from_atto(fill.fee_atto),
    }


def _execution(row: Row[Any]) -> Execution:
    return Execution(
        venue=row.venue,
        exec_id=row.exec_id,
        key=(row.account, row.client_order_id),
        exec_ref_id=row.exec_ref_id,
        fill=Fill(to_atto(row.quantity), to_atto(row.price), to_atto(row.fee)),
        digest=row.digest,
        payload=row.payload,
    )
