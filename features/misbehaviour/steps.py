"""Steps of misbehaviour: the venue goes wrong on purpose, towards its clients and the platform."""

from decimal import Decimal

import pytest
from google.protobuf.duration_pb2 import Duration
from grpc import StatusCode
from pytest_bdd import scenarios
from pytest_bdd.parsers import parse
from trading.exchange.v1 import exchange_pb2 as pb
from trading.types.v1.execution_pb2 import EXEC_TYPE_TRADE, VenueReason
from trading.types.v1.order_pb2 import SIDE_BUY, SIDE_SELL, OrderStatus

from features.bdd import given, then, when
from fixtures import dealing, members
from fixtures.history import Mark
from fixtures.mothers import ACCOUNT
from fixtures.stage import Stage
from runtime.errors import ServiceError

MINUTE = Duration(seconds=60)

scenarios("misbehaviour")


@given(parse('only clients trade "{symbol}"'))
async def admit_clients(stage: Stage, symbol: str) -> None:
    await stage.system.admit([symbol], pb.REFERENCE_MODE_LIVE_PATH)
    await members.open_accounts(stage)


@given(parse('the price of "{symbol}" is {price}'))
async def price_is(stage: Stage, symbol: str, price: str) -> None:
    await stage.close_bar(symbol, price)


@given(parse("the venue will show {kind} once"))
async def show_once(stage: Stage, kind: str) -> None:
    await members.misbehave(stage, kind, firings_max=1)


@given(parse("the venue shows {kind} for half of its reports"))
async def show_for_half(stage: Stage, kind: str) -> None:
    duration = Duration(nanos=20_000_000)
    await members.misbehave(stage, kind, probability=0.5, duration=duration)


@given(parse("the venue takes {count:d} order a second"))
async def throttle(stage: Stage, count: int) -> None:
    await members.misbehave(stage, "THROTTLE", count=count, methods=["PlaceOrder"])


@given(parse("the venue makes trades in {count:d} parts"))
async def split(stage: Stage, count: int) -> None:
    await members.misbehave(stage, "SPLIT_FILLS", count=count)


@given("the venue takes trades back after a minute")
async def bust_later(stage: Stage) -> None:
    await members.misbehave(stage, "BUST", duration=MINUTE)


@given("the venue corrects trades after a minute")
async def correct_later(stage: Stage) -> None:
    await members.misbehave(stage, "CORRECT", duration=MINUTE)


@given("the venue halts trading for a minute")
async def halt_for_a_minute(stage: Stage) -> None:
    await members.misbehave(stage, "HALT", duration=MINUTE, firings_max=1)


@given("the venue forgets new orders for a minute")
async def forget(stage: Stage) -> None:
    await members.misbehave(stage, "FORGETFUL_QUERY", duration=MINUTE)


@given(parse("the venue will restart and its session is {session}"))
async def restart(stage: Stage, session: str) -> None:
    is_lost = session == "lost"
    methods = ["PlaceOrder"]
    await members.misbehave(
        stage, "RESTART", firings_max=1, is_session_lost=is_lost, methods=methods
    )


@given(parse("{who} bids {quantity:d} at {price}"))
@when(parse("{who} bids {quantity:d} at {price}"))
async def bid(stage: Stage, who: str, quantity: int, price: str) -> None:
    await members.place(stage, members.limit_order(stage, who, SIDE_BUY, quantity, price))


@given(parse("{who} offers {quantity:d} at {price}"))
async def offer(stage: Stage, who: str, quantity: int, price: str) -> None:
    await members.place(stage, members.limit_order(stage, who, SIDE_SELL, quantity, price))


@given(parse("{who}'s order is not found"))
async def not_found(stage: Stage, who: str) -> None:
    assert not await members.orders_of(stage, who)


@when(parse("{who} tries to bid {quantity:d} at {price}"), target_fixture="refused")
async def try_to_bid(stage: Stage, who: str, quantity: int, price: str) -> ServiceError:
    order = members.limit_order(stage, who, SIDE_BUY, quantity, price)
    with pytest.raises(ServiceError) as caught:
        await stage.member.place_order(pb.PlaceOrderRequest(order=order))
    return caught.value


@when(parse("{who} cancels her order"))
async def cancel(stage: Stage, who: str) -> None:
    await members.cancel(stage, who)


@given(parse('"{symbol}" trades at {price}'))
@when(parse('"{symbol}" trades at {price}'))
async def move(stage: Stage, symbol: str, price: str) -> None:
    await stage.trade_at(symbol, price)


@when("a minute passes")
async def pass_a_minute(stage: Stage) -> None:
    await stage.pass_time(60)


@given(parse('Ana buys {quantity:d} "{symbol}" at {price}'))
@when(parse('Ana buys {quantity:d} "{symbol}" at {price}'))
async def buy(stage: Stage, quantity: int, symbol: str, price: str) -> None:
    await dealing.deal(stage, symbol, quantity, price)


@when("the venue takes Ana's trade back")
async def bust(stage: Stage) -> None:
    reports = await members.reports_of(stage, ACCOUNT)
    (trade,) = [report for report in reports if report.exec_type == EXEC_TYPE_TRADE]
    request = pb.BustTradeRequest(exec_id=trade.exec_id, request_id=stage.request_id())
    await stage.control.bust_trade(request)
    await stage.system.settle()


@then("what became of the order remains open")
def is_indefinite(refused: ServiceError) -> None:
    assert not refused.definite


@then("she is told to come back later")
def is_exhausted(refused: ServiceError) -> None:
    assert (refused.code, refused.reason) == (StatusCode.RESOURCE_EXHAUSTED, "THROTTLED")


@then(parse("the venue has {count:d} order of {who}"))
@then(parse("the venue has {count:d} orders of {who}"))
async def venue_has(stage: Stage, count: int, who: str) -> None:
    assert len(await members.orders_of(stage, who)) == count


@then(parse("{who}'s order is {status}"))
async def order_is(stage: Stage, who: str, status: str) -> None:
    state = await members.last_order(stage, who)
    assert OrderStatus.Name(state.status) == f"ORDER_STATUS_{status}"


@then(parse("the reason for {who} is {reason}"))
async def reason_is(stage: Stage, who: str, reason: str) -> None:
    state = await members.last_order(stage, who)
    assert VenueReason.Name(state.reject_reason) == f"VENUE_REASON_{reason}"


@then(parse("{who}'s last report is {kind}"))
async def last_report_is(stage: Stage, who: str, kind: str) -> None:
    assert (await members.told_of(stage, who))[-1] == kind


@then(parse("{who}'s reports are {told}"))
async def reports_are(stage: Stage, who: str, told: str) -> None:
    assert ", ".join(await members.told_of(stage, who)) == told


@then(parse("{who} has bought {trades}"))
async def has_bought(stage: Stage, who: str, trades: str) -> None:
    bought = [(SIDE_BUY, trade) for trade in trades.split(", ")]
    assert await members.trades_of(stage, who) == bought


@then(parse("{who} holds nothing"))
async def holds_nothing(stage: Stage, who: str) -> None:
    assert not (await members.balance_of(stage, who)).positions


@then(parse("{who} has paid {paid} and {fee} in fees"))
async def has_paid(stage: Stage, who: str, paid: str, fee: str) -> None:
    (cash,) = (await members.balance_of(stage, who)).balances
    total = Decimal(members.CASH) - Decimal(paid) - Decimal(fee)
    assert Decimal(cash.total.amount.value) == total
    assert Decimal(cash.fees_paid.amount.value) == Decimal(fee)


@then(parse("Ana holds {quantity:d} at {price} in ledger and venue alike"))
async def ana_holds(stage: Stage, quantity: int, price: str) -> None:
    position = await dealing.position(stage, members.SYMBOL)
    assert Decimal(position.average_price.value) == Decimal(price)
    assert await dealing.positions(stage) == {members.SYMBOL: Decimal(quantity)}
    assert await dealing.venue_positions(stage) == {members.SYMBOL: Decimal(quantity)}


@then("Ana holds nothing in ledger and venue alike")
async def ana_holds_nothing(stage: Stage) -> None:
    assert not {*(await dealing.positions(stage)).values()} - {Decimal(0)}
    assert await dealing.venue_positions(stage) == {}


@then("ledger and venue state the same cash")
async def same_cash(stage: Stage) -> None:
    (ours,) = (await dealing.snapshot(stage)).cash
    (theirs,) = (await dealing.venue_balance(stage)).balances
    assert Decimal(ours.amount.value) == Decimal(theirs.total.amount.value)


@then(parse("the history has {count:d} fault, {kind}"))
def has_fault(stage: Stage, count: int, kind: str) -> None:
    marks = [record for record in stage.system.history.records if isinstance(record, Mark)]
    assert [mark.detail["kind"] for mark in marks if mark.name == "fired"] == [kind] * count
