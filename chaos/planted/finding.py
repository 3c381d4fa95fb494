"""Looks for a planted bug as a user would: runs its experiment, and reads the verdict."""

import importlib
from collections.abc import Iterable
from dataclasses import dataclass

from chaos.planted.planting import Plant
from fixtures.experiment import Experiment
from fixtures.outcome import Outcome, Verdict
from fixtures.places import Place
from fixtures.trial import Plan, conduct, judge
from fixtures.worlds import World


@dataclass(frozen=True)
class Found:
    """In which seed a plant was found, and by which checks."""

    seed: int
    checks: tuple[str, ...]


def find(plant: Plant) -> Found | None:
    """Return how a plant is found; None when its check lets it pass in every one of its seeds."""
    for seed in range(1, plant.seeds + 1):
        with plant.sown():
            outcome = outcome_of(plant.experiment, seed)
        failed = failed_checks(outcome)
        if outcome.verdict is Verdict.FAILED and plant.check in failed:
            return Found(seed, failed)
    return None


def runs_of(plants: Iterable[Plant]) -> list[tuple[str, int]]:
    """Return the experiments and seeds that plants are looked for with, each pair once."""
    pairs = {(plant.experiment, seed) for plant in plants for seed in range(1, plant.seeds + 1)}
    return sorted(pairs)


def outcome_of(experiment: str, seed: int) -> Outcome:
    """Run an experiment of chaos/ in virtual time, and judge it."""
    found = importlib.import_module(f"chaos.{experiment}").EXPERIMENT
    assert isinstance(found, Experiment)
    place = Place(World.SIMULATED)
    with place.world.runner() as runner:
        return judge(runner.run(conduct(Plan(found, place, seed))), found)


def failed_checks(outcome: Outcome) -> tuple[str, ...]:
    """Return the names of the checks that found something wrong."""
    return tuple(check.name for check in outcome.checks if check.verdict is Verdict.FAILED)
