"""`plimsoll load`: the platform under load, and whether all of it was right as well as fast."""

import asyncio
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from rich.console import Console

from fixtures.aftermath import judged_by_state
from fixtures.commit import current_commit
from fixtures.history import History
from fixtures.mustering import fleet_of
from fixtures.outcome import CheckResult
from fixtures.outcome import Verdict as Checked
from fixtures.places import Place
from fixtures.settling import NotSettled, settle
from fixtures.setup import Setup
from fixtures.system import System
from plimsoll.console import print_json
from plimsoll.failures import STARTS_NOT, WrongUse, said, start_failures
from plimsoll.fleet import devices_table
from plimsoll.locusts import Offer, run_locust
from plimsoll.trial import HISTORY, new_folder, spans_asked_for
from plimsoll.whereabouts import SHOWN, write_conf
from runtime.clock import SystemClock
from runtime.load.report.terminal import lines
from runtime.load.report.writing import JSON, PAGE, read, write
from runtime.load.verdict import WRONG_USE, Outcome
from runtime.observe.spans import SpanSink

REST_WITHIN_S, LOOK_EVERY_S = 120.0, 0.05  # A platform that was overrun comes to rest, in time.
SPAN_SHARE = 0.01  # Of traces, under load (specification 0.3, G3).
AT_REST = "everything_comes_to_rest"  # What is judged before all else.
VIOLATIONS_SHOWN = 3


@dataclass(frozen=True)
class Loaded:
    """How a platform that was loaded has ended."""

    status: int  # Of Locust.
    history: History  # What the devices used; what the witness was told.
    checks: Mapping[str, str] = field(default_factory=dict)  # What each found wrong; "": nothing.


def run_load(
    place: Place, seed: int, offer: Offer, directory: Path | None, *, as_json: bool
) -> int:
    """Load a platform started for it, judge it, stop it; return the exit status."""
    if place.world.is_virtual:
        raise WrongUse("world is 'simulated', must be one in real time: load is measured in it")
    folder = new_folder(directory, f"load-{place}-{seed}").resolve()
    with ExitStack() as closing:
        if (spans := spans_asked_for()) is not None:
            closing.callback(spans.close)
        setup = _setup(place, seed, folder, spans)
        output = (sys.stderr if as_json else sys.stdout).fileno()
        try:
            loaded = asyncio.run(_load(setup, offer, _report(folder), output))
        except KeyboardInterrupt:
            sys.stderr.write("plimsoll: void: interrupted before there was anything to judge\n")
            return Outcome.VOID.exit_code
        except start_failures() as error:
            sys.stderr.write(f"plimsoll: the platform does not run: {said(error)}\n")
            return STARTS_NOT
    return _conclude(loaded, folder, as_json=as_json)


def _setup(place: Place, seed: int, folder: Path, spans: SpanSink | None) -> Setup:
    return Setup(
        place.world,
        seed,
        start_ns=SystemClock().now_ns(),
        directory=folder / "platform",
        history_path=folder / HISTORY,
        header={"commit": current_commit(), "place": place.options},
        stores=place.kind.source(),
        topology=place.devices(),
        is_recorded=False,
        rest_shares=SHOWN,
        spans=spans,
        span_share=SPAN_SHARE,
    )


async def _load(setup: Setup, offer: Offer, report: Path, output: int) -> Loaded:
    """Start the platform, load it, ask it at rest what it has, and stop it."""
    _say("starting the platform ...")
    system = await System.start(setup)
    checks: Mapping[str, str] = {}
    try:
        conf = write_conf(system, report)
        status = await run_locust(conf, offer, report, output=output)
        if status != WRONG_USE:
            _say("judging what it has left ...")
            checks = await _judged(system)
    finally:
        _say("stopping the platform ...")
        await system.stop()
    return Loaded(status, system.history, checks)


async def _judged(system: System) -> Mapping[str, str]:
    """Return what each check found that had something to examine."""
    try:
        await settle(system.hosting.look, timeout_s=REST_WITHIN_S, interval_s=LOOK_EVERY_S)
    except NotSettled as error:
        return {AT_REST: str(error)}
    results = await judged_by_state(system)
    found = {one.name: _violations(one) for one in results if one.verdict is not Checked.VOID}
    return {AT_REST: "", **found}


def _violations(result: CheckResult) -> str:
    shown = "; ".join(result.violations[:VIOLATIONS_SHOWN])
    more = len(result.violations) - VIOLATIONS_SHOWN
    return f"{shown}; and {more:,} more" if more > 0 else shown


def _conclude(loaded: Loaded, folder: Path, *, as_json: bool) -> int:
    """Write what was found into the reports of Locust; print it, the verdict last."""
    path = _report(folder) / JSON
    if loaded.status == WRONG_USE:
        return WRONG_USE  # Locust has said what is wrong.
    if not path.exists():
        _say(f"plimsoll: void: Locust ended with {loaded.status} and left no report")
        return Outcome.VOID.exit_code
    result = read(path)
    header = {name: str(loaded.history.header[name]) for name in ("commit", "place", "seed")}
    result = replace(result, facts={**header, **result.facts}).with_checks(loaded.checks)
    write(result, _report(folder))
    # What went wrong with Locust alone is not in its report.
    is_failed = result.outcome is Outcome.FAILED
    status = result.outcome.exit_code if is_failed else loaded.status
    if as_json:
        checks = dict(loaded.checks)
        print_json(
            {"verdict": result.outcome, "status": status, "checks": checks, "report": str(path)}
        )
        return status
    console = Console()
    if devices := fleet_of(loaded.history).devices:
        console.print(devices_table(devices))
    console.print(f"report: {path.with_name(PAGE)}", soft_wrap=True, highlight=False)
    for line in lines(result):
        console.print(line, soft_wrap=True, highlight=False, markup=False)
    return status


def _report(folder: Path) -> Path:
    return folder / "report"


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
