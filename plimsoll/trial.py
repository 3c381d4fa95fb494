"""`plimsoll trial`: one run, its verdict and its report."""

import gc
import os
import sys
from dataclasses import replace
from functools import cache
from itertools import count
from pathlib import Path

from fixtures import portion
from fixtures.commit import current_commit
from fixtures.faults import from_json
from fixtures.history import History, HistoryError
from fixtures.outcome import Outcome, Verdict
from fixtures.places import Place
from fixtures.trial import Observe, Plan, broken, conduct, judge
from plimsoll import console
from plimsoll.experiments import find_experiment
from plimsoll.failures import STATUS, WrongUse, said, start_failures
from runtime.observe.recorder import SpanRecorder

RUNS = Path("runs")
REPORT, HISTORY = "report.html", "history.jsonl"
GC_THRESHOLD = (50_000, 20, 20)


def planned(name: str, run: tuple[Place, int], schedule: str, traffic: str) -> Plan:
    """Return the run of experiment `name` at a place by a seed; raises WrongUse.

    `schedule` are other faults than its own, `traffic` less than it has, each as JSON or a file
    of it; "" for what it has.
    """
    experiment, (place, seed) = find_experiment(name), run
    if not schedule and place.world not in experiment.worlds:
        known = ", ".join(sorted(experiment.worlds))
        raise WrongUse(
            f"world is {str(place.world)!r}, must be one of those that the faults of {name} exist "
            f"in: {known}"
        )
    try:
        faults = from_json(_text(schedule)) if schedule else None
    except (OSError, ValueError, KeyError) as error:
        raise WrongUse(f"--schedule is no schedule of faults: {error}") from error
    try:
        part = portion.from_json(_text(traffic)) if traffic else None
        if part:
            part.of(experiment)
    except (OSError, ValueError) as error:
        raise WrongUse(f"--traffic is no part of the traffic: {error}") from error
    return Plan(experiment, place, seed, commit=current_commit(), schedule=faults, traffic=part)


def _text(option: str) -> str:
    """Return the JSON that an option is, or that the file has which it names."""
    is_json = option.lstrip().startswith(("[", "{"))
    return option if is_json else Path(option).read_text(encoding="utf-8")


def run_trial(plan: Plan, directory: Path | None, *, as_json: bool) -> int:
    """Run a plan, its files in a new folder; return the exit status of its verdict."""
    folder = new_folder(directory, f"{plan.experiment.name}-{plan.place}-{plan.seed}")
    spans = spans_asked_for()
    plan = replace(plan, folder=folder, spans=spans)
    try:
        with console.live_progress() as observe:
            outcome = run_once(plan, observe)
            _draw(outcome, folder / REPORT, observe)
    except HistoryError as error:
        sys.stderr.write(f"plimsoll: void: {error}\n")
        return STATUS[Verdict.VOID]
    except start_failures() as error:
        sys.stderr.write(f"plimsoll: void: the platform does not run: {said(error)}\n")
        return STATUS[Verdict.VOID]
    except KeyboardInterrupt:
        sys.stderr.write(
            f"plimsoll: void: interrupted; what was recorded is kept in {folder / HISTORY}, "
            f"judge it with: plimsoll check {folder / HISTORY}\n"
        )
        return STATUS[Verdict.VOID]
    finally:
        if spans is not None:
            spans.close()
    if as_json:
        console.print_json(console.as_json(outcome))
    else:
        console.print_outcome(outcome, str(folder / REPORT))
    return STATUS[outcome.verdict]


def run_once(plan: Plan, observe: Observe) -> Outcome:
    """Conduct one run and judge it; one in virtual time that breaks has failed."""
    return attempted(plan, observe)[0]


def attempted(plan: Plan, observe: Observe) -> tuple[Outcome, History | None]:
    """Return what `run_once` does, and the history: None of a run that broke.

    In virtual time no machine is in the way, so any error is a bug. Raises HistoryError.
    """
    try:
        history = record(plan, observe)
        return judge(history, plan.experiment, observe), history
    except HistoryError:
        raise
    except Exception as error:
        if not plan.place.world.is_virtual:
            raise
        return broken(plan, error), None


def record(plan: Plan, observe: Observe) -> History:
    """Conduct one run in its world's time; return its history.

    A run mostly adds, so looking for garbage is rare work.
    """
    _keep_what_is_loaded()
    before = gc.get_threshold()
    gc.set_threshold(*GC_THRESHOLD)
    try:
        with plan.place.world.runner() as runner:
            return runner.run(conduct(plan, observe))
    finally:
        gc.set_threshold(*before)


@cache  # Once a process: what a run has left behind by the next one is garbage, and collected.
def _keep_what_is_loaded() -> None:
    """Let nobody look for garbage in what was loaded, as all of it stays."""
    gc.freeze()


def _draw(outcome: Outcome, path: Path, observe: Observe) -> None:
    from plimsoll.report import write_report  # Drawing needs a second of imports: not before.

    observe("drawing the report", 0, 1)
    write_report(outcome, path)
    observe("drawing the report", 1, 1)


def spans_asked_for() -> SpanRecorder | None:
    """Return what writes the run's spans for `plimsoll trace`, if the environment names a file."""
    path = os.environ.get("PLIMSOLL_SPANS")
    return SpanRecorder(Path(path), spans_max=0) if path else None


def new_folder(chosen: Path | None, name: str) -> Path:
    """Return a folder that holds no run yet: an earlier history is never overwritten."""
    if chosen and (chosen / HISTORY).exists():
        raise WrongUse(f"directory {chosen} already holds a run: choose another or remove it")
    names = (RUNS / (f"{name}.{n}" if n else name) for n in count())
    return chosen or next(folder for folder in names if not folder.exists())
