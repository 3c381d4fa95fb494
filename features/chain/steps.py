"""Steps of the whole chain: candles come in, fills are booked, whatever goes wrong between."""

import asyncio
from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest
from pytest_bdd import scenarios
from pytest_bdd.parsers import parse
from trading.exchange.v1.exchange_pb2 import ListBehavioursRequest
from trading.portfolio.v1.portfolio_pb2 import JOURNAL_KIND_FILL
from trading.types.v1.order_pb2 import (
    ORDER_STATUS_FILLED,
    ORDER_STATUS_IN_DOUBT,
    ORDER_STATUS_NEW,
    ORDER_STATUS_REJECTED,
    Order,
)

from features.bdd import given, then, when
from fixtures import crossing, days, dealing
from fixtures.mothers import minute_candle
from fixtures.setup import Setup
from fixtures.stage import Stage
from fixtures.worlds import World
from runtime.times import to_ns

SYMBOL = "SQ00.XSIM"
LEARNING_FROM, LEARNING_TO = "2017-11", "2017-12"

scenarios("chain")


@pytest.fixture
def stage(runner: asyncio.Runner, setup: Callable[..., Setup]) -> Iterator[Stage]:
    """Return a platform whose clock stands before the days that are replayed."""
    stage = runner.run(Stage.set_up(setup(start_ns=days.start_ns(LEARNING_FROM))))
    yield stage
    runner.run(stage.system.stop())


@given(parse('the price of "{symbol}" is {price}'))
async def close_at(stage: Stage, symbol: str, price: str) -> None:
    await stage.system.admit([symbol])
    await stage.close_bar(symbol, price)


@given(parse('a strategy that follows crossings of "{symbol}"'), target_fixture="strategy_id")
async def run(stage: Stage, symbol: str) -> str:
    await crossing.learn(stage, symbol)
    strategy_id = await crossing.create(stage, symbol, 100)
    await crossing.start(stage, strategy_id)
    return strategy_id


@given(parse("the days of {first} to {last} are known"))
@when(parse("the days of {first} to {last} are replayed"))
async def replay(stage: Stage, first: str, last: str) -> None:
    await days.replay(stage, first, last)


@given("a strategy that follows their crossings")
async def run_on_days(stage: Stage) -> None:
    await days.follow_crossings(stage)


@given(parse('the venue has taken an order of {quantity:d} "{symbol}", and its answer was lost'))
async def lose_answer(stage: Stage, quantity: int, symbol: str) -> None:
    await stage.misbehave("LOST_ANSWER", methods=["PlaceOrder"], firings_max=1)
    await submit_all(stage, symbol, quantity)
    assert len(await dealing.venue_orders(stage)) == 1


@given(parse('Ana has sent orders of {one:d} and {two:d} "{symbol}" while the venue was out'))
async def send_during_outage(stage: Stage, one: int, two: int, symbol: str) -> None:
    await stage.misbehave("OUTAGE")
    orders = await submit_all(stage, symbol, one, two)
    assert [order.status for order in orders] == [ORDER_STATUS_IN_DOUBT] * 2


@given("the venue sends each of its reports twice")
async def duplicate_reports(stage: Stage) -> None:
    await stage.misbehave("DUPLICATE_REPORT")


@given(parse('Ana bought {quantity:d} "{symbol}" at {price}'))
async def buy(stage: Stage, quantity: int, symbol: str, price: str) -> None:
    await dealing.deal(stage, symbol, quantity, price)


@given(parse('an order of Ana\'s for {quantity:d} "{symbol}" works at the venue'))
async def work_at_venue(stage: Stage, quantity: int, symbol: str) -> None:
    (order,) = await submit_all(stage, symbol, quantity)
    assert order.status == ORDER_STATUS_NEW
    await stage.system.settle()


@given(parse("the venue has filled it at {price} after orders was killed"))
async def fill_without_orders(stage: Stage, price: str) -> None:
    await stage.system.crash("orders")
    await stage.move(SYMBOL, price)


@given("it has signalled to go long after orders was killed")
async def signal_without_orders(stage: Stage) -> None:
    await stage.system.crash("orders")
    bar = minute_candle(SYMBOL, crossing.RISE, minute=stage.next_minute(SYMBOL))
    await stage.system.time.skip_to(to_ns(bar.close_time))
    await stage.publish([bar])
    assert len(await crossing.watched(stage, 1)) == 1


@when(parse('the price of "{symbol}" rises to {price}, and next to {next_price}'))
async def rise(stage: Stage, symbol: str, price: str, next_price: str) -> None:
    await stage.close_bar(symbol, price)
    await stage.close_bar(symbol, next_price)


@when(
    parse("the days of {first} to {last} are traded live, in a replay and in a simulation"),
    target_fixture="accounts",
)
def trade_in_each_way(first: str, last: str) -> list[days.Account]:
    live = days.traded_in(World.EMBEDDED, (LEARNING_FROM, LEARNING_TO), (first, last), days.live)
    return [
        live,
        *(
            days.traded_in(world, (LEARNING_FROM, LEARNING_TO), (first, last), days.replay)
            for world in (World.EMBEDDED, World.SIMULATED)
        ),
    ]


@when(parse('Ana orders {quantity:d} "{symbol}"'), target_fixture="order")
async def order_one(stage: Stage, quantity: int, symbol: str) -> Order:
    (order,) = await submit_all(stage, symbol, quantity)
    return order


@when("the venue is back")
async def come_back(stage: Stage) -> None:
    await stage.behave()
    await stage.system.settle()


@when(parse('Ana sells {quantity:d} "{symbol}" at {price}'))
async def sell(stage: Stage, quantity: int, symbol: str, price: str) -> None:
    await dealing.deal(stage, symbol, -quantity, price)


@when("orders is started again")
async def restart(stage: Stage) -> None:
    await stage.system.restart("orders")
    await stage.system.settle()


@then(parse('Ana\'s account holds {quantity:d} "{symbol}" that cost {price} each'))
async def holds(stage: Stage, quantity: int, symbol: str, price: str) -> None:
    position = await dealing.position(stage, symbol)
    assert Decimal(position.quantity.value) == quantity
    assert Decimal(position.average_price.value) == Decimal(price)


@then("strategy, ledger and venue hold the same")
async def hold_the_same(stage: Stage, strategy_id: str) -> None:
    view = await crossing.view(stage, strategy_id)
    held = {view.instrument: Decimal(view.position.value)}
    assert held == await dealing.positions(stage) == await dealing.venue_positions(stage)


@then("the fill names the order, and the order names the signal")
async def name_each_other(stage: Stage) -> None:
    (signal,), (order,) = await crossing.published(stage), await dealing.orders_of(stage)
    (fill,) = await dealing.fills_of(stage)
    booked = (await dealing.journals(stage))[-1]
    assert booked.source == f"{fill.execution.venue}/{fill.execution.exec_id}"
    assert fill.execution.client_order_id == order.spec.client_order_id
    assert order.spec.signal_id == signal.signal_id


@then("each of them holds the same, and something")
def held_the_same(accounts: list[days.Account]) -> None:
    live, replayed, simulated = (account.positions for account in accounts)
    assert live == replayed == simulated != {}


@then("each of them has booked the same fills")
def booked_the_same(accounts: list[days.Account]) -> None:
    live, replayed, simulated = (account.trades for account in accounts)
    assert live == replayed == simulated != []


@then(parse("it has traded more than {count:d} times"), target_fixture="trades")
async def has_traded(stage: Stage, count: int) -> list[days.Trade]:
    trades = await days.trades(stage)
    assert len(trades) > count
    return trades


@then("each trade has the close of the day after its signal")
def traded_after_deciding(trades: list[days.Trade]) -> None:
    assert [trade.price for trade in trades] == [trade.closes[1] for trade in trades]


@then(parse("the order is rejected for {code}"))
def is_rejected(order: Order, code: str) -> None:
    assert order.status == ORDER_STATUS_REJECTED
    assert list(order.reject.codes) == [code]


@then("the order works at the venue")
def works(order: Order) -> None:
    assert order.status == ORDER_STATUS_NEW


@then(parse("the venue has {count:d} order of hers"))
@then(parse("the venue has {count:d} orders of hers"))
async def venue_has(stage: Stage, count: int) -> None:
    assert len(await dealing.venue_orders(stage)) == count


@then(parse("each of the {count:d} orders is at the venue once"))
async def is_there_once(stage: Stage, count: int) -> None:
    ours = sorted(order.spec.client_order_id for order in await dealing.orders_of(stage))
    theirs = sorted(one.order.client_order_id for one in await dealing.venue_orders(stage))
    assert len(ours) == count
    assert ours == theirs


@then(parse("each of the {count:d} orders works"))
async def each_works(stage: Stage, count: int) -> None:
    statuses = [order.status for order in await dealing.orders_of(stage)]
    assert statuses == [ORDER_STATUS_NEW] * count


@then("the venue has sent reports twice")
async def has_repeated(stage: Stage) -> None:
    behaviours = await stage.control.list_behaviours(ListBehavioursRequest())
    assert [one.firings > 0 for one in behaviours.behaviours] == [True]


@then(parse("{count:d} fills are booked"))
async def are_booked(stage: Stage, count: int) -> None:
    kinds = [journal.kind for journal in await dealing.journals(stage)]
    assert kinds.count(JOURNAL_KIND_FILL) == count


@then("ledger and venue state the same cash and positions")
async def agree(stage: Stage) -> None:
    (cash,) = (await dealing.snapshot(stage)).cash
    (balance,) = (await dealing.venue_balance(stage)).balances
    assert Decimal(cash.amount.value) == Decimal(balance.total.amount.value)
    held = await dealing.positions(stage)
    assert held == await dealing.venue_positions(stage) != {}


@then("her order is filled")
async def is_filled(stage: Stage) -> None:
    (order,) = await dealing.orders_of(stage)
    assert order.status == ORDER_STATUS_FILLED


@then("each signal is decided once")
async def is_decided_once(stage: Stage) -> None:
    signals, decisions = await crossing.published(stage), await crossing.decided(stage)
    assert [one.signal_id for one in decisions] == [one.signal_id for one in signals]


# What steps do, where it takes more than a line.


async def submit_all(stage: Stage, symbol: str, *quantities: int) -> list[Order]:
    """Submit orders at once, as Ana does; return what they are answered."""
    specs = [
        dealing.signed_order(symbol, quantity, client_order_id=stage.request_id())
        for quantity in quantities
    ]
    return await asyncio.gather(*[dealing.submit(stage, spec) for spec in specs])
