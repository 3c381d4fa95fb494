"""Steps of risk: Ana wants to trade, Rita sets what is allowed, risk decides."""

import asyncio
from collections.abc import Awaitable
from decimal import Decimal
from typing import TypeVar

from pytest_bdd import scenarios
from pytest_bdd.parsers import parse
from trading.orders.v1.orders_pb2 import SubmitOrderRequest
from trading.risk.v1 import risk_pb2 as pb
from trading.risk.v1.risk_port import RiskService
from trading.types.v1.order_pb2 import (
    ORDER_STATUS_CANCELED,
    ORDER_STATUS_NEW,
    ORDER_STATUS_REJECTED,
    ORDER_TYPE_LIMIT,
    Order,
    OrderSpec,
)
from trading.types.v1.risk_pb2 import (
    CHECK_OUTCOME_FAILED,
    RISK_VERDICT_APPROVED,
    RISK_VERDICT_REJECTED,
    RiskDecision,
)

from features.bdd import given, then, when
from fixtures import dealing
from fixtures.checks import WITH_HALTS, run_check
from fixtures.facts import Facts
from fixtures.mothers import ACCOUNT, decimal
from fixtures.outcome import Verdict
from fixtures.principals import TRADER, service
from fixtures.stage import Stage
from runtime.errors import ServiceError

SYMBOL = "SQ00.XSIM"
THIS_ACCOUNT = pb.Scope(kind=pb.SCOPE_KIND_ACCOUNT, id=ACCOUNT)
# The limits that reducing orders are spared; the others say what an order may look like.
NO_ROOM = pb.Limits(
    order_notional_max=decimal(0),
    position_share_bps_max=0,
    gross_share_bps_max=0,
    entries_per_instrument_max=0,
    open_orders_max=0,
    open_order_value_share_bps_max=0,
    strategy_orders_per_minute_max=0,
    account_orders_per_minute_max=0,
)
Answer = RiskDecision | ServiceError
T = TypeVar("T")

scenarios("risk")


@given(parse('the price of "{symbol}" is {price}'))
async def close_at(stage: Stage, symbol: str, price: str) -> None:
    await stage.close_bar(symbol, price)


@given(parse('Ana bought {quantity:d} "{symbol}" at {price}'))
async def buy(stage: Stage, quantity: int, symbol: str, price: str) -> None:
    await dealing.deal(stage, symbol, quantity, price)


@given(parse('Ana has bid {price} for {quantity:d} "{symbol}"'))
async def have_bid(stage: Stage, price: str, quantity: int, symbol: str) -> None:
    spec = dealing.signed_order(symbol, quantity, client_order_id="waiting")
    spec.type = ORDER_TYPE_LIMIT
    spec.limit_price.value = price
    assert (await dealing.submit(stage, spec)).status == ORDER_STATUS_NEW


@given("Rita has left no room under any limit")
async def leave_no_room(stage: Stage) -> None:
    await set_limits(stage, NO_ROOM)


@given(parse('risk has approved an order of {quantity:d} "{symbol}"'), target_fixture="first")
async def approve(stage: Stage, quantity: int, symbol: str) -> RiskDecision:
    decision = await validated(stage, symbol, quantity)
    assert decision.verdict == RISK_VERDICT_APPROVED
    return decision


@given("Rita has halted the account")
@given("Rita has halted the account since")
async def halt(stage: Stage) -> None:
    await set_mode(stage, stage.risk, pb.TRADING_MODE_HALTED)
    await stage.system.settle()


@given("risk has been restarted since")
@when("risk is restarted")
async def restart(stage: Stage) -> None:
    await stage.system.crash("risk")
    await stage.system.restart("risk")


@when(parse('Ana bids {price} for {quantity:d} "{symbol}"'), target_fixture="order")
async def bid(stage: Stage, price: str, quantity: int, symbol: str) -> Order:
    spec = dealing.signed_order(symbol, quantity, client_order_id="bid")
    spec.type = ORDER_TYPE_LIMIT
    spec.limit_price.value = price
    return await dealing.submit(stage, spec)


@when(
    parse('Ana sends ten orders of about {quantity:d} "{symbol}" at once, with room for one'),
    target_fixture="orders",
)
async def send_ten(stage: Stage, quantity: int, symbol: str) -> list[Order]:
    specs = [
        dealing.signed_order(symbol, quantity + n, client_order_id=f"racing-{n}")
        for n in range(10)  # Equal ones would be refused as duplicates.
    ]
    return await submitted_together(stage, specs)


@when(parse('Ana sells {quantity:d} "{symbol}" at {price}'))
async def sell(stage: Stage, quantity: int, symbol: str, price: str) -> None:
    await dealing.deal(stage, symbol, -quantity, price)


@when("the same validation is asked for again", target_fixture="answer")
async def validate_again(stage: Stage) -> Answer:
    return await validated(stage, SYMBOL, 10)


@when(
    parse('the same validation is asked for with {quantity:d} "{symbol}"'),
    target_fixture="answer",
)
async def validate_another(stage: Stage, quantity: int, symbol: str) -> Answer:
    return await attempt(validated(stage, symbol, quantity))


@when("Rita lifts the halt")
async def lift(stage: Stage) -> None:
    await set_mode(stage, stage.risk, pb.TRADING_MODE_ACTIVE)


@when("Ana lifts the halt", target_fixture="answer")
async def lift_as_trader(stage: Stage) -> ServiceError | None:
    risk = stage.system.client(RiskService, TRADER)
    return await attempt(set_mode(stage, risk, pb.TRADING_MODE_ACTIVE))


@then(parse("the order is rejected for {codes}"))
def is_rejected(order: Order, codes: str) -> None:
    assert order.status == ORDER_STATUS_REJECTED
    assert list(order.reject.codes) == codes.split(", ")


@then(parse("the order is rejected, among others for {code}"))
def is_rejected_also(order: Order, code: str) -> None:
    assert order.status == ORDER_STATUS_REJECTED
    assert code in order.reject.codes


@then(parse("{count:d} of them is taken"))
def is_taken(orders: list[Order], count: int) -> None:
    assert [order.status for order in orders].count(ORDER_STATUS_NEW) == count


@then(parse("{count:d} of them are rejected for {code}"))
def are_rejected(orders: list[Order], count: int, code: str) -> None:
    assert [list(order.reject.codes) for order in orders].count([code]) == count


@then(parse("the venue has {count:d} order of hers"))
@then(parse("the venue has {count:d} orders of hers"))
async def venue_has(stage: Stage, count: int) -> None:
    await stage.system.settle()
    assert len(await dealing.venue_orders(stage)) == count


@then(parse('Ana holds {quantity:d} "{symbol}"'))
async def holds(stage: Stage, quantity: int, symbol: str) -> None:
    position = await dealing.position(stage, symbol)
    assert Decimal(position.quantity.value) == quantity


@then(parse('an order to buy {quantity:d} "{symbol}" would be {verdict:w}'))
async def would_be(stage: Stage, quantity: int, symbol: str, verdict: str) -> None:
    spec = dealing.signed_order(symbol, quantity, client_order_id="would-be")
    request = SubmitOrderRequest(order=spec, validate_only=True)
    decision = (await stage.orders.submit_order(request)).decision
    verdicts = {"approved": RISK_VERDICT_APPROVED, "rejected": RISK_VERDICT_REJECTED}
    assert decision.verdict == verdicts[verdict]
    failed = [check for check in decision.checks if check.outcome == CHECK_OUTCOME_FAILED]
    assert bool(failed) == (verdict == "rejected")


@then(parse("the order at {price} is canceled"))
async def is_canceled(stage: Stage, price: str) -> None:
    await stage.system.settle()
    order = await dealing.order_of(stage, "waiting")
    assert order.spec.limit_price.value == price
    assert order.status == ORDER_STATUS_CANCELED


@then("the first decision is the answer, approval included")
def is_first(first: RiskDecision, answer: RiskDecision) -> None:
    assert answer == first
    assert answer.token


@then(parse("it is refused as {code}"))
@then(parse("she is refused as {code}"))
def is_refused(answer: Answer, code: str) -> None:
    assert isinstance(answer, ServiceError)
    assert answer.code.name == code


@then("the halt reached the venue in time")
async def reached_the_venue(stage: Stage) -> None:
    facts = Facts(await stage.system.whole_history())
    results = [run_check(check, facts) for check in WITH_HALTS]
    assert [result.verdict for result in results] == [Verdict.PASSED] * 2, results


@then("the account is halted")
async def is_halted(stage: Stage) -> None:
    state = await stage.risk.get_risk_state(pb.GetRiskStateRequest(account=ACCOUNT))
    modes = [mode.mode for mode in state.modes if mode.scope == THIS_ACCOUNT]
    assert modes == [pb.TRADING_MODE_HALTED]


# What steps do, where it takes more than a line.


async def set_limits(stage: Stage, changes: pb.Limits) -> None:
    present = await stage.risk.get_limits(pb.GetLimitsRequest(scope=THIS_ACCOUNT))
    limits = pb.Limits()
    limits.CopyFrom(present.limits)
    limits.MergeFrom(changes)
    request = pb.SetLimitsRequest(
        scope=THIS_ACCOUNT, limits=limits, etag=present.etag, request_id=stage.request_id()
    )
    await stage.risk.set_limits(request)


async def set_mode(stage: Stage, risk: RiskService, mode: pb.TradingMode.ValueType) -> None:
    request = pb.SetTradingModeRequest(
        scope=THIS_ACCOUNT, mode=mode, reason="scenario", request_id=stage.request_id()
    )
    await risk.set_trading_mode(request)


async def validated(stage: Stage, symbol: str, quantity: int) -> RiskDecision:
    risk = stage.system.client(RiskService, service("orders"))
    spec = dealing.signed_order(symbol, quantity, client_order_id="asked-twice")
    request = pb.ValidateOrderRequest(validation_id="asked-twice:1", order=spec, epoch=1)
    return (await risk.validate_order(request)).decision


async def submitted_together(stage: Stage, specs: list[OrderSpec]) -> list[Order]:
    requests = [SubmitOrderRequest(order=spec) for spec in specs]
    answers = await asyncio.gather(*map(stage.orders.submit_order, requests))
    return [answer.order for answer in answers]


async def attempt(asking: Awaitable[T]) -> T | ServiceError:
    try:
        return await asking
    except ServiceError as error:
        return error
