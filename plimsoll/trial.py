"""`plimsoll trial`: one run, its verdict and its report."""

import gc
import os
import sys
from itertools import count
from pathlib import Path

from fixtures.commit import current_commit
from fixtures.faults import Schedule, from_json
from fixtures.history import History, HistoryError
from fixtures.outcome import Outcome, Verdict
from fixtures.places import Place
from fixtures.trial import Observe, Plan, conduct, judge
from plimsoll import console
from plimsoll.experiments import find_experiment
from plimsoll.failures import STATUS, WrongUse, said, start_failures
from runtime.observe.recorder import SpanRecorder

RUNS = Path("runs")
REPORT, HISTORY = "report.html", "history.jsonl"
GC_THRESHOLD = (50_000, 20, 20)


def run_trial(
    name: str, run: tuple[Place, int], directory: Path | None, schedule: str, *, as_json: bool
) -> int:
    """Run experiment `name` at a place by a seed; return the exit status of its verdict.

    `schedule` are other faults than its own, as JSON or a file of it; "" for those it has.
    """
    experiment, (place, seed) = find_experiment(name), run
    if not schedule and place.world not in experiment.worlds:
        known = ", ".join(sorted(experiment.worlds))
        raise WrongUse(
            f"world is {str(place.world)!r}, must be one of those that the faults of {name} exist "
            f"in: {known}"
        )
    folder = new_folder(directory, f"{name}-{place}-{seed}")
    spans = spans_asked_for()
    plan = Plan(
        experiment, place, seed, folder, current_commit(), spans=spans, schedule=_faults(schedule)
    )
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


def _faults(schedule: str) -> Schedule | None:
    if not schedule:
        return None
    is_json = schedule.lstrip().startswith("[")
    try:
        return from_json(schedule if is_json else Path(schedule).read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError) as error:
        raise WrongUse(f"--schedule is no schedule of faults: {error}") from error


def run_once(plan: Plan, observe: Observe) -> Outcome:
    """Conduct one run and judge it."""
    return judge(record(plan, observe), plan.experiment, observe)


def record(plan: Plan, observe: Observe) -> History:
    """Conduct one run in its world's time; return its history."""
    gc.freeze()  # What is loaded stays, and a run mostly adds: looking for garbage is rare work.
    before = gc.get_threshold()
    gc.set_threshold(*GC_THRESHOLD)
    try:
        with plan.place.world.runner() as runner:
            return runner.run(conduct(plan, observe))
    finally:
        gc.set_threshold(*before)


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
