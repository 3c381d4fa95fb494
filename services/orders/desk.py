"""What everybody who works on orders shares, and how risk is asked about one."""

from dataclasses import dataclass

from trading.execution.v1.execution_port import ExecutionService
from trading.risk.v1 import risk_pb2 as risk_pb
from trading.risk.v1.risk_port import RiskService
from trading.types.v1 import order_pb2, risk_pb2

from runtime.environment import Environment
from runtime.rpc import Call
from services.orders.limits import Limit
from services.orders.recorder import Recorder
from services.orders.store import Stored
from services.orders.waiting import Waiting

RISK_TIMEOUT_S = 0.3


@dataclass(frozen=True)
class Desk:
    """What everybody who works on orders shares."""

    environment: Environment
    recorder: Recorder
    risk: RiskService
    execution: ExecutionService
    waiting: Waiting


async def ask_risk(
    desk: Desk, stored: Stored, validation: int, limit: Limit
) -> risk_pb2.RiskDecision:
    """Return risk's decision about an order as it would leave; one id for each validation."""
    request = risk_pb.ValidateOrderRequest(
        validation_id=f"{stored.client_order_id}:{validation}",
        order=order_pb2.OrderSpec.FromString(stored.spec),
        epoch=desk.recorder.epoch,
    )
    timeout_s = min(RISK_TIMEOUT_S, max(limit.left_s(desk.environment.clock), 0.001))
    return (await desk.risk.validate_order(request, Call(timeout_s))).decision
