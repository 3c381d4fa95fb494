"""Open orders with their holds as rows, and back."""

from typing import Any

from runtime.atto import from_atto, to_atto
from services.risk.following import Key
from services.risk.orders import Open

Row = dict[str, Any]


def hold_row(key: Key, order: Open | None, now_ns: int) -> Row:
    """Return the row of an open order, or of one that is over."""
    row = {"account": key[0], "client_order_id": key[1], "is_over": order is None}
    order = order or Open(key[1], "", "", 0, 0, 0, 0, 0, 0, 0, 0, since_ns=now_ns)
    replaced = order.replaced_leaves_atto
    return row | {
        "instrument": order.instrument,
        "strategy_id": order.strategy_id,
        "direction": order.direction,
        "leaves": from_atto(order.leaves_atto),
        "opening": from_atto(order.opening_atto),
        "filled": from_atto(order.filled_atto),
        "replaced_leaves": "" if replaced is None else from_atto(replaced),
        "price": from_atto(order.price_atto),
        "worst": from_atto(order.worst_atto),
        "fee_bps": order.fee_bps,
        "opening_minor": order.opening_minor,
        "hold_minor": order.hold_minor,
        "is_reduce_only": order.is_reduce_only,
        "is_in_doubt": order.is_in_doubt,
        "is_confirmed": order.is_confirmed,
        "approved": order.approved,
        "since_ns": order.since_ns,
    }


def open_of(row: Any) -> Open:
    """Return the open order of a row."""
    return Open(
        client_order_id=row.client_order_id,
        instrument=row.instrument,
        strategy_id=row.strategy_id,
        direction=row.direction,
        leaves_atto=to_atto(row.leaves),
        opening_atto=to_atto(row.opening),
        price_atto=to_atto(row.price),
        worst_atto=to_atto(row.worst),
        fee_bps=row.fee_bps,
        opening_minor=row.opening_minor,
        hold_minor=row.hold_minor,
        is_reduce_only=row.is_reduce_only,
        is_in_doubt=row.is_in_doubt,
        replaced_leaves_atto=to_atto(row.replaced_leaves) if row.replaced_leaves else None,
        filled_atto=to_atto(row.filled),
        approved=row.approved,
        since_ns=row.since_ns,
        is_confirmed=row.is_confirmed,
    )
