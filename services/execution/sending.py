"""Sends children that are committed, and keeps what became of a send that failed (X4)."""

from sqlalchemy import Connection
from trading.exchange.v1 import exchange_pb2

from runtime.errors import ServiceError
from runtime.rpc import Call
from services.execution import store
from services.execution.children import Child, refused, unanswered
from services.execution.desk import Desk
from services.execution.doubts import Doubts


async def place(
    desk: Desk, doubts: Doubts, child: Child, message: exchange_pb2.VenueOrder, call: Call
) -> exchange_pb2.PlaceOrderResponse | Child:
    """Return the venue's answer, or the child as it stands after a send without one.

    Its dispatch is committed before; the reports close it.
    """
    try:
        return await desk.link.place(message, call)
    except ServiceError as error:
        return await _not_placed(desk, doubts, child, error)


async def _not_placed(desk: Desk, doubts: Doubts, child: Child, error: ServiceError) -> Child:
    """Keep the doubt, or the venue's definite refusal."""
    key = (child.account, child.child_order_id)
    reason = error.reason or error.code.name

    def keep(tx: Connection) -> Child:
        now = store.load_child(tx, key)
        assert now is not None, "the intent was committed"
        after = refused(now, reason) if error.definite else unanswered(now)
        if after is not now:
            desk.keep_children(tx, [after])
            if not after.is_unsettled:
                store.close_dispatches(tx, [after], desk.now_ns())
        return after

    try:
        return await desk.environment.database.write(keep)
    finally:
        if not error.definite:  # Also when the store fails: the dispatch is still open.
            doubts.watch(key)
