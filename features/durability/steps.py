"""Steps of durability: stores go away under a trading platform, and come back."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack

import pytest
from grpc import StatusCode
from pytest_bdd import scenarios
from pytest_bdd.parsers import parse
from trading.health.v1 import health_pb2
from trading.orders.v1 import orders_pb2
from trading.types.v1.order_pb2 import ORDER_STATUS_NEW

from features.bdd import given, then, when
from fixtures import absence, dealing
from fixtures.principals import OPERATOR, TRADER
from fixtures.stage import Stage
from runtime.errors import ServiceError
from runtime.times import NS_PER_S

SYMBOL = "SQ00.XSIM"
Refused = tuple[str, ServiceError]

scenarios("durability")


@pytest.fixture
def away(runner: asyncio.Runner, stage: Stage) -> Iterator[AsyncExitStack]:
    """Hold what is away; closing it brings all of it back."""
    stack = AsyncExitStack()
    yield stack
    runner.run(stack.aclose())


@given(parse('the price of "{symbol}" is {price}'))
async def close_at(stage: Stage, symbol: str, price: str) -> None:
    await stage.close_bar(symbol, price)


@given(parse('an order of Ana for {quantity:d} "{symbol}" works at the venue'))
@then(parse('Ana\'s next order for {quantity:d} "{symbol}" works at the venue'))
async def work(stage: Stage, quantity: int, symbol: str) -> None:
    assert (await absence.submit(stage, symbol, quantity)).status == ORDER_STATUS_NEW
    await stage.system.settle()


@given("the databases went away")
@when("the databases went away")
async def go_away(stage: Stage, away: AsyncExitStack) -> None:
    await away.enter_async_context(absence.databases_away(stage))


@given(parse("the venue traded {lots:d} of her order"))
async def trade(stage: Stage, lots: int) -> None:
    await absence.trade(stage, SYMBOL, [lots])


@given(parse("the venue traded {one:d}, {two:d} and {three:d} of her order"))
async def trade_thrice(stage: Stage, one: int, two: int, three: int) -> None:
    await absence.trade(stage, SYMBOL, [one, two, three])


@given(parse('an order of Ana for {quantity:d} "{symbol}" was refused'))
async def refuse(stage: Stage, quantity: int, symbol: str) -> None:
    _, error = await absence.refused(stage, symbol, quantity)
    assert error.code is StatusCode.UNAVAILABLE


@given("Ana has looked at her order", target_fixture="seen")
async def look(stage: Stage) -> orders_pb2.GetOrderResponse:
    (order,) = await dealing.orders_of(stage)
    return await absence.told(stage, TRADER, order.spec.client_order_id)


@given("Redis went away")
async def lose_redis(stage: Stage, away: AsyncExitStack) -> None:
    await away.enter_async_context(absence.redis_away(stage))


@given(parse('Ana ordered {quantity:d} "{symbol}" all the same'))
async def order_without_streams(stage: Stage, quantity: int, symbol: str) -> None:
    assert (await absence.submit(stage, symbol, quantity)).status == ORDER_STATUS_NEW
    await absence.until(lambda: absence.is_noticed(stage))


@when(
    parse('Ana orders {quantity:d} "{symbol}", and the databases come back'),
    target_fixture="refused",
)
async def order_and_return(
    stage: Stage, away: AsyncExitStack, quantity: int, symbol: str
) -> Refused:
    refused = await absence.refused(stage, symbol, quantity)
    await away.aclose()
    await absence.until(lambda: absence.all_keep(stage))
    return refused


@when("the databases come back")
async def come_back(stage: Stage, away: AsyncExitStack) -> None:
    await away.aclose()
    await absence.until(lambda: absence.all_keep(stage))


@when(parse("the databases went away, and the venue traded {lots:d} of her order"))
async def go_away_and_trade(stage: Stage, away: AsyncExitStack, lots: int) -> None:
    await away.enter_async_context(absence.databases_away(stage))
    await absence.trade(stage, SYMBOL, [lots])


@when(parse("{minutes:d} minutes have passed"))
async def wait(stage: Stage, minutes: int) -> None:
    time = stage.system.time
    await time.skip_to(time.now_ns() + minutes * 60 * NS_PER_S)
    stage.next_minute(SYMBOL, minutes)  # In which no bar was published.


@then("that order was refused before it had any effect")
async def had_no_effect(stage: Stage, refused: Refused) -> None:
    name, error = refused
    assert error.code is StatusCode.UNAVAILABLE
    await stage.system.settle()
    assert await absence.knows(stage, name) == []


@then(parse('she holds {quantity:d} "{symbol}", in the ledger as at the venue'))
async def hold(stage: Stage, quantity: int, symbol: str) -> None:
    await stage.system.settle()
    assert await dealing.positions(stage) == {symbol: quantity}
    assert await dealing.venue_positions(stage) == {symbol: quantity}


@given("every service tells that it keeps its data")
@then("every service tells that it keeps its data")
async def all_keep(stage: Stage) -> None:
    found = await absence.health(stage)
    assert {one.durability for one in found.values()} <= set(absence.KEPT), found


@then("every service tells that it refuses what is new")
async def all_refuse(stage: Stage) -> None:
    found = await absence.health(stage)
    refusing = health_pb2.DURABILITY_STATE_REFUSING
    assert {one.durability for one in found.values()} == {refusing}, found
    assert {one.status for one in found.values()} == {health_pb2.SERVING_STATUS_SERVING}


@then(parse("execution tells that {count:d} fact is spooled, and for how long"))
async def tell_of_spool(stage: Stage, count: int) -> None:
    facts = (await absence.health(stage))["execution"].data[1]
    assert facts.kind == health_pb2.DATA_KIND_FACTS
    assert facts.state == health_pb2.DURABILITY_STATE_SPOOLING
    assert facts.depth == count
    assert facts.age.ToNanoseconds() > 0
    assert facts.HasField("since")


@then(parse("her order traded {one:d}, {two:d} and {three:d}, each once and in this order"))
async def traded_in_order(stage: Stage, one: int, two: int, three: int) -> None:
    await stage.system.settle()
    fills = [int(fill.execution.last_quantity.value) for fill in await dealing.fills_of(stage)]
    assert fills == [one, two, three]


@then("she is told the same of it, and when it was read")
async def told_again(stage: Stage, seen: orders_pb2.GetOrderResponse) -> None:
    known = await absence.told(stage, TRADER, seen.order.spec.client_order_id)
    assert known.order == seen.order
    assert known.HasField("as_of")


@then("Ben, who never looked at it, is told nothing")
async def told_nothing(stage: Stage, seen: orders_pb2.GetOrderResponse) -> None:
    with pytest.raises(ServiceError) as unknown:
        await absence.told(stage, OPERATOR, seen.order.spec.client_order_id)
    assert unknown.value.code is StatusCode.UNAVAILABLE


@then(parse('her order for {quantity:d} "{symbol}" is refused for the backlog'))
async def refused_for_backlog(stage: Stage, quantity: int, symbol: str) -> None:
    _, error = await absence.refused(stage, symbol, quantity)
    assert (error.code, error.reason) == (StatusCode.UNAVAILABLE, "STREAMS_BACKLOG")


@then("it is taken once Redis is back and the backlog is gone")
async def taken(stage: Stage, away: AsyncExitStack) -> None:
    await away.aclose()
    await absence.until(lambda: absence.all_keep(stage))
    await stage.close_bar(SYMBOL, "100.00")  # The old price is too old to trade on.
    order = await absence.submit(stage, SYMBOL, 6)
    assert order.status == ORDER_STATUS_NEW, order.reject
