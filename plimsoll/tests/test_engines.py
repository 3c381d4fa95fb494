"""Processes that simulate belong to who started them."""

import os
import signal
import subprocess
import sys

import pytest

from plimsoll.simulating.engines import in_processes, one_process_each

ENGINES = {"shared": in_processes, "one each": one_process_each}
WORKERS = 2


def held(seed: int) -> None:
    """Say which process has a seed, and never come to its end."""
    sys.stdout.write(f"{os.getpid()}\n")
    sys.stdout.flush()
    signal.pause()


def simulate_for_ever(engine: str) -> None:
    """Give each worker of an engine a seed that it never ends."""
    list(ENGINES[engine](WORKERS)(held, range(WORKERS)))  # type: ignore[arg-type]


@pytest.mark.parametrize("engine", ENGINES)
def test_workers_end_when_who_started_them_is_killed(engine: str) -> None:
    code = f"from {__name__} import simulate_for_ever; simulate_for_ever({engine!r})"
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        workers = {parent.stdout.readline() for _ in range(WORKERS)}
        parent.kill()
        assert parent.stdout.read() == "", "it ends when nobody is left who could write to it"
    assert len(workers) == WORKERS
