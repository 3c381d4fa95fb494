"""Every scenario runs in every world, unless a tag restricts it; the worlds run the same files."""

import asyncio
from collections.abc import Iterator

import pytest

from fixtures.stage import STAGE_START_NS, Stage
from fixtures.system import Setup
from fixtures.worlds import World

SEED = 1


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a scenario once per world: those asked for, less those its tags leave out."""
    if "world" not in metafunc.fixturenames:
        return
    asked = metafunc.config.getoption("--world") or list(World)
    tags = {world for world in World if metafunc.definition.get_closest_marker(world.value)}
    worlds = [world for world in map(World, asked) if not tags or world in tags]
    metafunc.parametrize("world", worlds, ids=str)


@pytest.fixture(autouse=True)
def world(request: pytest.FixtureRequest) -> World:
    """Return the world that this scenario runs in."""
    chosen = request.param
    assert isinstance(chosen, World)
    return chosen


@pytest.fixture
def runner(world: World) -> Iterator[asyncio.Runner]:
    """Run steps on the event loop of the world."""
    with world.runner() as runner:
        yield runner


@pytest.fixture
def stage(runner: asyncio.Runner, world: World) -> Iterator[Stage]:
    """Return the running platform, an account with cash, and what the scenario remembers."""
    stage = runner.run(Stage.set_up(Setup(world, seed=SEED, start_ns=STAGE_START_NS)))
    yield stage
    runner.run(stage.system.stop())


@pytest.fixture
def elsewhere(runner: asyncio.Runner, world: World) -> Iterator[Stage]:
    """Return a second platform that shares nothing with the first."""
    stage = runner.run(Stage.set_up(Setup(world, seed=SEED + 1, start_ns=STAGE_START_NS)))
    yield stage
    runner.run(stage.system.stop())
