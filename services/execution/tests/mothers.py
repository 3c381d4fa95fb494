"""Test data of execution: orders that risk approved, valid unless a test says otherwise."""

from typing import Any

from google.type.decimal_pb2 import Decimal
from trading.execution.v1 import execution_pb2 as pb
from trading.types.v1 import order_pb2, risk_pb2
from trading.types.v1.order_pb2 import OrderSpec
from trading.types.v1.risk_pb2 import RiskDecision

from runtime.approval import approval_token
from runtime.digest import digest
from runtime.times import to_timestamp

KEY = b"a key that tests may know, 32 b."
START_NS = 1_700_000_000 * 10**9
LIFETIME_NS = 5 * 10**9
ANA = "ana"


def order(client_order_id: str = "order-1", **changes: Any) -> OrderSpec:
    """Return a limit order to buy 10 ALPHA at 100."""
    fields: dict[str, Any] = {
        "client_order_id": client_order_id,
        "account": ANA,
        "instrument": "ALPHA.XSIM",
        "side": order_pb2.SIDE_BUY,
        "type": order_pb2.ORDER_TYPE_LIMIT,
        "time_in_force": order_pb2.TIME_IN_FORCE_GTC,
        "quantity": Decimal(value="10"),
        "limit_price": Decimal(value="100"),
    }
    return OrderSpec(**(fields | changes))


def approval(
    spec: OrderSpec, now_ns: int, *, decision_id: str = "decision-1", key: bytes = KEY
) -> RiskDecision:
    """Return risk's approval of `spec`, given now."""
    expires_ns = now_ns + LIFETIME_NS
    return RiskDecision(
        decision_id=decision_id,
        subject_id=spec.client_order_id,
        verdict=risk_pb2.RISK_VERDICT_APPROVED,
        approved_quantity=spec.quantity,
        limits_version=1,
        decided_at=to_timestamp(now_ns),
        expires_at=to_timestamp(expires_ns),
        order_digest=digest(spec),
        token=approval_token(key, decision_id, digest(spec), 1, expires_ns),
    )


def start(
    spec: OrderSpec, now_ns: int, *, decision_id: str = "decision-1", epoch: int = 1
) -> pb.StartExecutionRequest:
    """Return the request to execute `spec`, approved now."""
    decision = approval(spec, now_ns, decision_id=decision_id)
    return pb.StartExecutionRequest(order=spec, decision=decision, epoch=epoch)
