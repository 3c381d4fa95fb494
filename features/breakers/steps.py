"""Steps of breakers and blocks: what stops Ana and her strategy, and what lets them go on."""

import asyncio

from pytest_bdd import scenarios
from pytest_bdd.parsers import parse
from trading.execution.v1.execution_pb2 import StartExecutionRequest
from trading.execution.v1.execution_port import ExecutionService
from trading.orders.v1.orders_pb2 import CancelOrderRequest, SubmitOrderRequest
from trading.risk.v1 import risk_pb2 as pb
from trading.risk.v1.risk_port import RiskService
from trading.types.v1.order_pb2 import (
    ORDER_STATUS_IN_DOUBT,
    ORDER_STATUS_NEW,
    ORDER_STATUS_REJECTED,
    PROTECTION_MODE_SUPERVISED,
    Order,
    OrderSpec,
    Protection,
)
from trading.types.v1.risk_pb2 import CHECK_OUTCOME_FAILED, RISK_VERDICT_APPROVED, RiskReason

from features.bdd import given, then, when
from fixtures import dealing
from fixtures.mothers import ACCOUNT, decimal
from fixtures.principals import service
from fixtures.stage import Stage
from runtime.errors import ServiceError
from runtime.times import NS_PER_S

ATTEMPTS = 500
SYMBOL, STRATEGY = "SQ00.XSIM", "alpha"
THIS_ACCOUNT = pb.Scope(kind=pb.SCOPE_KIND_ACCOUNT, id=ACCOUNT)
DAY_NS = 86_400 * NS_PER_S
Approved = tuple[OrderSpec, pb.ValidateOrderResponse]

scenarios("breakers")


@given(parse('the price of "{symbol}" is {price}'))
@when(parse('the price of "{symbol}" falls to {price}'))
async def close_at(stage: Stage, symbol: str, price: str) -> None:
    await stage.close_bar(symbol, price)


@given(parse('Ana bought {quantity:d} "{symbol}" at {price}'))
async def buy(stage: Stage, quantity: int, symbol: str, price: str) -> None:
    await dealing.deal(stage, symbol, quantity, price)


@given(parse('the price of "{symbol}" has fallen to {price}, and no drawdown stopped her'))
async def fall_within(stage: Stage, symbol: str, price: str) -> None:
    await stage.close_bar(symbol, price)
    assert "DRAWDOWN" not in await refusals(stage, dealing_in(symbol, 1))


@given(parse('the price of "{symbol}" has fallen to {price}, and her day\'s loss stopped her'))
async def fall_beyond(stage: Stage, symbol: str, price: str) -> None:
    await stage.close_bar(symbol, price)
    assert "DAILY_LOSS" in await refusals(stage, dealing_in(symbol, 1))
    assert (await state(stage)).mode == pb.TRADING_MODE_REDUCE_ONLY


@given(parse('a strategy has lost five trades of "{symbol}" in a row'))
async def lose_five(stage: Stage, symbol: str) -> None:
    await trade_in_turn(stage, symbol, times=5)


@given(parse("its next order to open is rejected for {codes}"))
async def is_paused(stage: Stage, codes: str) -> None:
    assert await refusals(stage, strategy_order(SYMBOL, 1, "paused")) == codes.split(", ")


@given(parse('the venue says nothing, and Ana\'s order of {quantity:d} "{symbol}" is in doubt'))
async def doubt(stage: Stage, quantity: int, symbol: str) -> None:
    await stage.misbehave("OUTAGE")
    order = await dealing.submit(stage, dealing_in(symbol, quantity, name="doubtful"))
    assert order.status == ORDER_STATUS_IN_DOUBT
    await refused_soon(stage, dealing_in(symbol, 1), "IN_DOUBT_BLOCK")


@given(parse('risk has approved an order of {quantity:d} "{symbol}"'), target_fixture="approved")
async def approve(stage: Stage, quantity: int, symbol: str) -> Approved:
    spec = dealing_in(symbol, quantity, name=f"approved-{quantity}")
    risk = stage.system.client(RiskService, service("orders"))
    validation_id = f"{spec.client_order_id}:1"
    request = pb.ValidateOrderRequest(validation_id=validation_id, order=spec, epoch=1)
    answer = await risk.validate_order(request)
    assert answer.decision.verdict == RISK_VERDICT_APPROVED
    return spec, answer


@given(parse("Rita allows the account {count:d} orders a minute"))
async def limit_rate(stage: Stage, count: int) -> None:
    await set_limits(stage, pb.Limits(account_orders_per_minute_max=count))


@given(parse('Ana\'s order of {quantity:d} "{symbol}" was rejected'))
async def be_rejected(stage: Stage, quantity: int, symbol: str) -> None:
    order = await dealing.submit(stage, dealing_in(symbol, quantity, name="rejected"))
    assert order.status == ORDER_STATUS_REJECTED


@given(parse('Ana ordered {quantity:d} "{symbol}" and canceled that'))
async def cancel(stage: Stage, quantity: int, symbol: str) -> None:
    await dealing.submit(stage, dealing_in(symbol, quantity, name="canceled"))
    request = CancelOrderRequest(client_order_id="canceled", request_id=stage.request_id())
    await stage.orders.cancel_order(request)
    await stage.system.settle()


@when("five minutes pass")
async def pass_five_minutes(stage: Stage) -> None:
    await pass_minutes(stage, 6)  # The first of them had begun before.


@when("two minutes pass")
async def pass_two_minutes(stage: Stage) -> None:
    await stage.system.time.skip_to(stage.system.clock.now_ns() + 120 * NS_PER_S)


@when("the next day begins")
async def begin_day(stage: Stage) -> None:
    await stage.pass_until((stage.system.clock.now_ns() // DAY_NS + 1) * DAY_NS)


@when("execution is handed that order without its token", target_fixture="refused")
async def hand_over(stage: Stage, approved: Approved) -> ServiceError | None:
    spec, answer = approved
    answer.decision.ClearField("token")
    return await refused_start(stage, StartExecutionRequest(order=spec, decision=answer.decision))


@when(parse('Ana orders {quantity:d} "{symbol}"'), target_fixture="order")
async def order_more(stage: Stage, quantity: int, symbol: str) -> Order:
    return await dealing.submit(stage, dealing_in(symbol, quantity, name="last"))


@when(
    parse("Rita asks what a position limit of {percent:d} % would have changed"),
    target_fixture="answer",
)
async def ask_limits(stage: Stage, percent: int) -> pb.SetLimitsResponse:
    limits = pb.Limits(position_share_bps_max=percent * 100)
    return await set_limits(stage, limits, validate_only=True)


@then("the account may only reduce")
async def may_reduce(stage: Stage) -> None:
    assert (await state(stage)).mode == pb.TRADING_MODE_REDUCE_ONLY


@then("the account may do everything")
async def may_trade(stage: Stage) -> None:
    assert (await state(stage)).mode == pb.TRADING_MODE_ACTIVE


@then(parse("the day's profit is {amount}"))
async def has_profit(stage: Stage, amount: str) -> None:
    assert (await state(stage)).day_pnl.amount.value == amount


@then(parse('Ana holds {quantity:d} "{symbol}"'))
async def holds(stage: Stage, quantity: int, symbol: str) -> None:
    assert (await dealing.position(stage, symbol)).quantity.value == str(quantity)


@then(parse('an order to buy {quantity:d} "{symbol}" would be rejected, among others for {code}'))
async def is_refused_also(stage: Stage, quantity: int, symbol: str, code: str) -> None:
    assert code in await refusals(stage, dealing_in(symbol, quantity))


@then(parse('an order to buy {quantity:d} "{symbol}" would be rejected for {codes}'))
async def is_refused(stage: Stage, quantity: int, symbol: str, codes: str) -> None:
    assert await refusals(stage, dealing_in(symbol, quantity)) == codes.split(", ")


@then(parse('an order to sell {quantity:d} "{symbol}" would be approved'))
async def may_sell(stage: Stage, quantity: int, symbol: str) -> None:
    assert await refusals(stage, dealing_in(symbol, -quantity)) == []


@then("its next order to open would be approved")
async def may_open(stage: Stage) -> None:
    assert await refusals(stage, strategy_order(SYMBOL, 1, "resumed")) == []


@then("what was held for it is still held")
async def is_held(stage: Stage) -> None:
    found = await state(stage)
    assert (found.open_orders, found.holds.amount.value) == (1, "1012.02")


@then("execution refuses it before anything happens")
def is_turned_away(refused: ServiceError | None) -> None:
    assert refused is not None
    assert refused.definite


@then(parse("the venue has {count:d} orders of hers"))
async def venue_has(stage: Stage, count: int) -> None:
    assert len(await dealing.venue_orders(stage)) == count


@then("her order works")
def works(order: Order) -> None:
    assert order.status == ORDER_STATUS_NEW


@then(parse("only the order of {quantity:d} would have been rejected, for {code}"))
def would_differ(answer: pb.SetLimitsResponse, quantity: int, code: str) -> None:
    (found,) = answer.differences
    assert found.subject_id == f"approved-{quantity}"
    assert found.codes == [RiskReason.Value(f"RISK_REASON_{code}")]
    assert answer.judged == 2


@then("the limits are as they were")
async def limits_stay(stage: Stage) -> None:
    found = await stage.risk.get_limits(pb.GetLimitsRequest(scope=THIS_ACCOUNT))
    assert (found.version, found.limits.position_share_bps_max) == (0, 2_000)


# What steps do, where it takes more than a line.


def dealing_in(symbol: str, quantity: int, *, name: str = "asked") -> OrderSpec:
    return dealing.signed_order(symbol, quantity, client_order_id=name)


def strategy_order(symbol: str, quantity: int, name: str) -> OrderSpec:
    spec = dealing_in(symbol, quantity, name=name)
    stop = decimal("90" if quantity > 0 else "110")
    spec.strategy_id = STRATEGY
    spec.protection.CopyFrom(Protection(stop_price=stop, mode=PROTECTION_MODE_SUPERVISED))
    return spec


async def trade(stage: Stage, symbol: str, quantity: int) -> None:
    order = await dealing.submit(stage, strategy_order(symbol, quantity, stage.request_id()))
    assert order.status == ORDER_STATUS_NEW, order
    await stage.trade_at(symbol, "100.00")


async def trade_in_turn(stage: Stage, symbol: str, *, times: int) -> None:
    """Buy and sell at one price: what is lost each time are the fees."""
    for _ in range(times):
        await trade(stage, symbol, 1)
        await trade(stage, symbol, -1)


async def pass_minutes(stage: Stage, count: int) -> None:
    for _ in range(count):
        await stage.close_bar(SYMBOL, "100.00")


async def refusals(stage: Stage, spec: OrderSpec) -> list[str]:
    """Return why an order would be rejected."""
    request = SubmitOrderRequest(order=spec, validate_only=True)
    checks = (await stage.orders.submit_order(request)).decision.checks
    failed = [check.code for check in checks if check.outcome == CHECK_OUTCOME_FAILED]
    return [RiskReason.Name(code).removeprefix("RISK_REASON_") for code in failed]


async def refused_soon(stage: Stage, spec: OrderSpec, code: str) -> None:
    """Wait until risk knows why an order would be rejected: with a doubt nothing is at rest."""
    for _ in range(ATTEMPTS):
        if code in await refusals(stage, spec):
            return
        await asyncio.sleep(0.01)
    raise TimeoutError(f"no order was rejected for {code}")


async def state(stage: Stage) -> pb.GetRiskStateResponse:
    return await stage.risk.get_risk_state(pb.GetRiskStateRequest(account=ACCOUNT))


async def set_limits(
    stage: Stage, changes: pb.Limits, *, validate_only: bool = False
) -> pb.SetLimitsResponse:
    present = await stage.risk.get_limits(pb.GetLimitsRequest(scope=THIS_ACCOUNT))
    present.limits.MergeFrom(changes)
    return await stage.risk.set_limits(
        pb.SetLimitsRequest(
            scope=THIS_ACCOUNT,
            limits=present.limits,
            etag=present.etag,
            request_id=stage.request_id(),
            validate_only=validate_only,
        )
    )


async def refused_start(stage: Stage, request: StartExecutionRequest) -> ServiceError | None:
    execution = stage.system.client(ExecutionService, service("orders"))
    try:
        await execution.start_execution(request)
    except ServiceError as error:
        return error
    return None
