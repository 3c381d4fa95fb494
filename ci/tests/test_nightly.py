"""A night runs every step it is asked for, whatever becomes of one, and ends with its page.

The script runs in a tree of its own, whose programs only write down that they were called.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CALLED = """#!/bin/sh
echo "$(basename "$0") $*" >> called
case "$*" in *{failing}*) exit {status} ;; esac
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a tree in which everything succeeds."""
    (tmp_path / "ci").mkdir()
    shutil.copy(ROOT / "ci" / "nightly", tmp_path / "ci")
    fail(tmp_path, "nothing at all", 0)
    return tmp_path


def fail(tree: Path, words: str, status: int) -> None:
    """Let whatever is called with these words end with a status."""
    for name in ("ci/provision", ".ci/run", ".venv/bin/plimsoll", ".venv/bin/python", "bin/make"):
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(CALLED.format(failing=f'"{words}"', status=status), encoding="utf-8")
        path.chmod(0o755)


def nightly(tree: Path, *steps: str) -> "subprocess.CompletedProcess[str]":
    environ = {"PATH": f"{tree / 'bin'}:{os.environ['PATH']}", "NIGHT": "runs/night"}
    words = [str(tree / "ci" / "nightly"), *steps]
    return subprocess.run(words, env=environ, capture_output=True, text=True, check=False)


def steps_of(tree: Path) -> dict[str, int]:
    lines = (tree / "runs" / "night" / "steps.jsonl").read_text(encoding="utf-8").splitlines()
    return {step["step"]: step["status"] for step in map(json.loads, lines)}


def test_a_step_that_fails_keeps_no_other_and_no_page_from_being_made(tree: Path) -> None:
    fail(tree, "pytest chaos", 7)
    done = nightly(tree, "bench", "chaos", "knee")
    assert done.returncode == 1
    assert "nightly: failed: chaos (7)" in done.stderr
    assert steps_of(tree) == {"bench": 0, "chaos": 7, "knee": 0}
    *_, last = (tree / "called").read_text(encoding="utf-8").splitlines()
    assert last == "plimsoll nightly-summary runs/night"


def test_each_step_leaves_what_it_said_in_a_folder_of_its_own(tree: Path) -> None:
    done = nightly(tree, "simulate", "load")
    assert done.returncode == 0, done.stderr
    night = tree / "runs" / "night"
    left = {path.relative_to(night).as_posix() for path in night.rglob("*") if path.is_file()}
    assert left == {
        "steps.jsonl",
        "load/log.txt",
        "simulate/log.txt",
        "simulate/simulation-everything_at_once.json",
        "simulate/simulation-trading_day.json",
    }
    called = (tree / "called").read_text(encoding="utf-8")
    assert "OPTIONS=--directory runs/night/load" in called


@pytest.mark.parametrize(("status", "expected"), [(1, 1), (2, 1), (3, 0)])
def test_a_page_that_tells_of_a_failure_fails_the_night_and_one_of_void_runs_does_not(
    tree: Path, status: int, expected: int
) -> None:
    fail(tree, "nightly-summary", status)
    assert nightly(tree, "bench").returncode == expected


def test_an_unknown_step_is_wrong_use_and_nothing_is_run(tree: Path) -> None:
    done = nightly(tree, "bench", "everything")
    assert done.returncode == 2
    assert "step is 'everything', must be one of: test bench simulate replay chaos" in done.stderr
    assert not (tree / "called").exists()
