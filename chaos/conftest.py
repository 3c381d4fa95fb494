"""Every experiment with faults runs in the world that `--world` names, else in virtual time."""

import importlib
import os
from pathlib import Path

import pytest

from chaos import names
from fixtures.experiment import Experiment, Swarm
from fixtures.places import Place, usual_place
from fixtures.worlds import World

SEEDS = {True: (1, 2), False: (1,)}  # In virtual time, and where each run takes its time.
IS_ALL_REQUIRED = bool(os.environ.get("PLIMSOLL_REQUIRE_ALL"))
# In virtual time, other faults each: as many as fit in a minute, and all that CI promises.
SWARM_SEEDS = range(1, 1001 if IS_ALL_REQUIRED else 41)
LONG_S, LONG_SEEDS = 60.0, range(1, 3)  # Of a swarm over a longer time, fewer.


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what is asked for once per world, experiment and seed, where its faults exist."""
    if "place" not in metafunc.fixturenames:
        return
    worlds = metafunc.config.getoption("--world") or [World.SIMULATED]
    runs = [
        pytest.param(place, experiment, seed, id=f"{place}-{experiment.name}-{seed}")
        for place in map(usual_place, map(World, worlds))
        for experiment in _with_faults()
        if place.world in experiment.worlds
        for seed in _seeds(experiment, place.world)
    ]
    metafunc.parametrize(("place", "experiment", "seed"), runs)


@pytest.fixture
def run_folder(
    request: pytest.FixtureRequest, place: Place, experiment: Experiment, seed: int
) -> Path | None:
    """Return where a run is to be kept; None where nobody asked for it."""
    kept = request.config.getoption("--runs")
    return Path(kept) / f"{experiment.name}-{place.world}-{seed}" if kept else None


def _with_faults() -> list[Experiment]:
    found = (importlib.import_module(f"chaos.{name}").EXPERIMENT for name in names())
    return [experiment for experiment in found if experiment.faults]


def _seeds(experiment: Experiment, world: World) -> tuple[int, ...]:
    if chosen := os.environ.get("PLIMSOLL_SEED"):
        return (int(chosen),)
    faults = experiment.faults
    is_long = isinstance(faults, Swarm) and faults.over_s > LONG_S
    if not world.is_virtual:  # What takes longer than a test may, `plimsoll trial` runs.
        return () if is_long else SEEDS[False]
    if not isinstance(faults, Swarm):
        return SEEDS[True]
    return tuple(LONG_SEEDS if is_long else SWARM_SEEDS)
