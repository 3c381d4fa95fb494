"""One seed in virtual time: its outcome, what it went through, and how long it took."""

import os
import platform
import time
from dataclasses import dataclass

from fixtures.commit import current_commit
from fixtures.coverage import Coverage, covered
from fixtures.facts import Facts
from fixtures.outcome import Outcome
from fixtures.pacing import BAR
from fixtures.places import Place
from fixtures.trial import Plan, quietly
from fixtures.worlds import World
from plimsoll.experiments import find_experiment
from plimsoll.trial import attempted
from runtime.times import NS_PER_S


@dataclass(frozen=True)
class Simulated:
    """What is simulated: an experiment by its name, so that other machines find it."""

    experiment: str
    topology: str = ""  # "" where every service is by itself.

    def plan(self, seed: int) -> Plan:
        """Return the run of a seed, in memory."""
        place = Place(World.SIMULATED, topology=self.topology)
        return Plan(find_experiment(self.experiment), place, seed, commit=current_commit())

    def __call__(self, seed: int) -> "SeedRun":
        """Run one seed in this process."""
        began_s = time.perf_counter()
        outcome, history = attempted(self.plan(seed), quietly)
        facts = Facts(history) if history else None
        return SeedRun(
            outcome=outcome,
            coverage=covered(facts) if facts else Coverage(runs=1),
            run_s=_run_s(facts) if facts else 0.0,
            market_s=_market_s(facts) if facts else 0.0,
            busy_s=time.perf_counter() - began_s,
            worker=f"{platform.node()}:{os.getpid()}",
        )


@dataclass(frozen=True)
class SeedRun:
    """What one seed came to."""

    outcome: Outcome
    coverage: Coverage
    run_s: float  # By the clock of the run, in which timers, calls and faults take their time;
    market_s: float  # by that of the market, which skips from bar to bar;
    busy_s: float  # and by the machine's.
    worker: str  # The machine and process that ran it.


def _run_s(facts: Facts) -> float:
    return max((mark.at_ns for mark in facts.marks), default=0) / NS_PER_S


def _market_s(facts: Facts) -> float:
    bars = [mark.detail for mark in facts.marks if mark.name == BAR and "open_ns" in mark.detail]
    if not bars:
        return 0.0
    opened_ns = min(int(bar["open_ns"]) for bar in bars)
    return (max(int(bar["close_ns"]) for bar in bars) - opened_ns) / NS_PER_S
