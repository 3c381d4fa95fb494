"""The gate every order passes before it may be sent: approved just as it is, and lately."""

from trading.execution.v1.execution_pb2 import ExecutionRefusalReason as Reason
from trading.types.v1.order_pb2 import OrderSpec
from trading.types.v1.risk_pb2 import RISK_VERDICT_APPROVED, RiskDecision

from runtime.approval import approval_token, is_approved
from runtime.digest import digest
from runtime.times import to_ns
from services.execution.refusals import ExecutionRefused


def check_approval(key: bytes, order: OrderSpec, decision: RiskDecision, now_ns: int) -> None:
    """Refuse an order that risk has not approved just as it is, or not lately enough (K3)."""
    order_digest = digest(order)
    expires_ns = to_ns(decision.expires_at)
    expected = approval_token(
        key, decision.decision_id, order_digest, decision.limits_version, expires_ns
    )
    if decision.verdict != RISK_VERDICT_APPROVED:
        why = "its decision is no approval"
    elif decision.order_digest != order_digest:
        why = "the approval is of another order"
    elif not is_approved(expected, decision.token):
        why = "the approval's token is not risk's"
    elif now_ns >= expires_ns:
        why = "the approval has expired"
    else:
        return
    raise ExecutionRefused(
        Reason.EXECUTION_REFUSAL_REASON_NOT_APPROVED,
        f"{order.client_order_id} must not be sent: {why}; validate it again",
    )
