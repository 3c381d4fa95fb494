"""`plimsoll up` on devices: what it says can be done as it stands there, and Ctrl-C ends it."""

import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fixtures.security import grpcurl

ROOT = Path(__file__).resolve().parents[2]
UP = ("up", "--world", "processes", "--stores", "embedded", "--topology")
COMMAND = [sys.executable, "-m", "plimsoll", *UP]
WITHIN_S = 60
pytestmark = pytest.mark.real_time


@contextmanager
def up(*arguments: str) -> Iterator[tuple["subprocess.Popen[str]", list[str]]]:
    """Run the command in a group of its own; yield it and the lines that it said."""
    process = subprocess.Popen(
        [*COMMAND, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line.rstrip())
            if line.startswith("Ctrl-C"):
                break
        yield process, said
    finally:
        process.kill()
        process.communicate()


def asked(lines: list[str]) -> list[str]:
    """Return the words of the command that was shown, which goes over several lines."""
    begin = next(n for n, line in enumerate(lines) if line.startswith("  grpcurl"))
    end = next(n for n, line in enumerate(lines[begin:], begin) if not line.endswith("\\"))
    return shlex.split(" ".join(line.rstrip("\\") for line in lines[begin : end + 1]))


def test_devices_are_shown_and_called_as_shown_until_ctrl_c(
    leave_out: Callable[[str], None],
) -> None:
    if missing := grpcurl.lacking():
        leave_out("; ".join(missing))
    with up("dual-compute-state") as (process, said):
        rows = [line.split() for line in said]
        assert [row[3:] for row in rows if row[:1] == ["compute"]] == [
            ["indicators,", "risk,", "strategy"]
        ]
        assert [row[2:] for row in rows if row[:1] == ["compute->state"]] == [
            ["1", "ms", "1", "Gbit/s"]
        ]
        path = os.pathsep.join((os.environ["PATH"], *map(os.path.expanduser, grpcurl.PLACES)))
        answer = subprocess.run(
            asked(said), env={"PATH": path}, capture_output=True, check=True, timeout=WITHIN_S
        )
        assert json.loads(answer.stdout) == {}
        os.killpg(process.pid, signal.SIGINT)  # As a terminal does: to all that belong to it.
        assert process.wait(WITHIN_S) == 0


def test_a_topology_that_is_none_is_refused_in_a_line() -> None:
    ended = subprocess.run(
        [*COMMAND, "nowhere"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("plimsoll: topology nowhere: is no topology, must be ")
    assert "Traceback" not in ended.stderr
