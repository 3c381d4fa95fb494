"""How a test ends: reports, exit code, and the verdict as the last that is said."""

import json
import sys
from pathlib import Path
from typing import Any

import locust
from locust.env import Environment

from runtime.load.on_locust.shape import OneAfterAnother
from runtime.load.on_locust.tour import ENGINES, Tour
from runtime.load.report.result import Result
from runtime.load.report.terminal import lines
from runtime.load.report.writing import PAGE, write
from runtime.load.verdict import WRONG_USE, Outcome


class Ending:
    """Judges the tests of one Locust process that runs them."""

    def __init__(self, environment: Environment, shape: OneAfterAnother) -> None:
        """Judge what `shape` has toured."""
        self._environment, self._shape = environment, shape
        self._options: Any = environment.parsed_options
        self.result: Result | None = None  # Of the last test.

    def conclude(self, **_: Any) -> None:
        """Judge the test that has stopped, and write its reports."""
        shape, tour = self._shape, self._shape.tour
        if shape.is_over or tour is None:
            return
        shape.is_over = True
        tour.stop()
        self.result = tour.result(**_facts(tour))
        if tour.asked.report_folder:
            _write(self.result, tour, Path(tour.asked.report_folder))
        if not self._options.headless:
            self.say()

    def decide(self, **_: Any) -> None:
        """Set what Locust exits with."""
        self.conclude()
        self._environment.process_exit_code = self._exit_code()

    def say(self, **_: Any) -> None:
        """Print the verdict; to where Locust says all else if standard output is taken."""
        tour = self._shape.tour
        out = sys.stderr if self._options.json else sys.stdout
        wrong = self._shape.wrong or (tour.wrong if tour else "")
        if wrong:
            out.write(f"WRONG USE: {wrong}\n")
        elif self.result is not None and tour is not None:
            said = [f"{name}: {note}" for name, note in tour.notes.items()]
            if tour.asked.report_folder:
                said.append(f"report: {Path(tour.asked.report_folder) / PAGE}")
            out.write("\n".join(["", *said, *lines(self.result), ""]))
        out.flush()

    def _exit_code(self) -> int:
        if self._shape.wrong or (self._shape.tour and self._shape.tour.wrong):
            return WRONG_USE
        outcome = self.result.outcome if self.result else Outcome.VOID
        return outcome.exit_code


def _facts(tour: Tour) -> dict[str, str]:
    asked = tour.asked
    addresses = dict.fromkeys(asked.target.addresses.values())
    return {
        "seed": str(asked.seed),
        "measured": f"{asked.duration_s:g} s after {asked.warmup_s:g} s of warm-up",
        "generator": f"Locust {locust.__version__}, {max(_workers(tour), default=0)} engines",
        "targets": ", ".join(addresses),
    }


def _workers(tour: Tour) -> list[int]:
    return [len(leg.plans) for leg, _ in tour.done]


def _write(result: Result, tour: Tour, folder: Path) -> None:
    write(result, folder)
    with (folder / ENGINES).open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(line, separators=(",", ":")) + "\n" for line in tour.told)
