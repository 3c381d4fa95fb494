"""Reads the folder of a night; a file that cannot be read is named, and hides no other."""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TypeVar
from xml.etree import ElementTree as Xml

from fixtures.history import HistoryError
from fixtures.outcome import Outcome, Verdict
from fixtures.saved import load
from fixtures.trial import judge
from plimsoll.experiments import find_experiment
from plimsoll.failures import WrongUse
from plimsoll.night.results import Night, Record, Simulation, Step, Suite
from runtime.load.report.writing import read

T = TypeVar("T")
# How the steps call what they leave.
STEPS, RUNS, SIMULATIONS = "steps.jsonl", "history.jsonl", "simulation-*.json"
LOADS, SUITES, RECORDS = "load.json", "junit.xml", "TRACK_RECORD.md"
BUG, MISSED = "| `", "**not found**"  # How a row of a record begins, and tells that it was not.


class NoRun(Exception):
    """A history is of no experiment: there is nothing to judge, and nothing wrong."""


def read_night(folder: Path) -> Night:
    """Return what a night has left in `folder`; raises WrongUse where there is no such folder."""
    if not folder.is_dir():
        raise WrongUse(f"directory {folder} does not exist: name one that ci/nightly has left")
    broken: dict[str, str] = {}

    def each(pattern: str, reading: Callable[[Path], T]) -> dict[str, T]:
        found: dict[str, T] = {}
        for path in sorted(folder.rglob(pattern)):
            name = path.relative_to(folder).as_posix()
            try:
                with suppress(NoRun):
                    found[name] = reading(path)
            except (HistoryError, WrongUse, Xml.ParseError, OSError, LookupError) as error:
                broken[name] = f"{type(error).__name__}: {error}"
            except (ValueError, TypeError, AttributeError) as error:
                broken[name] = f"it was cut off or edited: {error}"
        return found

    steps = each(STEPS, _steps)
    return Night(
        name=folder.resolve().name,
        steps=tuple(step for several in steps.values() for step in several),
        runs=each(RUNS, _run),
        simulations=each(SIMULATIONS, _simulation),
        loads=each(LOADS, read),
        suites=tuple(s for several in each(SUITES, _suites).values() for s in several),
        records=each(RECORDS, _record),
        broken=broken,
    )


def _steps(path: Path) -> list[Step]:
    """Return the steps of a file, the latest of each name."""
    found = [Step(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]
    return list({step.step: step for step in found}.values())


def _run(path: Path) -> Outcome:
    history = load(path)
    if "experiment" not in history.header:
        raise NoRun
    outcome = judge(history, find_experiment(str(history.header["experiment"])))
    history.records.clear()  # A night has many.
    return outcome


def _simulation(path: Path) -> Simulation:
    told = json.loads(path.read_text(encoding="utf-8"))
    both = {**told["pace"], **told["coverage"]}
    figures = {name: value for name, value in both.items() if isinstance(value, int | float)}
    return Simulation(told, Verdict(told["verdict"]), dict(told["runs"]), figures)


def _record(path: Path) -> Record:
    """Return what became of each planted bug: a row of the first table."""
    table, _, _ = path.read_text(encoding="utf-8").partition("\n## ")
    rows = [line for line in table.splitlines() if line.startswith(BUG)]
    missed = tuple(row.split("`")[1] for row in rows if MISSED in row)
    if not rows:
        raise ValueError("no bug is in it")
    return Record(len(rows) - len(missed), missed)


def _suites(path: Path) -> list[Suite]:
    """Return the tests of a run of pytest, by the folder that they are in."""
    cases: dict[str, list[Xml.Element]] = {}
    for case in Xml.parse(path).getroot().iter("testcase"):
        cases.setdefault(case.get("classname", "").partition(".")[0], []).append(case)
    return [
        Suite(
            name=f"{folder} ({path.parent.name})",  # Some are run in more than one step.
            tests=len(found),
            skipped=sum(case.find("skipped") is not None for case in found),
            seconds=sum(float(case.get("time", "0")) for case in found),
            failures=_failures(found),
        )
        for folder, found in sorted(cases.items())
    ]


def _failures(cases: list[Xml.Element]) -> Mapping[str, str]:
    return {
        f"{case.get('classname')}.{case.get('name')}": wrong.get("message", "")
        for case in cases
        for wrong in (*case.iter("failure"), *case.iter("error"))
    }
