"""All that a night has left, read: what was run, and what of it nobody can read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fixtures.outcome import Outcome, Verdict
from runtime.load.report.result import Result

TIMED_OUT = 124  # The exit status of `timeout`.
VOID = 3  # That of a run that proves nothing.


@dataclass(frozen=True)
class Step:
    """One step of `ci/nightly`."""

    step: str
    status: int
    seconds: int

    @property
    def verdict(self) -> Verdict:
        """How it ended."""
        return {0: Verdict.PASSED, VOID: Verdict.VOID}.get(self.status, Verdict.FAILED)

    @property
    def ending(self) -> str:
        """How it ended, in words."""
        if self.status == TIMED_OUT:
            return "took longer than it may"
        return f"exit status {self.status}"


@dataclass(frozen=True)
class Simulation:
    """Many seeds of one experiment, as `plimsoll simulate --json` tells."""

    told: Mapping[str, Any]
    verdict: Verdict  # Of all seeds together.
    runs: Mapping[str, int]  # How many seeds came to which verdict.
    figures: Mapping[str, float]  # Its pace and its coverage.


@dataclass(frozen=True)
class Suite:
    """The tests of one folder."""

    name: str
    tests: int
    skipped: int
    seconds: float
    failures: Mapping[str, str]  # Test to its message.

    @property
    def verdict(self) -> Verdict:
        """How all of it ended."""
        if self.failures:
            return Verdict.FAILED
        return Verdict.PASSED if self.tests > self.skipped else Verdict.VOID


@dataclass(frozen=True)
class Record:
    """The planted bugs that were looked for."""

    found: int
    missed: tuple[str, ...]  # Those that no check found.

    @property
    def verdict(self) -> Verdict:
        """Whether all of them were found."""
        return Verdict.FAILED if self.missed else Verdict.PASSED


@dataclass(frozen=True)
class Night:
    """What was run; keys are paths below the folder, in order."""

    name: str
    steps: tuple[Step, ...]
    runs: Mapping[str, Outcome]
    simulations: Mapping[str, Simulation]
    loads: Mapping[str, Result]
    suites: tuple[Suite, ...]
    records: Mapping[str, Record]
    broken: Mapping[str, str]  # File to what is wrong with it.

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all was left."""
        return not any(
            (
                self.steps,
                self.runs,
                self.simulations,
                self.loads,
                self.suites,
                self.records,
                self.broken,
            )
        )

    @property
    def verdict(self) -> Verdict:
        """What the night comes to: a step says more than its results, if it broke off."""
        found = {
            *(step.verdict for step in self.steps),
            *(suite.verdict for suite in self.suites),
            *(outcome.verdict for outcome in self.runs.values()),
            *(one.verdict for one in self.simulations.values()),
            *(Verdict(result.outcome) for result in self.loads.values()),
            *(record.verdict for record in self.records.values()),
            *(Verdict.FAILED for _ in self.broken),
        }
        if Verdict.FAILED in found:
            return Verdict.FAILED
        return Verdict.PASSED if found == {Verdict.PASSED} else Verdict.VOID
