"""Runs buf and git on the checkout; a failure carries what the tool printed."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CONTRACTS = Path("contracts", "proto")
TOOLS = Path(sys.executable).parent  # Of the environment that runs, activated or not.


class ToolFailed(Exception):
    """A tool found fault with the contracts, or is not there; says which and why."""


def buf(*arguments: str | Path, root: Path = ROOT) -> str:
    """Return what buf prints, without ever asking its registry for anything."""
    program = TOOLS / "buf"
    if not program.exists():
        raise ToolFailed(f"{program} is missing: run `make setup`, which installs buf-bin")
    if not (root / "buf.yaml").exists():
        raise ToolFailed(f"{root} has no buf.yaml: run this in a checkout of the repository")
    return run([program, *arguments], root)


def git(*arguments: str | Path, root: Path = ROOT) -> str:
    """Return what git prints, without the end of the last line."""
    program = shutil.which("git")
    if program is None:
        raise ToolFailed("git is missing: contracts are compared with its history, install it")
    return run([program, *arguments], root).rstrip("\n")


def run(command: Sequence[str | Path], root: Path) -> str:
    """Return the standard output of `command`; raises ToolFailed with all it printed."""
    paths = [str(TOOLS), os.environ.get("PATH", "")]
    settings = os.environ | {"PATH": os.pathsep.join(paths), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=root,
        env=settings,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ToolFailed((done.stdout + done.stderr).strip() or f"{command[0]} failed silently")
    return done.stdout
