"""A result as lines for whoever waits at a terminal: the verdict comes last."""

from collections.abc import Iterator

from runtime.load.confidence import Estimate
from runtime.load.knee import LIMIT_MS, Knee, Point, knee
from runtime.load.report.result import Result, Run
from runtime.load.verdict import GATED, Figure

HEADER = (
    f"{'profile':<32} {'load':>5} {'offered/s':>10} {'p50 ms':>9} {'p99 ms':>9} {'limit':>6}  "
    f"{'p99 lies within':<19} verdict"
)


def lines(result: Result) -> Iterator[str]:
    """Yield every run, what is the matter with it, and the verdict on all."""
    yield HEADER
    for name, number, run in result.numbered():
        gates = [f for f in run.verdict.figures if f.percent == GATED and f.limit_ms]
        begun = f"{name} {number}" if len(result.profiles[name]) > 1 else name
        yield from (_gate(begun, run, gate) for gate in gates)
        if not gates:
            yield f"{begun:<32} {'nothing was seen of what it is about':<66} {_outcome(run)}"
        yield from (f"  {reason}" for reason in run.verdict.reasons)
    for name, points in result.curves.items():
        yield f"{name}: {knee_in_words(knee(points))}"
    yield from (f"check {name}: {found}" for name, found in result.checks.items() if found)
    if result.checks:
        kept = sum(not found for found in result.checks.values())
        yield f"{kept} of {len(result.checks)} checks passed"
    yield result.outcome.upper()


def knee_in_words(found: Knee) -> str:
    """Return where the knee is."""
    limit = f"p99 of {LIMIT_MS:g} ms"
    if found.beyond is None:
        upto = f"no knee ({limit}) up to {_rate(found.holds)}" if found.holds else ""
        return upto or "no valid run tells where the knee is"
    if found.holds is None:
        return f"the knee ({limit}) is below {_rate(found.beyond)}"
    return f"the knee ({limit}) is between {_rate(found.holds)} and {_rate(found.beyond)}"


def within(found: Estimate) -> str:
    """Return the interval of an estimate."""
    if found.low is None or found.high is None:
        return "too few to tell"
    return f"{found.low:,.1f} to {found.high:,.1f}"


def _gate(begun: str, run: Run, gate: Figure) -> str:
    measured, found = run.measured, gate.estimate
    p50_ms = measured.series[gate.series].corrected.percentile_ms(50)
    return (
        f"{f'{begun} {gate.series}':<32.32} {measured.multiple:>4g}x {measured.rate:>10,.0f} "
        f"{p50_ms:>9,.1f} {found.value:>9,.1f} {gate.limit_ms:>6,.0f}  {within(found):<19} "
        f"{_outcome(run)}{' (close)' if gate.is_close else ''}"
    )


def _outcome(run: Run) -> str:
    return run.verdict.outcome.upper()


def _rate(point: Point) -> str:
    return f"{point.rate:,.0f}/s ({point.multiple:.3g}x)"
