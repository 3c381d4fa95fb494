"""Steps of outages: links, services and stores go away and come back."""

import asyncio
from decimal import Decimal

from pytest_bdd import scenarios
from pytest_bdd.parsers import parse
from trading.types.v1.order_pb2 import ORDER_STATUS_IN_DOUBT, ORDER_STATUS_NEW, Order

from features.bdd import given, then, when
from fixtures import crossing, dealing, outages
from fixtures.stage import Stage

SYMBOL = "SQ00.XSIM"

scenarios("outages")


@given(parse('the price of "{symbol}" is {price}'))
async def close_at(stage: Stage, symbol: str, price: str) -> None:
    await stage.close_bar(symbol, price)


@given(parse('a strategy that follows crossings of "{symbol}"'), target_fixture="strategy_id")
async def run(stage: Stage, symbol: str) -> str:
    await crossing.learn(stage, symbol)
    strategy_id = await crossing.create(stage, symbol, 100)
    await crossing.start(stage, strategy_id)
    return strategy_id


@given("the link to the exchange is cut")
async def cut_link(stage: Stage) -> None:
    await stage.system.hosting.fail_wires(cuts=[("execution", "exchange")])


@given(parse('Ana has sent orders of {one:d}, {two:d} and {three:d} "{symbol}"'))
async def send(stage: Stage, one: int, two: int, three: int, symbol: str) -> None:
    orders = await submit_all(stage, symbol, one, two, three)
    assert [order.status for order in orders] == [ORDER_STATUS_IN_DOUBT] * 3


@given("risk was killed")
async def kill_risk(stage: Stage) -> None:
    await stage.system.crash("risk")


@given("it has signalled after orders was killed")
async def signal_without_orders(stage: Stage) -> None:
    await stage.system.crash("orders")
    await outages.publish_close(stage, SYMBOL, crossing.RISE)
    await outages.relayed(stage, "signals", 1)


@given("Redis was emptied")
async def empty_redis(stage: Stage) -> None:
    await stage.system.stores.redis.flushall()


@when(parse("the link has been cut for {seconds:d} seconds and is whole again"))
async def mend(stage: Stage, seconds: int) -> None:
    await asyncio.sleep(seconds)
    await stage.system.hosting.fail_wires()
    await stage.system.settle()


@when(
    parse('the strategy signals, and Ana orders {quantity:d} "{symbol}"'),
    target_fixture="order",
)
async def signal_and_order(stage: Stage, quantity: int, symbol: str) -> Order:
    await outages.publish_close(stage, symbol, crossing.RISE)
    (order,) = await submit_all(stage, symbol, quantity)
    return order


@when("orders is started again")
async def restart(stage: Stage) -> None:
    await stage.system.restart("orders")
    await stage.system.settle()


@when(
    parse("the price rises while the database of {service} refuses writes for {seconds:d} seconds")
)
async def rise_without_database(stage: Stage, service: str, seconds: int) -> None:
    await outages.refuse_writes(stage, service, seconds, meanwhile=crossing.RISE, symbol=SYMBOL)


@when(parse("the price has moved on to {price}"))
async def move_on(stage: Stage, price: str) -> None:
    await stage.close_bar(SYMBOL, price)


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


@then(parse("the venue has {count:d} order of hers"))
@then(parse("the venue has {count:d} orders of hers"))
async def venue_has(stage: Stage, count: int) -> None:
    assert len(await dealing.venue_orders(stage)) == count


@then("nothing of hers was sent")
def was_not_sent(order: Order) -> None:
    assert list(order.reject.codes) == ["RISK_UNAVAILABLE"]


@then("each signal is decided once")
async def is_decided_once(stage: Stage) -> None:
    signals, decisions = await crossing.published(stage), await crossing.decided(stage)
    assert signals
    assert [one.signal_id for one in decisions] == [one.signal_id for one in signals]


@then("strategy, ledger and venue hold the same")
async def hold_the_same(stage: Stage, strategy_id: str) -> None:
    view = await crossing.view(stage, strategy_id)
    held = {view.instrument: Decimal(view.position.value)}
    assert held == await dealing.positions(stage) == await dealing.venue_positions(stage)


async def submit_all(stage: Stage, symbol: str, *quantities: int) -> list[Order]:
    """Submit orders at once, as Ana does; return what they are answered."""
    specs = [
        dealing.signed_order(symbol, quantity, client_order_id=stage.request_id())
        for quantity in quantities
    ]
    return await asyncio.gather(*[dealing.submit(stage, spec) for spec in specs])
