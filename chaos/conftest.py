"""Every experiment with faults runs in the world that `--world` names, else in virtual time."""

import importlib
import os

import pytest

from chaos import names
from fixtures.experiment import Experiment, Swarm
from fixtures.places import Place
from fixtures.stores.kinds import StoreKind
from fixtures.worlds import World

SEEDS = {True: (1, 2), False: (1,)}  # In virtual time, and where each run takes its time.
SWARM_SEEDS = range(1, 41)  # In virtual time, other faults each; as many as fit in a minute.
TOPOLOGY = "dual-compute-state"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what is asked for once per world, experiment and seed, where its faults exist."""
    if "experiment" not in metafunc.fixturenames:
        return
    runs = [
        pytest.param(place, experiment, seed, id=f"{place}-{experiment.name}-{seed}")
        for place in map(_place, metafunc.config.getoption("--world") or [World.SIMULATED])
        for experiment in _with_faults()
        if _exists(experiment, place.world)
        for seed in _seeds(experiment, place.world)
    ]
    metafunc.parametrize(("place", "experiment", "seed"), runs)


def _with_faults() -> list[Experiment]:
    found = (importlib.import_module(f"chaos.{name}").EXPERIMENT for name in names())
    return [experiment for experiment in found if experiment.faults]


def _exists(experiment: Experiment, world: World) -> bool:
    faults = experiment.faults
    if isinstance(faults, Swarm):
        return all(world in kind.worlds for kind in faults.kinds)
    return all(world in planned.fault.worlds for planned in faults)


def _seeds(experiment: Experiment, world: World) -> tuple[int, ...]:
    if chosen := os.environ.get("PLIMSOLL_SEED"):
        return (int(chosen),)
    is_drawn = world.is_virtual and isinstance(experiment.faults, Swarm)
    return tuple(SWARM_SEEDS) if is_drawn else SEEDS[world.is_virtual]


def _place(name: str) -> Place:
    world = World(name)
    kind = StoreKind.LOCAL if world.has_devices else StoreKind.EMBEDDED
    return Place(world, kind, TOPOLOGY if world.has_devices else "")
