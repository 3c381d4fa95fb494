"""All that was run and how it is judged: what every form of report is written from."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any

from runtime.load.knee import Point
from runtime.load.measured import Measured
from runtime.load.plan import Gate, Profile
from runtime.load.served import Served
from runtime.load.verdict import GATED, Outcome, Verdict, judge, unkept, worst

SEVERITY = (Outcome.PASSED, Outcome.VOID, Outcome.FAILED)


@dataclass(frozen=True)
class Run:
    """One run of one profile."""

    profile: Profile
    measured: Measured
    served: Served | None = None  # What the servers say of it, where they were asked.

    @cached_property
    def verdict(self) -> Verdict:
        """Return how it is judged."""
        return judge(self.profile, self.measured)

    @property
    def achieved(self) -> dict[str, float]:
        """Return how many units of each series ended well, per second."""
        seconds = self.measured.duration_s or 1.0
        return {
            name: (series.ended - series.failed) / seconds
            for name, series in self.measured.series.items()
        }

    @property
    def strain(self) -> float:
        """Return how near its limits the run came: 1 is at the limit, more is beyond."""
        figures = self.verdict.figures
        return max((f.estimate.value / f.limit_ms for f in figures if f.limit_ms), default=0.0)

    def point(self) -> Point:
        """Return this run as one of a search for the knee: its slowest gate counts."""
        measured = self.measured
        gates = [measured.series.get(gate.series) for gate in self.profile.gates]
        seen = [series.corrected for series in gates if series]
        return Point(
            measured.multiple,
            measured.rate,
            p50_ms=max((latencies.percentile_ms(50) for latencies in seen), default=0.0),
            p99_ms=max((latencies.percentile_ms(GATED) for latencies in seen), default=0.0),
            is_kept=not any(unkept(self.profile, measured)),
            is_void=self.verdict.outcome is Outcome.VOID,
        )


@dataclass(frozen=True)
class Result:
    """Every run that counts, the searches for knees, and what was found in the system itself."""

    runs: tuple[Run, ...]
    curves: Mapping[str, tuple[Point, ...]] = field(default_factory=dict)  # By profile.
    facts: Mapping[str, str] = field(default_factory=dict)  # "commit": "9f3c2ab", in order.
    checks: Mapping[str, str] = field(default_factory=dict)  # What each found; "": nothing.

    @property
    def outcome(self) -> Outcome:
        """Return how all of it is judged: the worst run counts, and so does every check."""
        checked = [Outcome.FAILED for found in self.checks.values() if found]
        return worst([*(run.verdict.outcome for run in self.runs), *checked])

    @property
    def profiles(self) -> dict[str, list[Run]]:
        """Return the runs of each profile in order."""
        found: dict[str, list[Run]] = {}
        for run in self.runs:
            found.setdefault(run.profile.name, []).append(run)
        return found

    def numbered(self) -> Iterator[tuple[str, int, Run]]:
        """Yield every run with its profile's name and its number, from 1, among its like."""
        for name, runs in self.profiles.items():
            yield from ((name, number, run) for number, run in enumerate(runs, 1))

    def with_checks(self, checks: Mapping[str, str]) -> "Result":
        """Return this with what was found in the system itself after the runs."""
        return replace(self, checks={**self.checks, **checks})

    def to_object(self) -> dict[str, Any]:
        """Return this as JSON has it, verdicts included for who reads it elsewhere."""
        return {
            "outcome": self.outcome,
            "facts": dict(self.facts),
            "checks": dict(self.checks),
            "runs": [
                {
                    "profile": asdict(run.profile),
                    "verdict": asdict(run.verdict),
                    "achieved_per_s": run.achieved,
                    "measured": run.measured.to_object(),
                    "served": run.served.to_object() if run.served else None,
                }
                for run in self.runs
            ],
            "curves": {name: [asdict(p) for p in points] for name, points in self.curves.items()},
        }

    @classmethod
    def from_object(cls, told: Mapping[str, Any]) -> "Result":
        """Return what `to_object` wrote; it is judged anew."""
        return cls(
            tuple(_run(one) for one in told["runs"]),
            {name: tuple(Point(**p) for p in points) for name, points in told["curves"].items()},
            dict(told["facts"]),
            dict(told["checks"]),
        )


def worst_of(runs: list[Run]) -> Run:
    """Return the run of one profile that counts: the worst."""
    return max(runs, key=badness)


def badness(run: Run) -> tuple[int, float]:
    """Return what sorts runs from good to bad."""
    return SEVERITY.index(run.verdict.outcome), run.strain


def _run(told: Mapping[str, Any]) -> Run:
    profile = dict(told["profile"])
    gates = tuple(Gate(**gate) for gate in profile.pop("gates"))
    served = Served.from_object(told["served"]) if told["served"] else None
    return Run(Profile(gates=gates, **profile), Measured.from_object(told["measured"]), served)
