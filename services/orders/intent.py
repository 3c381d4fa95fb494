"""An order as it is kept first: before risk or the venue have said anything of it (X1)."""

from trading.types.v1.order_pb2 import OrderSpec

from runtime.digest import digest
from services.orders.states import Order
from services.orders.store import Stored
from services.orders.wire import attos, order_id


def received(spec: OrderSpec, *, deadline_ns: int = 0) -> Stored:
    """Return the intent; from `deadline_ns` of market time on it must not be sent, 0: none."""
    return Stored(
        account=spec.account,
        client_order_id=spec.client_order_id,
        order_id=order_id(spec.account, spec.client_order_id),
        strategy_id=spec.strategy_id,
        instrument=spec.instrument,
        spec=spec.SerializeToString(),
        digest=digest(spec),
        order=Order(attos(spec.quantity)),
        deadline_ns=deadline_ns,
    )
