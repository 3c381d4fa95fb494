"""Two measurements of one thing as ratios: what has become slower, and for certain.

What one machine measures is compared with what the same machine measured, best in turns within one
run: absolute figures of different days say little. Each side has as many readings as it had valid
runs; the interval of a side spans those of all its readings, so noise between runs widens it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from runtime.load.confidence import Estimate
from runtime.load.report.result import Result, Run
from runtime.load.verdict import Outcome

FACTOR = 1.25  # Slower by this, even at the interval's better end, is a regression.
COMPARED = (50.0, 99.0)


@dataclass(frozen=True)
class Reading:
    """One figure over all valid runs of one side: less is better."""

    value: float  # The median.
    low: float
    high: float

    @classmethod
    def of(cls, estimates: Iterable[Estimate]) -> "Reading":
        """Return the reading of at least one estimate."""
        found = list(estimates)
        return cls(
            median(one.value for one in found),
            min(one.value if one.low is None else one.low for one in found),
            max(one.value if one.high is None else one.high for one in found),
        )


@dataclass(frozen=True)
class Baseline:
    """What a side measured, small enough to be kept in a repository."""

    readings: Mapping[str, Reading]  # "SUBMIT booked p99_ms".
    facts: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, results: Iterable[Result]) -> "Baseline":
        """Return what all valid runs of `results` say; void ones say nothing."""
        all_of = list(results)
        found: dict[str, list[Estimate]] = {}
        for run in (run for result in all_of for run in result.runs):
            if run.verdict.outcome is not Outcome.VOID:
                for name, one in _figures(run).items():
                    found.setdefault(name, []).append(one)
        facts = dict(all_of[-1].facts) if all_of else {}
        return cls({name: Reading.of(ones) for name, ones in found.items()}, facts)

    def to_object(self) -> dict[str, Any]:
        """Return this as JSON has it."""
        readings = {
            name: {"value": one.value, "low": one.low, "high": one.high}
            for name, one in sorted(self.readings.items())
        }
        return {"facts": dict(self.facts), "readings": readings}

    @classmethod
    def from_object(cls, told: Mapping[str, Any]) -> "Baseline":
        """Return what `to_object` wrote."""
        return cls({name: Reading(**one) for name, one in told["readings"].items()}, told["facts"])


@dataclass(frozen=True)
class Change:
    """How one figure has changed: now divided by the baseline; above 1 is worse."""

    name: str
    before: Reading
    now: Reading
    factor: float

    @property
    def ratio(self) -> float:
        """Return the ratio of the medians."""
        return _ratio(self.now.value, self.before.value)

    @property
    def low(self) -> float:
        """Return the least it may be."""
        return _ratio(self.now.low, self.before.high)

    @property
    def high(self) -> float:
        """Return the most it may be."""
        return _ratio(self.now.high, self.before.low)

    @property
    def is_regression(self) -> bool:
        """Whether it is worse by more than the factor, with the whole interval."""
        return self.low > self.factor

    @property
    def is_improvement(self) -> bool:
        """Whether it is better by more than the factor, with the whole interval."""
        return self.high < 1 / self.factor


@dataclass(frozen=True)
class Comparison:
    """Every figure that both sides have, and those that only one has."""

    changes: tuple[Change, ...]
    missing: tuple[str, ...] = ()  # No valid run of one side or the other.

    @property
    def outcome(self) -> Outcome:
        """Return whether anything regressed; void if there was something not to be told."""
        if any(change.is_regression for change in self.changes):
            return Outcome.FAILED
        return Outcome.VOID if self.missing or not self.changes else Outcome.PASSED

    def lines(self) -> Iterable[str]:
        """Yield the comparison for a terminal, the verdict last."""
        yield f"{'figure':<44} {'before':>9} {'now':>9} {'ratio':>7}  within"
        for one in self.changes:
            remark = "  SLOWER" if one.is_regression else "  faster" if one.is_improvement else ""
            yield (
                f"{one.name:<44} {one.before.value:>9.2f} {one.now.value:>9.2f} "
                f"{one.ratio:>6.2f}x  {one.low:.2f}x to {one.high:.2f}x{remark}"
            )
        yield from (f"{name:<44} not on both sides: no valid run" for name in self.missing)
        yield self.outcome.upper()


def compare(before: Baseline, now: Baseline, factor: float = FACTOR) -> Comparison:
    """Return how `now` stands to `before`."""
    shared = [name for name in before.readings if name in now.readings]
    changes = (Change(n, before.readings[n], now.readings[n], factor) for n in shared)
    return Comparison(tuple(changes), tuple(sorted(before.readings.keys() ^ now.readings.keys())))


def _figures(run: Run) -> dict[str, Estimate]:
    name = f"{run.profile.name} at {run.measured.multiple:g}x"
    found = {
        f"{name} {figure.series} {figure.name}, ms": figure.estimate
        for figure in run.verdict.figures
        if figure.percent in COMPARED
    }
    if run.served and run.measured.sent:
        found[f"{name} servers' CPU, ms a unit"] = Estimate(
            run.served.cpu_s * 1e3 / run.measured.sent
        )
    return found


def _ratio(now: float, before: float) -> float:
    if not before:
        return 1.0 if not now else float("inf")
    return now / before
