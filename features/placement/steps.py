"""Steps of moving: a service leaves its device while orders flow, and everything goes on."""

import asyncio
from collections import Counter
from collections.abc import Callable

from pytest_bdd import scenarios
from pytest_bdd.parsers import parse
from trading.types.v1.order_pb2 import ORDER_STATUS_REJECTED

from features.bdd import given, then, when
from fixtures import crossing, days, dealing, excuses, moving
from fixtures.flowing import FOLLOWED, PRICE, TRADED, Flow
from fixtures.judging import judged
from fixtures.likeness import Records, traded
from fixtures.moving import devices_of
from fixtures.outcome import Verdict
from fixtures.setup import Setup
from fixtures.stage import Stage
from fixtures.worlds import World

scenarios("placement")

LOTS = 10
LEARNING = ("2017-11", "2017-12")


@given("a strategy that follows one market, and Ana who trades another")
async def prepare(stage: Stage) -> None:
    await crossing.running(stage, FOLLOWED, LOTS)
    await stage.close_bar(TRADED, PRICE)


@when(parse("{service} moves to its standby and back while orders flow"), target_fixture="flow")
async def move_and_back(stage: Stage, service: str) -> Flow:
    return await moving.moved_while_flowing(stage, service)


@when("risk is to move to its standby, which sleeps, while orders flow", target_fixture="flow")
async def move_to_sleeper(stage: Stage) -> Flow:
    return await moving.not_moved_while_asleep(stage, "risk")


@when(
    "risk is to move to its standby, which cannot reach its database, while orders flow",
    target_fixture="flow",
)
async def move_without_database(stage: Stage) -> Flow:
    return await moving.not_moved_while_cut_off(stage, "risk")


@when(
    parse("{service} goes to its standby by other options of both, and back, while orders flow"),
    target_fixture="flow",
)
async def rearrange(stage: Stage, service: str) -> Flow:
    return await moving.rearranged_while_flowing(stage, service)


@when(
    parse("the days of {first} to {last} are traded on these devices, and in the simulation"),
    target_fixture="both",
)
def trade_days(
    runner: asyncio.Runner, setup: Callable[..., Setup], first: str, last: str
) -> list[Records]:
    start_ns = days.start_ns(LEARNING[0])
    here = runner.run(traded(setup(start_ns=start_ns), LEARNING, (first, last)))
    with World.SIMULATED.runner() as simulated:
        elsewhere = Setup(World.SIMULATED, start_ns=start_ns)
        return [here, simulated.run(traded(elsewhere, LEARNING, (first, last)))]


@then("both have the same signals, orders, fills, journals and positions, and some of each")
def are_alike(both: list[Records]) -> None:
    here, simulated = both
    assert here == simulated
    assert all(here.values())


@then(parse("{service} serves at its home"))
async def serves_at_home(stage: Stage, service: str) -> None:
    devices, topology = devices_of(stage), stage.system.setup.topology
    assert topology is not None
    assert devices.home[service] == topology.home_of(service)
    assert [d for d, one in (await devices.standings()).items() if service in one.services] == [
        topology.home_of(service)
    ]


@then("every order is at the venue once, unless it was refused while nobody was there for it")
async def is_there_once(stage: Stage, flow: Flow) -> None:
    ended = {order.spec.client_order_id: order for order in await dealing.orders_of(stage)}
    ours = [ended[order.spec.client_order_id] for order in flow.answered]
    refused = [one for one in ours if one.status == ORDER_STATUS_REJECTED]
    theirs = Counter(one.order.client_order_id for one in await dealing.venue_orders(stage))
    assert set(theirs.values()) == {1}
    assert [one for one in ours if one.spec.client_order_id not in theirs] == refused
    assert await excuses.unexplained(stage, refused) == []


@then("all that must hold after a run holds")
async def checks_hold(stage: Stage) -> None:
    results = await judged(stage)
    assert [one for one in results if one.verdict is Verdict.FAILED] == []
    assert sum(one.verdict is Verdict.PASSED for one in results) > len(results) / 2
