"""Steps of changed orders: replaced, protected, busted, crashed and delivered twice."""

from decimal import Decimal

import pytest
from pytest_bdd import scenarios
from pytest_bdd.parsers import parse
from trading.orders.v1 import orders_pb2 as pb
from trading.orders.v1.orders_pb2 import SignalOutcome
from trading.risk.v1.risk_pb2 import GetRiskStateRequest
from trading.types.v1.order_pb2 import (
    ORDER_STATUS_CANCELED,
    ORDER_STATUS_FILLED,
    Order,
    OrderSpec,
    OrderStatus,
)

from features.bdd import given, then, when
from fixtures import crossing, dealing, protected
from fixtures.fix_matrices import Matrix, matrices
from fixtures.history import CallRecord
from fixtures.judging import judged
from fixtures.mothers import ACCOUNT, decimal
from fixtures.order_machine import Play, play
from fixtures.outcome import Verdict
from fixtures.stage import Stage
from runtime.errors import ServiceError

SYMBOL = "SQ00.XSIM"
WRITES = (1, 2, 3, 4, 5, 6, 7, 8)

scenarios("order_changes")


@given(parse('the price of "{symbol}" is {price}'))
async def close_at(stage: Stage, symbol: str, price: str) -> None:
    await stage.close_bar(symbol, price)


@given(parse("Ana has ordered {quantity:d} at {price}"), target_fixture="order")
async def has_ordered(stage: Stage, quantity: int, price: str) -> Order:
    return await working(stage, protected.limited(stage, SYMBOL, quantity, price))


@given(
    parse(
        "Ana has ordered {quantity:d} at {price}, with a stop at {stop} "
        "and a target at {target} at the venue"
    ),
    target_fixture="order",
)
async def has_ordered_protected(
    stage: Stage, quantity: int, price: str, stop: str, target: str
) -> Order:
    spec = protected.limited(stage, SYMBOL, quantity, price)
    return await working(stage, protected.protected(spec, stop, target))


@given(parse("Ana has bought {quantity:d} at {price}"))
async def has_bought(stage: Stage, quantity: int, price: str) -> None:
    await dealing.deal(stage, SYMBOL, quantity, price)


@given(parse('a strategy that follows crossings of "{symbol}"'))
async def run(stage: Stage, symbol: str) -> None:
    await crossing.running(stage, symbol, 100)


@given("the venue does not hear of the next replacement")
async def lose_replacement(stage: Stage) -> None:
    await stage.misbehave("LOST_REQUEST", methods=["ReplaceOrder"], firings_max=1)


@given("the venue loses its next report")
async def lose_report(stage: Stage) -> None:
    await stage.misbehave("DROP_LAST_REPORT", firings_max=1)


@given("risk is down")
async def crash_risk(stage: Stage) -> None:
    await stage.system.crash("risk")


@given("orders is down, and the venue does not list its orders")
async def crash_orders(stage: Stage) -> None:
    await stage.misbehave("OUTAGE", methods=["ListOrders"])
    await stage.system.crash("orders")


@given("the order state scenarios of FIX", target_fixture="scripts")
def read_matrices() -> list[Matrix]:
    return matrices()


@when(parse("Ana asks for {quantity:d} at {price}, and {traded} before the venue has answered"))
async def replace_meanwhile(
    stage: Stage, order: Order, quantity: int, price: str, traded: str
) -> None:
    await protected.replace_during_a_trade(stage, order, (quantity, price), traded)


@when(parse("Ana asks for {quantity:d} at {price}"), target_fixture="refused")
async def replace_too_much(stage: Stage, order: Order, quantity: int, price: str) -> ServiceError:
    request = pb.ReplaceOrderRequest(client_order_id=order.spec.client_order_id, etag=order.version)
    request.quantity.CopyFrom(decimal(quantity))
    request.limit_price.CopyFrom(decimal(price))
    request.request_id = stage.request_id()
    with pytest.raises(ServiceError) as caught:
        await stage.orders.replace_order(request)
    return caught.value


@when(parse('"{symbol}" trades at {price}'))
async def trade(stage: Stage, symbol: str, price: str) -> None:
    await stage.trade_at(symbol, price)


@when(parse('"{symbol}" trades at {price} with {lots:d} on offer'))
async def trade_thinly(stage: Stage, symbol: str, price: str, lots: int) -> None:
    await protected.trade_thinly(stage, symbol, price, lots)


@when(parse('"{symbol}" trades at {price}, of which the venue reports nothing'))
async def trade_unreported(stage: Stage, symbol: str, price: str) -> None:
    await stage.move(symbol, price)


@when("the venue takes the trade back")
async def bust(stage: Stage) -> None:
    await protected.bust_all(stage)


@when("its signal is delivered to several workers at once")
async def deliver_twice(stage: Stage) -> None:
    await protected.deliver_to_two_workers(stage, SYMBOL)


@when("orders is killed after each of the writes of a trade and started again")
async def crash_between_writes(stage: Stage) -> None:
    killed = await protected.trade_through_crashes(stage, SYMBOL, WRITES)
    assert killed >= len(WRITES) / 2


@when("the strategy signals, and the signal's time passes")
async def signal_and_expire(stage: Stage) -> None:
    await protected.signal_in_vain(stage, SYMBOL)


@when(parse("orders is started, and Ana orders {quantity:d} at {price}"), target_fixture="refused")
async def order_too_early(stage: Stage, quantity: int, price: str) -> ServiceError:
    await stage.system.restart("orders")
    with pytest.raises(ServiceError) as caught:
        await dealing.submit(stage, protected.limited(stage, SYMBOL, quantity, price))
    return caught.value


@when("each is played through the order machine", target_fixture="plays")
def play_matrices(scripts: list[Matrix]) -> list[Play]:
    return [play(matrix) for matrix in scripts]


@then(parse("{quantity:d} have traded at {price}"))
async def have_traded(stage: Stage, quantity: int, price: str) -> None:
    traded = [event.execution for event in await dealing.fills_of(stage)]
    assert {Decimal(one.last_price.value) for one in traded} == {Decimal(price)}
    assert sum(int(one.last_quantity.value) for one in traded) == quantity


@then(parse("her order works for {quantity:d} at {price}, of which {filled:d} have traded"))
async def order_works(stage: Stage, order: Order, quantity: int, price: str, filled: int) -> None:
    now = await dealing.order_of(stage, order.spec.client_order_id)
    assert now.spec.quantity.value == str(quantity)
    assert Decimal(now.spec.limit_price.value) == Decimal(price)
    assert now.cum_quantity.value == str(filled)


@then(parse("the ledger and the venue have {quantity:d}"))
async def both_have(stage: Stage, quantity: int) -> None:
    assert await dealing.positions(stage) == {SYMBOL: quantity}
    assert await dealing.venue_positions(stage) == {SYMBOL: quantity}


@then("she is refused, for risk rejects the new values")
def is_refused_by_risk(refused: ServiceError) -> None:
    assert refused.reason == "RISK_REJECTED"


@then("she is refused, for orders is RECONCILING")
def is_refused_early(refused: ServiceError) -> None:
    assert refused.reason == "RECONCILING"


@given(parse("4 have traded, and the venue has a stop and a target for {quantity:d}"))
async def has_first_legs(stage: Stage, order: Order, quantity: int) -> None:
    await protected.trade_thinly(stage, SYMBOL, "100.00", quantity)
    assert (await protected.leg(stage, order.spec, "sl")).leaves_quantity.value == str(quantity)


@then(parse("the venue has a stop and a target for {quantity:d}"))
async def has_legs(stage: Stage, order: Order, quantity: int) -> None:
    legs = [await protected.leg(stage, order.spec, name) for name in ("sl", "tp")]
    theirs = await protected.venue_legs(stage)
    assert [one.leaves_quantity.value for one in legs] == theirs == [str(quantity)] * 2


@then(parse('once "{symbol}" trades at {price} nothing is held, and the target is canceled'))
async def is_closed(stage: Stage, order: Order, symbol: str, price: str) -> None:
    await stage.trade_at(symbol, price)
    assert await dealing.positions(stage) == {}
    assert await dealing.venue_positions(stage) == {}
    assert (await protected.leg(stage, order.spec, "tp")).status == ORDER_STATUS_CANCELED


@then(parse("her order is {status} with {filled:d} filled"))
async def order_is(stage: Stage, status: str, filled: int) -> None:
    await stage.system.settle()
    (order,) = await dealing.orders_of(stage)
    assert OrderStatus.Name(order.status) == f"ORDER_STATUS_{status}"
    assert order.cum_quantity.value == str(filled)


@then("within ten seconds her order is FILLED all the same")
async def is_filled_soon(stage: Stage, order: Order) -> None:
    assert (await protected.filled(stage, order)).status == ORDER_STATUS_FILLED


@then("ledger, venue and risk have nothing")
async def nothing_is_held(stage: Stage) -> None:
    assert await dealing.positions(stage) == {}
    assert await dealing.venue_positions(stage) == {}
    state = await stage.risk.get_risk_state(GetRiskStateRequest(account=ACCOUNT))
    assert state.gross.amount.value == "0"


@then("one order is at the venue")
async def one_order(stage: Stage) -> None:
    assert len(await dealing.venue_orders(stage)) == len(await dealing.orders_of(stage)) == 1


@then("each signal is decided once")
async def is_decided_once(stage: Stage) -> None:
    signals, decisions = await crossing.published(stage), await crossing.decided(stage)
    assert [one.signal_id for one in decisions] == [one.signal_id for one in signals]


@then("every check of a run at rest holds")
async def checks_hold(stage: Stage) -> None:
    results = await judged(stage)
    assert [one for one in results if one.verdict is Verdict.FAILED] == []
    assert sum(one.verdict is Verdict.PASSED for one in results) > len(results) / 2


@then(parse("the signal is decided {outcome}, for {code}"))
async def is_decided(stage: Stage, outcome: str, code: str) -> None:
    (decision,) = await crossing.decided(stage)
    assert SignalOutcome.Name(decision.outcome) == f"SIGNAL_OUTCOME_{outcome}"
    assert list(decision.codes) == [code]


@then("no order was made")
async def no_order(stage: Stage) -> None:
    assert await dealing.orders_of(stage) == []
    assert await dealing.venue_orders(stage) == []


@then("the venue's reports were never asked for anew")
async def no_reconnect(stage: Stage) -> None:
    calls = [one for one in await stage.system.records() if isinstance(one, CallRecord)]
    assert not [one for one in calls if one.method.endswith("/WatchExecutions")]


@then(parse("once the venue lists its orders, she can order {quantity:d} at {price}"))
async def can_order(stage: Stage, quantity: int, price: str) -> None:
    await stage.behave()
    await protected.ready(stage)
    order = protected.limited(stage, SYMBOL, quantity, price)
    assert (await dealing.submit(stage, order)).spec == order


@then("every step shows what FIX says")
def steps_are_right(plays: list[Play]) -> None:
    assert [wrong for one in plays for wrong in one.wrong] == []


@then("every chapter of the matrices was played")
def chapters_are_there(scripts: list[Matrix], plays: list[Play]) -> None:
    assert {matrix.number[0] for matrix in scripts} == set("ABCDEFGHIJKL")
    assert all(one.rows for one in plays)


# What steps do, where it takes more than a line.


async def working(stage: Stage, spec: OrderSpec) -> Order:
    """Submit an order, and return it when it works at the venue."""
    await dealing.submit(stage, spec)
    await stage.system.settle()
    return await dealing.order_of(stage, spec.client_order_id)
