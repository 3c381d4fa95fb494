"""What many seeds came to: verdicts, pace and coverage, as JSON and for people."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.markup import escape

from fixtures.checks.states import FOLLOWERS, LEGAL
from fixtures.coverage import Coverage, as_object
from fixtures.facts import methods_by_path
from fixtures.faults import kinds_in
from fixtures.outcome import Verdict
from fixtures.worlds import World
from plimsoll.simulating.seed_run import SeedRun

KINDS_SHOWN = 12


@dataclass
class Pace:
    """How much a worker, or all of them, simulated in how much time."""

    seeds: int = 0
    busy_s: float = 0.0
    run_s: float = 0.0
    market_s: float = 0.0

    def add(self, run: SeedRun) -> None:
        """Count one more seed."""
        self.seeds += 1
        self.busy_s += run.busy_s
        self.run_s += run.run_s
        self.market_s += run.market_s

    def as_object(self, seconds: float) -> dict[str, float]:
        """Return the figures for JSON; of `seconds` that passed meanwhile, the ratios."""
        per_s = 1 / seconds if seconds else 0.0
        return {
            "seeds": self.seeds,
            "seconds": round(seconds, 3),
            "seeds_s": round(self.seeds * per_s, 3),
            "simulated_s": round(self.run_s, 3),
            "market_s": round(self.market_s, 3),
            "simulated_ratio": round(self.run_s * per_s, 1),
            "market_ratio": round(self.market_s * per_s, 1),
        }


@dataclass
class Tally:
    """Adds up what seeds come to, one after the other."""

    verdicts: Counter[Verdict] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)  # Of runs that prove nothing.
    coverage: Coverage = field(default_factory=Coverage)
    pace: Pace = field(default_factory=Pace)
    workers: dict[str, Pace] = field(default_factory=dict)

    def add(self, run: SeedRun) -> None:
        """Count one more seed."""
        verdict = run.outcome.verdict
        self.verdicts[verdict] += 1
        if verdict is Verdict.VOID:
            self.reasons[run.outcome.reason] += 1
        self.coverage += run.coverage
        self.pace.add(run)
        self.workers.setdefault(run.worker, Pace()).add(run)

    @property
    def verdict(self) -> Verdict:
        """What all runs together come to: some prove nothing, by their seed, if one does."""
        if self.verdicts[Verdict.FAILED]:
            return Verdict.FAILED
        return Verdict.PASSED if self.verdicts[Verdict.PASSED] else Verdict.VOID

    def whole_coverage(self) -> dict[str, Any]:
        """Return everything that was covered, as JSON has it."""
        return as_object(self.coverage, (kind.name for kind in kinds_in(World.SIMULATED)))

    def as_object(self, seconds: float) -> dict[str, Any]:
        """Return what `seconds` of simulating came to, as JSON has it; coverage in counts."""
        coverage = self.coverage
        kinds = kinds_in(World.SIMULATED)
        return {
            "runs": {str(verdict): self.verdicts[verdict] for verdict in Verdict},
            "void": dict(self.reasons),
            "pace": self.pace.as_object(seconds),
            "workers": {
                name: pace.as_object(pace.busy_s) for name, pace in sorted(self.workers.items())
            },
            "coverage": {
                "kinds": len(kinds),
                "kinds_struck": len(coverage.struck),
                "never_struck": sorted({kind.name for kind in kinds} - set(coverage.struck)),
                "methods": len(methods_by_path()),
                "methods_under_faults": len({method for method, _ in coverage.calls}),
                "methods_with_kinds": len(coverage.calls),
                "order_states": len(coverage.states),
                "order_transitions": len(coverage.transitions),
            },
        }


def print_summary(name: str, tally: Tally, seconds: float) -> None:
    """Print verdicts, pace and coverage, a line each."""
    console = Console(soft_wrap=True)
    found = tally.as_object(seconds)
    counts = ", ".join(f"{count} {verdict}" for verdict, count in found["runs"].items() if count)
    pace, coverage = found["pace"], found["coverage"]
    console.print(f"{name}: {pace['seeds']} seeds, {counts}, {pace['seconds']} s")
    for reason, count in tally.reasons.most_common():
        console.print(f"  void {count}: {escape(reason)}")
    console.print(
        f"pace: {pace['seeds_s']} seeds/s, {pace['simulated_ratio']} simulated seconds and "
        f"{pace['market_ratio']} of the market a second"
    )
    for worker, own in found["workers"].items():
        console.print(
            f"  {escape(worker)}: {own['seeds']} seeds, {own['simulated_ratio']} simulated seconds "
            f"and {own['market_ratio']} of the market a second"
        )
    console.print(
        f"covered: {coverage['kinds_struck']} of {coverage['kinds']} kinds of faults struck, "
        f"{coverage['methods_under_faults']} of {coverage['methods']} methods called under "
        f"{coverage['methods_with_kinds']} pairs of method and kind, orders in "
        f"{coverage['order_states']} of {len(FOLLOWERS) - 1} states by "
        f"{coverage['order_transitions']} of {len(LEGAL)} transitions"
    )
    never = coverage["never_struck"]
    if never and tally.coverage.in_force:
        more = f" and {len(never) - KINDS_SHOWN} more" if len(never) > KINDS_SHOWN else ""
        console.print(f"  never struck: {', '.join(never[:KINDS_SHOWN])}{more}")
