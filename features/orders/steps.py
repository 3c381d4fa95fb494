"""Steps of orders: Ana orders, the venue answers or does not, services fail and return."""

import asyncio

import pytest
from pytest_bdd import scenarios
from pytest_bdd.parsers import parse
from trading.exchange.v1 import exchange_pb2
from trading.orders.v1 import orders_pb2 as pb
from trading.types.v1.order_pb2 import (
    ORDER_STATUS_IN_DOUBT,
    ORDER_STATUS_NEW,
    ORDER_TYPE_LIMIT,
    TIME_IN_FORCE_IOC,
    Order,
    OrderSpec,
    OrderStatus,
)

from features.bdd import given, then, when
from fixtures import dealing
from fixtures.history import CallRecord
from fixtures.mothers import decimal
from fixtures.stage import Stage
from runtime.errors import ServiceError
from runtime.times import NS_PER_S, to_timestamp

SYMBOL = "SQ00.XSIM"
PLACE, QUERY = "PlaceOrder", "GetOrder"

scenarios("orders")


@given(parse('the price of "{symbol}" is {price}'))
async def close_at(stage: Stage, symbol: str, price: str) -> None:
    await stage.close_bar(symbol, price)


@given("the venue loses its next answer to an order")
async def lose_answer(stage: Stage) -> None:
    await stage.misbehave("LOST_ANSWER", methods=[PLACE], firings_max=1)


@given("the venue takes orders and says nothing")
async def say_nothing(stage: Stage) -> None:
    await stage.misbehave("LOST_ANSWER", methods=[PLACE])
    await stage.misbehave("OUTAGE", methods=[QUERY, "WatchExecutions"])


@given("the next order does not reach the venue")
async def lose_order(stage: Stage) -> None:
    await stage.misbehave("OUTAGE", methods=[PLACE], firings_max=1)


@given("cancels do not reach the venue")
async def lose_cancels(stage: Stage) -> None:
    await stage.misbehave("OUTAGE", methods=["CancelOrder"])


@given("the venue reports everything twice")
async def report_twice(stage: Stage) -> None:
    await stage.misbehave("DUPLICATE_REPORT")


@given("risk is down")
async def crash_risk(stage: Stage) -> None:
    await stage.system.crash("risk")


@given(parse("Ana has ordered {quantity:d}"), target_fixture="order")
async def has_ordered(stage: Stage, quantity: int) -> OrderSpec:
    return await working(stage, new_order(stage, quantity))


@given(parse("Ana has ordered {quantity:d} and is in doubt"), target_fixture="order")
async def is_in_doubt(stage: Stage, quantity: int) -> OrderSpec:
    order = new_order(stage, quantity)
    assert (await dealing.submit(stage, order)).status == ORDER_STATUS_IN_DOUBT
    return order


@given(
    parse("Ana has ordered {quantity:d}, what does not trade at once to be canceled"),
    target_fixture="order",
)
async def has_ordered_at_once(stage: Stage, quantity: int) -> OrderSpec:
    order = new_order(stage, quantity)
    order.type, order.time_in_force = ORDER_TYPE_LIMIT, TIME_IN_FORCE_IOC
    order.limit_price.value = "100"
    return await working(stage, order)


@when(parse("Ana orders {quantity:d}"), target_fixture="answer")
async def submit(stage: Stage, quantity: int) -> Order:
    return await dealing.submit(stage, new_order(stage, quantity))


@when(parse("Ana sends her order for {quantity:d} three times"), target_fixture="answers")
async def submit_thrice(stage: Stage, quantity: int) -> list[pb.SubmitOrderResponse]:
    request = pb.SubmitOrderRequest(order=new_order(stage, quantity))
    first, second = stage.orders.submit_order(request), stage.orders.submit_order(request)
    together = await asyncio.gather(first, second)
    return [*together, await stage.orders.submit_order(request)]


@when(parse("Ana sends an order for {quantity:d} under the same id"), target_fixture="refused")
async def reuse_id(stage: Stage, order: OrderSpec, quantity: int) -> ServiceError:
    other = OrderSpec()
    other.CopyFrom(order)
    other.quantity.value = str(quantity)
    with pytest.raises(ServiceError) as caught:
        await dealing.submit(stage, other)
    return caught.value


@when(
    parse('Ana cancels her order just before "{symbol}" trades at {price}'),
    target_fixture="answer",
)
async def cancel_too_late(stage: Stage, order: OrderSpec, symbol: str, price: str) -> Order:
    request = pb.CancelOrderRequest(
        client_order_id=order.client_order_id, request_id=stage.request_id()
    )
    answer = await stage.orders.cancel_order(request)
    await stage.trade_at(symbol, price)
    return answer.order


@when(parse('"{symbol}" trades at {price}'))
async def trade(stage: Stage, symbol: str, price: str) -> None:
    await stage.trade_at(symbol, price)


@when(parse('"{symbol}" trades at {price} with {offered:d} on offer'))
async def trade_thinly(stage: Stage, symbol: str, price: str, offered: int) -> None:
    point = exchange_pb2.PricePoint(price=decimal(price), liquidity=decimal(offered))
    point.time.CopyFrom(to_timestamp(stage.system.clock.now_ns()))
    request = exchange_pb2.MoveReferenceRequest(
        instrument=symbol, points=[point], request_id=stage.request_id()
    )
    await stage.control.move_reference(request)
    await stage.system.settle()


@when(parse('the orders service is down while "{symbol}" trades at {price}'))
async def trade_while_down(stage: Stage, symbol: str, price: str) -> None:
    await stage.system.crash("orders")
    await stage.move(symbol, price)
    await stage.system.restart("orders")


@when("the orders service is killed and restarted")
async def restart(stage: Stage) -> None:
    await stage.system.crash("orders")
    await stage.system.restart("orders")


@then(parse("she is told that her order is {status}"))
def is_told(answer: Order, status: str) -> None:
    assert OrderStatus.Name(answer.status) == f"ORDER_STATUS_{status}"


@then(parse("the reason is {code}"))
def reason_is(answer: Order, code: str) -> None:
    assert list(answer.reject.codes) == [code]


@then("she gets the same answer each time")
def answers_are_equal(answers: list[pb.SubmitOrderResponse]) -> None:
    assert answers == [answers[0]] * 3


@then("she is refused, for the id belongs to another order")
def is_refused(refused: ServiceError) -> None:
    assert refused.code.name == "ALREADY_EXISTS"


@then(parse("her order is {status} with {filled:d} filled"))
async def order_is(stage: Stage, status: str, filled: int) -> None:
    await stage.system.settle()
    (order,) = await dealing.orders_of(stage)
    assert OrderStatus.Name(order.status) == f"ORDER_STATUS_{status}"
    assert order.cum_quantity.value == str(filled)


@then(parse("once the venue speaks again, her order is {status}"))
async def order_is_at_last(stage: Stage, status: str) -> None:
    await stage.behave()
    await stage.system.settle()
    (order,) = await dealing.orders_of(stage)
    assert OrderStatus.Name(order.status) == f"ORDER_STATUS_{status}"


@then(parse("the ledger and the venue have {quantity:d}"))
async def both_have(stage: Stage, quantity: int) -> None:
    assert await dealing.positions(stage) == {SYMBOL: quantity}
    assert await dealing.venue_positions(stage) == {SYMBOL: quantity}


@then("it was sent once")
async def was_sent_once(stage: Stage) -> None:
    assert len(await dealing.venue_orders(stage)) == 1
    assert [name_of(call) for call in await calls_to_venue(stage)].count(PLACE) == 1


@then("it was never sent")
async def was_never_sent(stage: Stage) -> None:
    assert not await dealing.venue_orders(stage)
    assert not await calls_to_venue(stage)


@then("the venue gets it again only after denying for more than a second to have it")
async def is_asked_first(stage: Stage) -> None:
    await stage.system.settle()
    calls = await calls_to_venue(stage)
    first, second = [call for call in calls if name_of(call) == PLACE]
    between = {call.code for call in calls if first.end_ns < call.end_ns < second.start_ns}
    assert between == {"NOT_FOUND"}
    assert second.start_ns - first.end_ns > NS_PER_S
    assert len(await dealing.venue_orders(stage)) == 1


@then("the venue has reported a fill twice")
async def was_reported_twice(stage: Stage) -> None:
    listed = await stage.control.list_behaviours(exchange_pb2.ListBehavioursRequest())
    assert [behaviour.firings > 0 for behaviour in listed.behaviours] == [True]


# What steps do, where it takes more than a line.


def new_order(stage: Stage, quantity: int) -> OrderSpec:
    return dealing.signed_order(SYMBOL, quantity, client_order_id=stage.request_id())


async def working(stage: Stage, order: OrderSpec) -> OrderSpec:
    """Submit an order, and return it when it works at the venue."""
    await dealing.submit(stage, order)
    await stage.system.settle()
    assert (await dealing.order_of(stage, order.client_order_id)).status == ORDER_STATUS_NEW
    return order


def name_of(call: CallRecord) -> str:
    return call.method.rpartition("/")[2]


async def calls_to_venue(stage: Stage) -> list[CallRecord]:
    """Return every sending of an order to the venue and every question about one."""
    calls = [record for record in await stage.system.records() if isinstance(record, CallRecord)]
    calls = [call for call in calls if ".ExchangeService/" in call.method]
    return [call for call in calls if name_of(call) in (PLACE, QUERY)]
