"""What a run says while it goes and when it ends: progress on stderr, the verdict on stdout."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from fixtures.outcome import FaultSeen, Figures, Outcome, Verdict
from fixtures.trial import Observe
from plimsoll.fleet import as_object as fleet_object
from plimsoll.fleet import print_fleet

COLOURS = {Verdict.PASSED: "green", Verdict.FAILED: "red", Verdict.VOID: "yellow"}
VIOLATIONS_SHOWN = 5


@contextmanager
def live_progress() -> Iterator[Observe]:
    """Show stages as they go; off a terminal, one line per stage."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        shown: dict[str, Any] = {}

        def observe(stage: str, done: int, total: int) -> None:
            if stage not in shown:
                shown[stage] = progress.add_task(stage, total=total or None)
                if not console.is_terminal:
                    console.print(f"{stage} ...")
            progress.update(shown[stage], completed=done, total=total or None)

        yield observe


def print_outcome(outcome: Outcome, report: str | None = None) -> None:
    """Print verdict, checks, figures and, unless it passed, how to run it again."""
    console = Console()
    colour = COLOURS[outcome.verdict]
    table = Table(box=None, pad_edge=False, show_header=False)
    for check in outcome.checks:
        mark = f"[{COLOURS[check.verdict]}]{check.verdict}[/]"
        table.add_row(mark, check.name, f"{check.examined:,} examined")
        if check.unproven:
            table.add_row("", f"  {escape(check.unproven)}", "")
        for violation in check.violations[:VIOLATIONS_SHOWN]:
            table.add_row("", f"  {escape(violation)}", "")
    console.print(table)
    for fault in outcome.faults:
        console.print(escape(fault_line(fault)), soft_wrap=True)
    print_fleet(console, outcome.fleet)
    figures = outcome.figures
    counts = (
        f"{figures.candles:,} candles  {figures.signals:,} signals  "
        f"{figures.orders:,} orders  {figures.fills:,} fills"
    )
    console.print(
        f"{outcome.experiment}  {outcome.world}  seed {outcome.seed}  {counts}  "
        f"[bold {colour}]{outcome.verdict.upper()}[/]  {outcome.reason}"
    )
    console.print(shadow_line(figures), soft_wrap=True)
    if stores := outcome.details.get("databases"):
        console.print(f"kept in {stores} and {outcome.details['streams']}", soft_wrap=True)
    if report:
        console.print(f"report: {report}", soft_wrap=True)
    if trace := outcome.details.get("trace"):
        console.print(escape(trace), soft_wrap=True)
    if outcome.verdict is not Verdict.PASSED:
        console.print(f"replay: {outcome.replay}", soft_wrap=True)


def fault_line(fault: FaultSeen) -> str:
    """Return what a fault was, when, and how often it struck."""
    where = f" at {fault.target}" if fault.target else ""
    lasted = "to the end" if fault.for_s is None else f"for {fault.for_s} s"
    fired = "" if fault.firings is None else f", fired {fault.firings:,} times"
    return f"fault: {fault.kind}{where} from {fault.at_s} s {lasted}{fired}"


def shadow_line(figures: Figures) -> str:
    """Return what the entries that were refused would have come to."""
    if not figures.shadows:
        return "no entry was refused"
    refused = sum(one.refused for one in figures.shadows)
    profit = sum((one.profit for one in figures.shadows), Decimal(0))
    effect = "cost" if profit > 0 else "saved"
    reasons = ", ".join(f"{one.reason} {one.refused:,}" for one in figures.shadows)
    return (
        f"{refused:,} entries refused ({reasons}): by their shadow trades that {effect} "
        f"{abs(profit):,.2f} {figures.currency}"
    )


def print_json(values: dict[str, Any]) -> None:
    """Print one JSON object, and nothing else, on standard output."""
    sys.stdout.write(json.dumps(values) + "\n")


def as_json(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome as `--json` prints it."""
    figures, latency = outcome.figures, outcome.figures.latency
    return {
        "verdict": str(outcome.verdict),
        "reason": outcome.reason,
        "experiment": outcome.experiment,
        "world": outcome.world,
        "seed": outcome.seed,
        "commit": outcome.commit,
        "stores": {k: outcome.details.get(k) for k in ("databases", "streams")},
        "history": str(outcome.history_path) if outcome.history_path else None,
        "history_sha256": outcome.history_sha256,
        "candles": figures.candles,
        "signals": figures.signals,
        "orders": figures.orders,
        "fills": figures.fills,
        "latency_ms": {
            name: round(getattr(latency, name), 3) if latency else None
            for name in ("p50", "p99", "p999", "max")
        },
        "shadow_trades": [
            {
                "reason": one.reason,
                "refused": one.refused,
                "traded": one.traded,
                "won": one.won,
                "lost": one.lost,
                "profit": str(one.profit),
            }
            for one in figures.shadows
        ],
        "checks": [
            {
                "name": check.name,
                "verdict": str(check.verdict),
                "examined": check.examined,
                "violations": list(check.violations),
                "unproven": check.unproven,
            }
            for check in outcome.checks
        ],
        "trace": outcome.details.get("trace"),
        "faults": [asdict(fault) for fault in outcome.faults],
        **fleet_object(outcome.fleet),
        "replay": outcome.replay,
    }
