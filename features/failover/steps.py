"""Steps of failing over: a device is lost while orders flow, and its standby goes on."""

import asyncio
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from pytest_bdd import scenarios
from pytest_bdd.parsers import parse

from features.bdd import given, then, when
from fixtures import crossing
from fixtures.bad_links import check_orders
from fixtures.failing_over import Loss, fenced, flown_while, lost_while_flowing, serving
from fixtures.flowing import FOLLOWED, PRICE, TRADED, Flow
from fixtures.judging import judged
from fixtures.moving import devices_of
from fixtures.outcome import Verdict
from fixtures.setup import Setup
from fixtures.stage import STAGE_START_NS, Stage

scenarios("failover")

LOTS = 10


@pytest.fixture
def lease_s() -> float:
    """Return how long a lease lasts in these scenarios."""
    return 8.0


@pytest.fixture
def stage(runner: asyncio.Runner, setup: Callable[..., Setup], lease_s: float) -> Iterator[Stage]:
    """Return the running platform, whose devices take turns."""
    made = setup(seed=1, start_ns=STAGE_START_NS, lease_s=lease_s)
    stage = runner.run(Stage.set_up(made))
    yield stage
    runner.run(stage.system.stop())


@given(parse("a platform whose standbys take over after {seconds:g} seconds of silence"))
def takes_turns(stage: Stage, seconds: float) -> None:
    assert stage.system.setup.lease_s == seconds


@given("a strategy that follows one market, and Ana who trades another")
async def prepare(stage: Stage) -> None:
    await crossing.running(stage, FOLLOWED, LOTS)
    await stage.close_bar(TRADED, PRICE)


@when(parse("{device} is killed while orders flow"), target_fixture="loss")
async def kill(stage: Stage, device: str) -> Loss:
    return await lost_while_flowing(stage, device, partial(devices_of(stage).kill, device))


@when(
    parse("{device} is paused while orders flow, until {standby} serves, and resumed"),
    target_fixture="loss",
)
async def pause(stage: Stage, device: str, standby: str) -> Loss:
    devices = devices_of(stage)
    return await lost_while_flowing(
        stage, device, partial(devices.pause, device), partial(devices.resume, device)
    )


@when(parse("{device} is paused for {seconds:g} second while orders flow"), target_fixture="flow")
async def pause_shortly(stage: Stage, device: str, seconds: float) -> Flow:
    return await flown_while(stage, partial(paused, stage, device, seconds))


@when(parse("{device} is ended and started again while orders flow"), target_fixture="flow")
async def restart(stage: Stage, device: str) -> Flow:
    return await flown_while(stage, partial(ended_and_started, stage, device))


@pytest.fixture
def flow(loss: Loss) -> Flow:
    """Return the orders that flowed while a device was lost."""
    return loss.flow


@then(
    parse("each of its services serves on {standby} within {seconds:g} seconds of its lapsed lease")
)
def serves_in_time(stage: Stage, loss: Loss, standby: str, seconds: float) -> None:
    assert {devices_of(stage).home[name] for name in loss.services} == {standby}
    assert loss.later_than(seconds) == {}


@then(parse("{device} acts for nothing"))
async def acts_for_nothing(stage: Stage, device: str) -> None:
    found = await fenced(stage, device)
    assert set(found) == set(devices_of(stage).home)
    assert [name for name, where in found.items() if device in where] == []


@then("every service serves at its home")
async def serves_at_home(stage: Stage) -> None:
    found = await serving(stage)
    homes = stage.system.setup.devices
    assert found == {name: [home] for home, names in homes.items() for name in names}


@then("every service serves, once")
async def serves_once(stage: Stage) -> None:
    found = await serving(stage)
    assert set(found) == set(devices_of(stage).home)
    assert {len(where) for where in found.values()} == {1}


@then("every order is at the venue once, and none is in doubt")
async def is_there_once(stage: Stage, flow: Flow) -> None:
    await check_orders(stage, flow)


@then("all that must hold after a run holds")
async def checks_hold(stage: Stage) -> None:
    results = await judged(stage)
    assert [one for one in results if one.verdict is Verdict.FAILED] == []
    assert sum(one.verdict is Verdict.PASSED for one in results) > len(results) / 2


# What steps do, where it takes more than a line.


async def paused(stage: Stage, device: str, seconds: float) -> None:
    """Pause a device for a while."""
    await devices_of(stage).pause(device)
    await asyncio.sleep(seconds)
    await devices_of(stage).resume(device)


async def ended_and_started(stage: Stage, device: str) -> None:
    """Ask a device to end, and start it again."""
    await devices_of(stage).end(device)
    await devices_of(stage).start(device)
