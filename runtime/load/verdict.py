"""What a run proves: passed, failed, or void, which is to say nothing."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from runtime.load.confidence import MAXIMUM, Estimate, estimate, samples_needed
from runtime.load.measured import Measured, Series
from runtime.load.plan import (
    BACKLOG_S,
    GENERATOR_CPU_MAX,
    LATE_S,
    LATE_SHARE_MAX,
    OFFERED_TOLERANCE,
    Profile,
)

PERCENTILES = (50.0, 95.0, 99.0, 99.9, MAXIMUM)
GATED = 99.0  # The percentile that decides.
WRONG_USE = 2  # The exit code when there was no run to judge.


class Outcome(StrEnum):
    """How a run, or several, ended."""

    PASSED = "passed"
    FAILED = "failed"
    VOID = "void"

    @property
    def exit_code(self) -> int:
        """Return what the process exits with."""
        return {Outcome.PASSED: 0, Outcome.FAILED: 1, Outcome.VOID: 3}[self]


@dataclass(frozen=True)
class Figure:
    """One percentile of one series, and its limit if it has one."""

    series: str
    percent: float
    estimate: Estimate
    limit_ms: float | None = None

    @property
    def name(self) -> str:
        """Return "p99.9", or "max"."""
        return "max" if self.percent == MAXIMUM else f"p{self.percent:g}"

    @property
    def is_kept(self) -> bool:
        """Whether the limit is kept, if there is one."""
        return self.limit_ms is None or self.estimate.value <= self.limit_ms

    @property
    def is_close(self) -> bool:
        """Whether the limit lies inside the interval: another run may well say otherwise."""
        low, high, limit_ms = self.estimate.low, self.estimate.high, self.limit_ms
        if limit_ms is None or low is None or high is None:
            return False
        return low <= limit_ms <= high


@dataclass(frozen=True)
class Verdict:
    """How one run is judged, why, and by which figures."""

    outcome: Outcome
    reasons: tuple[str, ...] = ()  # Why it is void, then what was not kept.
    figures: tuple[Figure, ...] = ()


def judge(profile: Profile, measured: Measured) -> Verdict:
    """Return what one run proves. A void one is void whatever it measured: it says nothing."""
    figures = tuple(figures_of(profile, measured))
    void = [*_flaws(profile, measured), *_too_few(profile, measured, is_generators=True)]
    missed = [
        f"{figure.series} {figure.name} is {figure.estimate.value:,.1f} ms, "
        f"must be at most {figure.limit_ms:,.0f} ms"
        for figure in figures
        if not figure.is_kept
    ]
    failed = [*unkept(profile, measured), *missed]
    outcome = Outcome.VOID if void else Outcome.FAILED if failed else Outcome.PASSED
    return Verdict(outcome, (*void, *failed), figures)


def worst(outcomes: Iterable[Outcome]) -> Outcome:
    """Return what several runs prove together; void if there are none.

    One valid run that failed is proof enough, whatever became of the others.
    """
    found = set(outcomes)
    if Outcome.FAILED in found:
        return Outcome.FAILED
    return Outcome.PASSED if found == {Outcome.PASSED} else Outcome.VOID


def figures_of(profile: Profile, measured: Measured) -> Iterator[Figure]:
    """Yield the percentiles of every series, those with a gate first."""
    limits = {(gate.series, GATED): gate.p99_ms for gate in profile.gates}
    limits |= {(gate.series, 50.0): gate.p50_ms for gate in profile.gates if gate.p50_ms}
    for name in dict.fromkeys([*(gate.series for gate in profile.gates), *measured.series]):
        series = measured.series.get(name)
        if series is None or not series.corrected.total:
            continue
        for percent in PERCENTILES:
            found = estimate(series.corrected, percent)
            yield Figure(name, percent, found, limits.get((name, percent)))


def unkept(profile: Profile, measured: Measured) -> Iterator[str]:
    """Yield what a run did not keep, other than the limits of its latencies."""
    off = abs(measured.sent - measured.scheduled) / max(1, measured.scheduled)
    if off > OFFERED_TOLERANCE:
        yield (
            f"{measured.sent:,} of {measured.scheduled:,} scheduled were sent, must be all but "
            f"{OFFERED_TOLERANCE:.1%}: {measured.dropped:,} found too many in flight"
        )
    yield from _too_few(profile, measured, is_generators=False)
    for name, series in measured.series.items():
        yield from _errors(profile, name, series)
    left = measured.remainder
    if left.unresolved:
        yield f"{left.unresolved:,} still under way {BACKLOG_S:g} s after the last send, must be 0"
    if left.lost:
        yield f"{left.lost:,} lost, must be 0"
    if left.doubled:
        yield f"{left.doubled:,} done twice, must be 0"
    for name, stream in measured.streams.items():
        wrong = {"gaps": stream.gaps, "repeats": stream.repeats}
        wrong["out of order"] = stream.out_of_order
        if any(wrong.values()):
            told = ", ".join(f"{count:,} {what}" for what, count in wrong.items() if count)
            yield f"{name} has {told} in {stream.messages:,} messages, must have none"


def _errors(profile: Profile, name: str, series: Series) -> Iterator[str]:
    share = series.failed / max(1, series.ended)
    if share > profile.error_share_max:
        codes = {code: count for code, count in series.counts.items() if code != "OK"}
        told = ", ".join(f"{count:,} {code}" for code, count in codes.items())
        budget = f"{profile.error_share_max:.1%}"
        yield f"{share:.2%} of {name} failed, must be at most {budget}: {told}"


def _flaws(profile: Profile, measured: Measured) -> Iterator[str]:
    """Yield why nothing can be said: the generator did not do its part."""
    if measured.is_interrupted:
        yield "interrupted before its end"
    late = measured.late / max(1, measured.sent)
    if late > LATE_SHARE_MAX:
        yield (
            f"{late:.2%} of sends were more than {LATE_S * 1e3:g} ms late, "
            f"must be at most {LATE_SHARE_MAX:.1%}: give the generator more of the machine"
        )
    if measured.cpu_share > GENERATOR_CPU_MAX:
        yield (
            f"the generator used {measured.cpu_share:.0%} of a core, "
            f"must be at most {GENERATOR_CPU_MAX:.0%}: use more workers"
        )
    is_overrun = any(any(_errors(profile, *one)) for one in measured.series.items())
    if not (measured.is_steady or is_overrun):  # What is overrun does not get steady, ever.
        yield f"the warm-up did not become steady: {measured.unsteady_reason}"


def _too_few(profile: Profile, measured: Measured, *, is_generators: bool) -> Iterator[str]:
    """Yield each gate that too little was seen of to tell, if for want of sends, or otherwise."""
    left, needed = measured.remainder, samples_needed(GATED / 100)
    for gate in profile.gates:
        series = measured.series.get(gate.series)
        well = series.corrected.total if series else 0
        failed = series.failed if series else 0
        missing = failed + measured.dropped + left.unresolved + left.lost
        if well < needed and (well + missing < needed) is is_generators:
            advice = ": measure for longer" if is_generators else ""
            yield f"too few {gate.series}: {well:,}, a p99 needs {needed}{advice}"
