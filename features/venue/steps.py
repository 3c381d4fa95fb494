"""Steps of the venue: clients trade there with each other, past the platform."""

import pytest
from pytest_bdd import scenarios
from pytest_bdd.parsers import parse
from trading.exchange.v1 import exchange_pb2 as pb
from trading.types.v1.execution_pb2 import EXEC_TYPE_TRADE, EXEC_TYPE_TRADE_CANCEL, VenueReason
from trading.types.v1.order_pb2 import (
    ORDER_TYPE_STOP,
    SIDE_BUY,
    SIDE_SELL,
    TIME_IN_FORCE_FOK,
    OrderStatus,
)

from features.bdd import given, then, when
from fixtures import members
from fixtures.exchange import Venue
from fixtures.exchange.journal import from_values, replay
from fixtures.members import SYMBOL, last_order, limit_order, new_order, place, trades_of
from fixtures.mothers import decimal
from fixtures.stage import Stage
from runtime.errors import ServiceError

Answer = pb.PlaceOrderResponse

scenarios("venue")


@given(parse('only clients trade "{symbol}"'))
async def admit_clients(stage: Stage, symbol: str) -> None:
    await stage.system.admit([symbol], pb.REFERENCE_MODE_LIVE_PATH)
    await members.open_accounts(stage)


@given(parse('"{symbol}" trades along its bars, last at {price}'))
async def trade_along_bars(stage: Stage, symbol: str, price: str) -> None:
    await members.open_accounts(stage)
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


@given(parse("{who} offers {quantity:d} at {price}, showing {shown:d}"))
async def offer_hidden(stage: Stage, who: str, quantity: int, price: str, shown: int) -> None:
    order = limit_order(stage, who, SIDE_SELL, quantity, price)
    order.display_quantity.value = str(shown)
    await place(stage, order)


@given(parse("{who} makes it {quantity:d}"))
async def make_it(stage: Stage, who: str, quantity: int) -> None:
    await members.replace(stage, who, quantity)


@given("trading is halted")
async def halt(stage: Stage) -> None:
    request = pb.HaltInstrumentRequest(instrument=SYMBOL, request_id=stage.request_id())
    await stage.control.halt_instrument(request)


@when("trading is resumed")
async def resume(stage: Stage) -> None:
    request = pb.ResumeInstrumentRequest(instrument=SYMBOL, request_id=stage.request_id())
    await stage.control.resume_instrument(request)


@when(parse("the venue takes {who}'s trade back"))
async def bust(stage: Stage, who: str) -> None:
    (trade,) = [r for r in await members.reports_of(stage, who) if r.exec_type == EXEC_TYPE_TRADE]
    request = pb.BustTradeRequest(exec_id=trade.exec_id, request_id=stage.request_id())
    await stage.control.bust_trade(request)


@given("the venue makes every second trade in parts")
async def split_trades(stage: Stage) -> None:
    kind = pb.BEHAVIOUR_KIND_SPLIT_FILLS
    behaviour = pb.Behaviour(kind=kind, probability=0.5, count=3)
    request = pb.SetBehaviourRequest(behaviour=behaviour, request_id=stage.request_id())
    await stage.control.set_behaviour(request)


@given("clients trade all day")
async def trade_all_day(stage: Stage) -> None:
    await members.trade_all_day(stage)


@when("a new venue of the same seed is given the same day", target_fixture="twin")
async def same_day(stage: Stage) -> Venue:
    rows = [row for row in stage.system.venue.journal() if row.table == "journal"]
    return replay([from_values(row.values) for row in rows], Venue())


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
    (cash,) = (await members.balance_of(stage, who)).balances
    assert float(cash.fees_paid.amount.value) == float(fee)


@then("both times she gets the answer of the first time")
def gets_the_first_answer(answer: Answer, answers: tuple[Answer, Answer]) -> None:
    assert answers == (answer, answer)


@then(parse("the venue has {count:d} order of {who}"))
@then(parse("the venue has {count:d} orders of {who}"))
async def venue_has(stage: Stage, count: int, who: str) -> None:
    assert len(await members.orders_of(stage, who)) == count


@then("what became of the order remains open")
def is_indefinite(refused: ServiceError) -> None:
    assert not refused.definite


@then(parse("{who} holds {quantity}"))
async def holds(stage: Stage, who: str, quantity: str) -> None:
    held = (await members.balance_of(stage, who)).positions
    assert [position.quantity.value for position in held] == [quantity] * (quantity != "nothing")


@then(parse("{who} has {total} in cash, {reserved} of it reserved"))
async def has_cash(stage: Stage, who: str, total: str, reserved: str) -> None:
    (cash,) = (await members.balance_of(stage, who)).balances
    assert float(cash.total.amount.value) == float(total)
    assert float(cash.reserved.amount.value) == float(reserved)


@then(parse("{who} is told which trade was taken back"))
async def is_told_of_bust(stage: Stage, who: str) -> None:
    trade, bust = (await members.reports_of(stage, who))[-2:]
    assert (trade.exec_type, bust.exec_type) == (EXEC_TYPE_TRADE, EXEC_TYPE_TRADE_CANCEL)
    assert bust.exec_ref_id == trade.exec_id


@then("it makes the same reports")
def makes_the_same(stage: Stage, twin: Venue) -> None:
    assert twin.log == stage.system.venue.log
    assert len(twin.log) > 50
