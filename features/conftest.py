"""Every scenario runs in every place, unless a tag restricts it; all run the same files.

A place is a world and what keeps its state: `--world` and `--stores` choose among them.
"""

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from functools import cache, partial
from pathlib import Path

import pytest

from fixtures.places import Place
from fixtures.setup import Setup
from fixtures.stage import STAGE_START_NS, Stage
from fixtures.stores import Stores, StoreSource, stores_of
from fixtures.stores.berths import Berths
from fixtures.stores.kinds import StoreKind
from fixtures.toxiproxy import local
from fixtures.worlds import World

SEED = 1
IN_ONE_PROCESS = (World.SIMULATED, World.EMBEDDED)
TOPOLOGY = "dual-compute-state"
IS_ALL_REQUIRED = bool(os.environ.get("PLIMSOLL_REQUIRE_ALL"))
# What is meant for processes runs in containers too; `containers` is a tag of stores.
WORLD_TAGS = set(World) - {World.CONTAINERS}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a scenario once per place: those asked for, less those its tags leave out."""
    if "place" not in metafunc.fixturenames:
        return
    tags = {mark.name for mark in metafunc.definition.iter_markers()}
    chosen = [place for place in _asked(metafunc.config) if _suits(place, tags)]
    nowhere = pytest.param(None, marks=pytest.mark.nowhere)
    metafunc.parametrize("place", chosen or [nowhere], ids=str, indirect=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is meant for other places than those asked for."""
    elsewhere = [item for item in items if item.get_closest_marker("nowhere")]
    if elsewhere:
        config.hook.pytest_deselected(items=elsewhere)
        items[:] = [item for item in items if not item.get_closest_marker("nowhere")]


def _asked(config: pytest.Config) -> list[Place]:
    """Return the places that the options name; all that this machine has when they name none."""
    worlds, stores = config.getoption("--world"), config.getoption("--stores")
    topologies = config.getoption("--topology")
    if not (worlds or stores or topologies):
        return list(_everywhere())
    if worlds is None:
        worlds = [World.PROCESSES] if topologies else [World.EMBEDDED]
    places = [
        Place(world, kind, topology)
        for world in map(World, worlds)
        for topology in (topologies or [TOPOLOGY] if world.has_devices else [""])
        for kind in map(StoreKind, stores or [_usual(world)])
    ]
    return [place for place in dict.fromkeys(places) if place.is_possible]


@cache
def _everywhere() -> tuple[Place, ...]:
    """Return every place that this machine has: one process on each kind of stores, and devices.

    Devices run on one kind for each topology: which it is matters to their services alone, and
    those run on every kind in one process.
    """
    from runtime.topology import names  # pydantic takes 0.2 s to import.

    kinds = [kind for kind in StoreKind if not kind.lacking()]
    places = [Place(world, kind) for world in IN_ONE_PROCESS for kind in kinds]
    if IS_ALL_REQUIRED or not local.lacking():  # Their links need Toxiproxy.
        for topology in names():
            has_servers = topology == TOPOLOGY and StoreKind.LOCAL in kinds
            kind = StoreKind.LOCAL if has_servers else StoreKind.EMBEDDED
            places.append(Place(World.PROCESSES, kind, topology))
        if StoreKind.CONTAINERS in kinds and StoreKind.LOCAL in kinds:
            places.append(Place(World.CONTAINERS, StoreKind.LOCAL, TOPOLOGY))
    return tuple(place for place in places if place.is_possible)


def _suits(place: Place, tags: set[str]) -> bool:
    """Tell whether a scenario with these tags is meant to run there."""
    worlds = tags & WORLD_TAGS
    own = World.PROCESSES if place.world.has_devices else place.world
    kinds = tags & {StoreKind.LOCAL, StoreKind.CONTAINERS}
    is_on_them = place.kind.has_servers or "servers" not in tags
    is_of_kind = not kinds or place.kind in kinds
    is_there = TOPOLOGY not in tags or place.topology == TOPOLOGY
    is_among = _has_devices_for(place, tags)
    return is_on_them and is_of_kind and is_there and is_among and (not worlds or own in worlds)


def _has_devices_for(place: Place, tags: set[str]) -> bool:
    """Tell whether devices are there that a scenario needs: several, or for orders and risk."""
    if not tags & {"several", "apart"}:
        return True
    devices = place.devices()
    if devices is None:
        return False
    is_apart = devices.home_of("orders") != devices.home_of("risk")
    return len(devices.devices) > 1 and ("apart" not in tags or is_apart)


def _usual(world: World) -> StoreKind:
    return StoreKind.LOCAL if world is World.CONTAINERS else StoreKind.EMBEDDED


@pytest.fixture(autouse=True)
def place(request: pytest.FixtureRequest) -> Place:
    """Return where this scenario runs."""
    chosen = request.param
    assert isinstance(chosen, Place)
    return chosen


@pytest.fixture
def world(place: Place) -> World:
    """Return the world that this scenario runs in."""
    return place.world


@pytest.fixture
def stores(place: Place, berths: Callable[[StoreKind], Berths]) -> StoreSource:
    """Return what keeps the state of this scenario's systems."""
    if not place.kind.has_servers:
        return stores_of

    on = berths(place.kind)

    def lent(_world: World, _directory: Path) -> AbstractAsyncContextManager[Stores]:
        return on.lend()

    return lent


@pytest.fixture
def runner(world: World) -> Iterator[asyncio.Runner]:
    """Run steps on the event loop of the world."""
    with world.runner() as runner:
        yield runner


@pytest.fixture
def setup(
    place: Place, stores: StoreSource, request: pytest.FixtureRequest
) -> Callable[..., Setup]:
    """Return what makes the setup of a system in this scenario's place."""
    made = partial(Setup, place.world, stores=stores, topology=place.devices())
    if not place.world.has_devices:
        return made
    if place.world is World.CONTAINERS:
        forks = request.getfixturevalue("contained")(place.devices())
        toxiproxy = request.getfixturevalue("toxiproxy_at")(forks.host)
        return partial(made, forks=forks, toxiproxy=toxiproxy, host=forks.host)
    ours = {name: request.getfixturevalue(name) for name in ("forks", "toxiproxy")}
    return partial(made, **ours)


@pytest.fixture
def stage(runner: asyncio.Runner, setup: Callable[..., Setup]) -> Iterator[Stage]:
    """Return the running platform, an account with cash, and what the scenario remembers."""
    stage = runner.run(Stage.set_up(setup(seed=SEED, start_ns=STAGE_START_NS)))
    yield stage
    runner.run(stage.system.stop())


@pytest.fixture
def elsewhere(runner: asyncio.Runner, setup: Callable[..., Setup]) -> Iterator[Stage]:
    """Return a second platform that shares nothing with the first."""
    stage = runner.run(Stage.set_up(setup(seed=SEED + 1, start_ns=STAGE_START_NS)))
    yield stage
    runner.run(stage.system.stop())
