"""Steps of execution: approved orders are sent, others are not, unanswered ones are in doubt."""

from dataclasses import dataclass

import pytest
from pytest_bdd import scenarios
from pytest_bdd.parsers import parse
from trading.execution.v1 import execution_pb2 as pb
from trading.execution.v1.execution_port import ExecutionService
from trading.orders.v1.orders_pb2 import CancelOrderRequest
from trading.risk.v1.risk_pb2 import ValidateOrderRequest
from trading.risk.v1.risk_port import RiskService
from trading.types.v1.order_pb2 import ORDER_STATUS_IN_DOUBT, OrderSpec, OrderStatus
from trading.types.v1.risk_pb2 import (
    RISK_VERDICT_APPROVED,
    RISK_VERDICT_REJECTED,
    RiskDecision,
    RiskVerdict,
)

from features.bdd import given, then, when
from fixtures import dealing
from fixtures.principals import service
from fixtures.repeating import until_definite
from fixtures.stage import Stage
from runtime.errors import ServiceError
from runtime.times import NS_PER_S

SYMBOL = "SQ00.XSIM"
EPOCH = 1  # The orders service's at its first start: the scenarios speak in its name.
ORDERS = service("orders")

scenarios("execution")


@dataclass(frozen=True)
class Decided:
    """An order and what risk decided about it."""

    order: OrderSpec
    decision: RiskDecision


@given(parse('the price of "{symbol}" is {price}'))
async def close_at(stage: Stage, symbol: str, price: str) -> None:
    await stage.close_bar(symbol, price)


@given(parse("risk has approved an order for {quantity:d}"), target_fixture="decided")
async def approve(stage: Stage, quantity: int) -> Decided:
    return await decided_on(stage, new_order(stage, quantity), RISK_VERDICT_APPROVED)


@given(parse("risk has rejected an order for {quantity:d}"), target_fixture="decided")
async def reject(stage: Stage, quantity: int) -> Decided:
    return await decided_on(stage, new_order(stage, quantity), RISK_VERDICT_REJECTED)


@given("the venue answers nothing")
async def answer_nothing(stage: Stage) -> None:
    await stage.misbehave("OUTAGE")


@given("the next order does not reach the venue")
async def lose_order(stage: Stage) -> None:
    await stage.misbehave("OUTAGE", methods=["PlaceOrder"], firings_max=1)


@given(parse("Ana has ordered {quantity:d} and is in doubt"), target_fixture="order")
async def is_in_doubt(stage: Stage, quantity: int) -> OrderSpec:
    order = new_order(stage, quantity)
    assert (await dealing.submit(stage, order)).status == ORDER_STATUS_IN_DOUBT
    return order


@when("execution is handed that order with its approval")
async def hand_over(stage: Stage, decided: Decided) -> None:
    await until_definite(lambda: start(stage, decided.order, decided.decision))


@when("execution is handed that order with its decision", target_fixture="refused")
async def hand_over_rejected(stage: Stage, decided: Decided) -> ServiceError:
    return await refused_start(stage, decided.order, decided.decision)


@when("execution is handed another order with that approval", target_fixture="refused")
async def hand_over_another(stage: Stage, decided: Decided) -> ServiceError:
    return await refused_start(stage, new_order(stage, 5), decided.decision)


@when("execution is handed that order a minute later", target_fixture="refused")
async def hand_over_later(stage: Stage, decided: Decided) -> ServiceError:
    await stage.system.time.skip_to(stage.system.clock.now_ns() + 60 * NS_PER_S)
    return await refused_start(stage, decided.order, decided.decision)


@when("execution is handed that order with an approval risk did not sign", target_fixture="refused")
async def hand_over_forged(stage: Stage, decided: Decided) -> ServiceError:
    forged = RiskDecision()
    forged.CopyFrom(decided.decision)
    forged.token = bytes(len(decided.decision.token))
    return await refused_start(stage, decided.order, forged)


@when("execution is handed her order again with a new approval", target_fixture="refused")
async def hand_over_again(stage: Stage, order: OrderSpec) -> ServiceError:
    decided = await decided_on(stage, order, RISK_VERDICT_APPROVED, version=2)
    return await refused_start(stage, order, decided.decision)


@when("Ana cancels her order")
async def cancel(stage: Stage, order: OrderSpec) -> None:
    request = CancelOrderRequest(
        client_order_id=order.client_order_id, request_id=stage.request_id()
    )
    await stage.orders.cancel_order(request)


@then(parse("it refuses what is {reason}"))
def refuses(refused: ServiceError, reason: str) -> None:
    assert refused.reason == reason


@then("it is sent once")
async def is_sent(stage: Stage) -> None:
    assert len(await dealing.venue_orders(stage)) == 1


@then("nothing is sent")
async def nothing_is_sent(stage: Stage) -> None:
    assert not await dealing.venue_orders(stage)


@then(parse("her order comes to rest as {status}"))
async def rests_as(stage: Stage, order: OrderSpec, status: str) -> None:
    await stage.system.settle()
    found = await dealing.order_of(stage, order.client_order_id)
    assert OrderStatus.Name(found.status) == f"ORDER_STATUS_{status}"


@then(parse("{quantity:d} of her order are doubtful, in one child sent {times:d} time"))
async def is_doubtful(stage: Stage, order: OrderSpec, quantity: int, times: int) -> None:
    execution = await execution_of(stage, order)
    assert (execution.doubtful.value, execution.unscheduled.value) == (str(quantity), "0")
    assert [child.attempts for child in execution.children] == [times]


@then(
    parse(
        "once the venue answers, {quantity:d} of her order are working, "
        "in one child sent {times:d} times"
    )
)
async def is_working(stage: Stage, order: OrderSpec, quantity: int, times: int) -> None:
    await stage.behave()
    await stage.system.settle()
    execution = await execution_of(stage, order)
    assert (execution.working.value, execution.doubtful.value) == (str(quantity), "0")
    assert [child.attempts for child in execution.children] == [times]


# What steps do, where it takes more than a line.


def new_order(stage: Stage, quantity: int) -> OrderSpec:
    return dealing.signed_order(SYMBOL, quantity, client_order_id=stage.request_id())


async def decided_on(
    stage: Stage, order: OrderSpec, verdict: RiskVerdict.ValueType, version: int = 1
) -> Decided:
    """Return what risk decides about an order; it must be `verdict`."""
    request = ValidateOrderRequest(
        validation_id=f"{order.client_order_id}:{version}", order=order, epoch=EPOCH
    )
    risk = stage.system.client(RiskService, ORDERS)
    answer = await until_definite(lambda: risk.validate_order(request))
    assert answer.decision.verdict == verdict, answer
    return Decided(order, answer.decision)


async def start(stage: Stage, order: OrderSpec, decision: RiskDecision) -> None:
    request = pb.StartExecutionRequest(order=order, decision=decision, epoch=EPOCH)
    await stage.system.client(ExecutionService, ORDERS).start_execution(request)


async def refused_start(stage: Stage, order: OrderSpec, decision: RiskDecision) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        await start(stage, order, decision)
    return caught.value


async def execution_of(stage: Stage, order: OrderSpec) -> pb.GetExecutionResponse:
    request = pb.GetExecutionRequest(account=order.account, client_order_id=order.client_order_id)
    return await stage.system.client(ExecutionService, ORDERS).get_execution(request)
