"""Steps of the venue: clients trade there with each other, past the platform."""

from collections.abc import Sequence

import pytest
from pytest_bdd import scenarios
from pytest_bdd.parsers import parse
from trading.exchange.v1 import exchange_pb2 as pb
from trading.types.v1.execution_pb2 import EXEC_TYPE_TRADE, VenueReason
from trading.types.v1.order_pb2 import (
    ORDER_TYPE_LIMIT,
    ORDER_TYPE_STOP,
    SIDE_BUY,
    SIDE_SELL,
    TIME_IN_FORCE_FOK,
    OrderStatus,
    Side,
)

from features.bdd import given, then, when
from fixtures.mothers import decimal, money, venue_order
from fixtures.repeating import until_definite
from fixtures.stage import Stage
from runtime.errors import ServiceError

SYMBOL = "SQ00.XSIM"
CLIENTS = ("Bea", "Carl", "Dan", "Eve")
Answer = pb.PlaceOrderResponse

scenarios("venue")


@given(parse('only clients trade "{symbol}"'))
async def admit_clients(stage: Stage, symbol: str) -> None:
    await stage.system.admit([symbol], pb.REFERENCE_MODE_LIVE_PATH)
    await open_accounts(stage)


@given(parse('"{symbol}" trades along its bars, last at {price}'))
async def trade_along_bars(stage: Stage, symbol: str, price: str) -> None:
    await open_accounts(stage)
    await stage.trade_at(symbol, price)


@given(parse("makers pay {maker} and takers {taker} basis points"))
async def set_fees(stage: Stage, maker: str, taker: str) -> None:
    request = pb.SetFeesRequest(
        maker_bp=decimal(maker), taker_bp=decimal(taker), request_id=stage.request_id()
    )
    await stage.control.set_fees(request)


@given("the venue loses its next answer to an order")
async def lose_answer(stage: Stage) -> None:
    await stage.misbehave("LOST_ANSWER", methods=["PlaceOrder"], firings_max=1)


@given("the venue is out")
async def go_out(stage: Stage) -> None:
    await stage.misbehave("OUTAGE")


@given(parse("{who} has a stop to buy {quantity:d} when the price reaches {price}"))
async def place_stop(stage: Stage, who: str, quantity: int, price: str) -> None:
    order = new_order(stage, who, SIDE_BUY, quantity)
    order.type = ORDER_TYPE_STOP
    order.stop_price.value = price
    await place(stage, order)


@given(parse("{who} bids {quantity:d} at {price}"), target_fixture="answer")
@when(parse("{who} bids {quantity:d} at {price}"))
async def bid(stage: Stage, who: str, quantity: int, price: str) -> Answer:
    return await place(stage, limit_order(stage, who, SIDE_BUY, quantity, price))


@given(parse("{who} offers {quantity:d} at {price}"))
async def offer(stage: Stage, who: str, quantity: int, price: str) -> None:
    await place(stage, limit_order(stage, who, SIDE_SELL, quantity, price))


@when(parse("{who} tries to bid {quantity:d} at {price}"), target_fixture="refused")
async def try_to_bid(stage: Stage, who: str, quantity: int, price: str) -> ServiceError:
    request = pb.PlaceOrderRequest(order=limit_order(stage, who, SIDE_BUY, quantity, price))
    with pytest.raises(ServiceError) as caught:
        await stage.member.place_order(request)
    return caught.value


@given(parse("{who} buys {quantity:d} at the market"))
@when(parse("{who} buys {quantity:d} at the market"))
async def buy(stage: Stage, who: str, quantity: int) -> None:
    await place(stage, new_order(stage, who, SIDE_BUY, quantity))


@when(parse("{who} bids {quantity:d}, whole or not at all, at {price}"))
async def bid_whole(stage: Stage, who: str, quantity: int, price: str) -> None:
    order = limit_order(stage, who, SIDE_BUY, quantity, price)
    order.time_in_force = TIME_IN_FORCE_FOK
    await place(stage, order)


@when(parse("{who} sends the same order twice more"), target_fixture="answers")
async def repeat(stage: Stage, who: str) -> tuple[Answer, Answer]:
    state = await last_order(stage, who)
    return await place(stage, state.order), await place(stage, state.order)


@when(parse('"{symbol}" trades at {price}'))
async def move(stage: Stage, symbol: str, price: str) -> None:
    await stage.trade_at(symbol, price)


@given(parse("{who} has traded nothing"))
@then(parse("{who} has traded nothing"))
async def has_traded_nothing(stage: Stage, who: str) -> None:
    assert not await trades_of(stage, who)


@then(parse("{who} has bought {trades}"))
async def has_bought(stage: Stage, who: str, trades: str) -> None:
    assert await trades_of(stage, who) == [(SIDE_BUY, trade) for trade in trades.split(", ")]


@then(parse("{who} has sold {trades}"))
async def has_sold(stage: Stage, who: str, trades: str) -> None:
    assert await trades_of(stage, who) == [(SIDE_SELL, trade) for trade in trades.split(", ")]


@then(parse("{traded:d} of {who}'s order have traded and it is {status}"))
async def order_is(stage: Stage, traded: int, who: str, status: str) -> None:
    state = await last_order(stage, who)
    assert OrderStatus.Name(state.status) == f"ORDER_STATUS_{status}"
    assert state.cum_quantity.value == str(traded)


@then(parse("{left:d} of {who}'s order are left"))
async def order_has_left(stage: Stage, left: int, who: str) -> None:
    assert (await last_order(stage, who)).leaves_quantity.value == str(left)


@then(parse("once the venue is back, {left:d} of {who}'s order are left"))
async def order_has_left_after_outage(stage: Stage, left: int, who: str) -> None:
    await stage.behave()
    assert (await last_order(stage, who)).leaves_quantity.value == str(left)


@then(parse("the reason for {who} is {reason}"))
async def reason_is(stage: Stage, who: str, reason: str) -> None:
    state = await last_order(stage, who)
    assert VenueReason.Name(state.reject_reason) == f"VENUE_REASON_{reason}"


@then(parse("{who} has paid {fee} in fees"))
async def has_paid(stage: Stage, who: str, fee: str) -> None:
    balance = await stage.exchange.get_balance(pb.GetBalanceRequest(account=who.lower()))
    assert [float(cash.fees_paid.amount.value) for cash in balance.balances] == [float(fee)]


@then("both times she gets the answer of the first time")
def gets_the_first_answer(answer: Answer, answers: tuple[Answer, Answer]) -> None:
    assert answers == (answer, answer)


@then(parse("the venue has {count:d} order of {who}"))
@then(parse("the venue has {count:d} orders of {who}"))
async def venue_has(stage: Stage, count: int, who: str) -> None:
    assert len(await orders_of(stage, who)) == count


@then("what became of the order remains open")
def is_indefinite(refused: ServiceError) -> None:
    assert not refused.definite


# What steps do, where it takes more than a line. A client's account has its name in small letters.


async def open_accounts(stage: Stage) -> None:
    for client in CLIENTS:
        await stage.system.venue.fund(client.lower(), money("100000"))


def new_order(stage: Stage, who: str, side: Side.ValueType, quantity: int) -> pb.VenueOrder:
    return venue_order(who.lower(), SYMBOL, side, quantity, client_order_id=stage.request_id())


def limit_order(
    stage: Stage, who: str, side: Side.ValueType, quantity: int, price: str
) -> pb.VenueOrder:
    order = new_order(stage, who, side, quantity)
    order.type = ORDER_TYPE_LIMIT
    order.limit_price.value = price
    return order


async def place(stage: Stage, order: pb.VenueOrder) -> Answer:
    request = pb.PlaceOrderRequest(order=order)
    return await until_definite(lambda: stage.member.place_order(request))


async def orders_of(stage: Stage, who: str) -> Sequence[pb.VenueOrderState]:
    listed = await stage.member.list_orders(pb.ListOrdersRequest(account=who.lower()))
    return listed.orders


async def last_order(stage: Stage, who: str) -> pb.VenueOrderState:
    return (await orders_of(stage, who))[-1]


async def trades_of(stage: Stage, who: str) -> list[tuple[Side.ValueType, str]]:
    """Return side, quantity and price of each trade of a client, in order."""
    listed = await stage.member.list_executions(pb.ListExecutionsRequest(account=who.lower()))
    return [
        (report.side, f"{report.last_quantity.value} at {float(report.last_price.value):.2f}")
        for report in listed.executions
        if report.exec_type == EXEC_TYPE_TRADE
    ]
