"""Steps of resilience: a service is away, what the others still do, and who is not asked."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack

import pytest
from grpc import StatusCode
from pytest_bdd import scenarios
from pytest_bdd.parsers import parse
from trading.types.v1.order_pb2 import (
    ORDER_STATUS_CANCELED,
    ORDER_STATUS_IN_DOUBT,
    ORDER_STATUS_NEW,
    ORDER_STATUS_REJECTED,
    Order,
)

from features.bdd import given, then, when
from fixtures import absence, dealing, degrading
from fixtures.probes import Scene, working
from fixtures.sparing import BAD, Spared
from fixtures.stage import Stage
from runtime.errors import ServiceError

scenarios("resilience")


@given("orders that work, a strategy that runs and one that does not", target_fixture="scene")
async def prepare(stage: Stage) -> Scene:
    return await degrading.prepared(stage)


@given(parse("{name} is killed"))
@when(parse("{name} is killed"))
async def kill(stage: Stage, name: str) -> None:
    await stage.system.crash(name)


@when(parse("{name} goes away"))
async def go_away(stage: Stage, name: str, away: AsyncExitStack) -> None:
    await degrading.take_away(stage, name, away)


@when("Ana submits an order", target_fixture="order")
async def submit(stage: Stage) -> Order:
    return await working(stage)


@then(parse("without {peer} {name} refuses what its contract says, and answers everything else"))
async def refuses_as_stated(scene: Scene, name: str, peer: str) -> None:
    refused = await degrading.refused(scene, name)
    assert sorted(refused) == sorted(degrading.stated(name, peer).refuses)


@then(parse("when {peer} is back {name} answers everything, and no order is in doubt"))
async def all_is_well(scene: Scene, away: AsyncExitStack, peer: str, name: str) -> None:
    await degrading.give_back(scene.stage, peer, away)
    again = await degrading.prepared_again(scene)
    assert await degrading.refused(again, name) == {}
    await scene.stage.system.settle()
    statuses = {order.status for order in await dealing.orders_of(scene.stage)}
    assert ORDER_STATUS_IN_DOUBT not in statuses


@then("a new order is rejected because risk is unavailable")
async def is_rejected(stage: Stage) -> None:
    order = await working(stage)
    assert (order.status, list(order.reject.codes)) == (ORDER_STATUS_REJECTED, ["RISK_UNAVAILABLE"])


@then("a working order can be canceled")
async def is_canceled(scene: Scene) -> None:
    order = await degrading.canceled(scene)
    assert order.status == ORDER_STATUS_CANCELED


@then("her order is in doubt")
def is_in_doubt(order: Order) -> None:
    assert order.status == ORDER_STATUS_IN_DOUBT


@then(parse("after the restart of {name} it works at the venue, once"))
async def works_once(stage: Stage, order: Order, name: str) -> None:
    await stage.system.restart(name)
    await stage.system.settle()
    mine = order.spec.client_order_id
    assert (await dealing.order_of(stage, mine)).status == ORDER_STATUS_NEW
    theirs = [one.order.client_order_id for one in await dealing.venue_orders(stage)]
    assert theirs.count(mine) == 1


@pytest.fixture
def spared(stage: Stage, runner: asyncio.Runner) -> Iterator[Spared]:
    """Return the client of the scenario, stopped at its end."""
    client = Spared(stage)
    runner.run(client.start())
    yield client
    runner.run(client.stop())


@pytest.fixture
def away(runner: asyncio.Runner, stage: Stage) -> Iterator[AsyncExitStack]:
    """Hold what is away; closing it brings all of it back."""
    stack = AsyncExitStack()
    yield stack
    runner.run(stack.aclose())


@given("a client of orders whose breaker opens for half a second")
def have_client(spared: Spared) -> None:
    assert spared.target.breaker.state == "CLOSED"


@given("every database is away")
async def take_databases(stage: Stage, away: AsyncExitStack) -> None:
    await away.enter_async_context(absence.databases_away(stage))


@given(parse("it has asked {times:d} times in vain"))
@when(parse("it asks {times:d} times in vain"))
async def ask_in_vain(spared: Spared, times: int) -> None:
    await spared.ask_in_vain(times)


@when(parse("it sends {count:d} bad requests"))
async def send_bad(spared: Spared, count: int) -> None:
    codes = [error and error.code for error in [await spared.ask(BAD) for _ in range(count)]]
    assert codes == [StatusCode.INVALID_ARGUMENT] * count


@when("orders is started again and half a second has passed")
async def start_again(stage: Stage, spared: Spared) -> None:
    await stage.system.restart("orders")
    await spared.rest()


@when("half a second has passed and it asks once more")
async def ask_once_more(spared: Spared) -> None:
    await spared.rest()
    assert await spared.ask() is not None


@when(parse("Ana submits {count:d} orders, which are refused"), target_fixture="refusals")
async def submit_many(spared: Spared, count: int) -> list[ServiceError | None]:
    return [await spared.submit() for _ in range(count)]


@then(parse("its breaker is {state}"))
def breaker_is(spared: Spared, state: str) -> None:
    assert spared.target.breaker.state == state


@then("the next good request is answered")
async def is_answered(spared: Spared) -> None:
    assert await spared.ask() is None


@then(parse("the next request is refused unsent, with the reason {reason}"))
async def is_refused(spared: Spared, reason: str) -> None:
    sent = spared.door.sent
    error = await spared.ask()
    assert error is not None
    assert (error.code, error.reason, error.definite) == (StatusCode.UNAVAILABLE, reason, True)
    assert spared.door.sent == sent
