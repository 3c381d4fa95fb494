"""What VALIDATE had held is given back, also by a platform that still gets over it."""

import asyncio
from typing import Any

from trading.risk.v1 import risk_pb2 as pb
from trading.types.v1 import risk_pb2 as types

from loadtests.traffic.validate import ORDERS_EACH, Validate
from runtime.load.meter import Notes
from runtime.load.plan import Gate, Plan, Profile, Target

OF = Profile("VALIDATE", "an order", 500.0, (Gate("held", 100.0),), "validate:Validate")
RELEASE_S = 0.06  # As long as it was seen to take after 1,000 orders a second.


class Risk:
    """Every service in one: approves at once, gives back slowly."""

    def __init__(self) -> None:
        self.plan = Plan(OF, Target({}))
        self.released: set[str] = set()

    def port(self, port: type[Any], caller: str) -> Any:
        return self

    async def validate_order(self, request: pb.ValidateOrderRequest) -> pb.ValidateOrderResponse:
        decision = types.RiskDecision(verdict=types.RISK_VERDICT_APPROVED)
        return pb.ValidateOrderResponse(decision=decision)

    async def release_order(self, request: pb.ReleaseOrderRequest) -> pb.ReleaseOrderResponse:
        await asyncio.sleep(RELEASE_S)
        self.released.add(request.client_order_id)
        return pb.ReleaseOrderResponse()


async def test_every_hold_is_given_back_by_a_platform_that_is_slow_to_do_so() -> None:
    risk = Risk()
    traffic = Validate(risk, Notes(asyncio.get_running_loop().time))
    count = 50 * ORDERS_EACH
    for number in range(count):
        await traffic.send(number, 0.0)
    assert (await traffic.finish()).unresolved == 0
    assert len(risk.released) == count
