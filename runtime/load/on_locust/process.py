"""An engine beside Locust: gevent and grpc.aio cannot share a process.

The engine gets a session of its own, so that Ctrl-C reaches Locust alone, which ends the engine
by closing its input: it then tells what it has measured so far. It also ends if Locust is killed.
It is scheduled before all that it loads, where that is allowed: a generator that waits for its
turn measures itself. It may use but a third of a core, or its run is void.
"""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any, cast

import gevent
from gevent import subprocess
from gevent.queue import Queue

from runtime.load.plan import Plan

COMMAND = (sys.executable, "-m", "runtime.load.engine")
FINAL = frozenset({"measured", "void", "wrong"})
ENDING_S = 15.0  # How long an engine may take to tell what it has, once it is told to end.

Line = dict[str, Any]


class Engine:
    """One engine process, and what it says."""

    def __init__(self, plan: Plan) -> None:
        """Start it on `plan`."""
        folders = os.pathsep.join(filter(None, [os.getcwd(), *sys.path]))
        self._process = subprocess.Popen(
            COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": folders},
            start_new_session=True,
        )
        with suppress(OSError):  # Only root may, and only on Linux.
            os.sched_setscheduler(self._process.pid, os.SCHED_FIFO, os.sched_param(1))
        self._input = cast(IO[bytes], self._process.stdin)
        self._lines: Queue[Line | None] = Queue()
        self._input.write(plan.to_json().encode() + b"\n")
        self._input.flush()
        # Reads on whatever becomes of the greenlet that waits for the lines.
        self._reader = gevent.spawn(self._read)

    def lines(self) -> Iterator[Line]:
        """Yield what it says as it says it; the last line says what came of it."""
        while (line := self._lines.get()) is not None:
            yield line
            if line["kind"] in FINAL:
                return
        status = self._process.wait()
        yield _void(f"an engine ended with status {status} before it said what it measured")

    def end(self) -> Line:
        """Have it end now; return its last line."""
        with self._ending():
            *_, last = self.lines()
        return last

    def close(self) -> None:
        """End the process if it still runs."""
        with self._ending():
            self._process.wait()
        self._reader.join()

    @contextmanager
    def _ending(self) -> Iterator[None]:
        self._input.close()
        killing = gevent.spawn_later(ENDING_S, self._process.kill)
        try:
            yield
        finally:
            killing.kill()

    def _read(self) -> None:
        said: Any = self._process.stdout
        try:
            for line in said:
                self._lines.put(_parsed(line))
        finally:
            self._lines.put(None)


def _parsed(line: bytes) -> Line:
    try:
        told: Line = json.loads(line)
        return told if told.get("kind") else {"kind": "said", "text": line.decode()}
    except (ValueError, AttributeError):
        return {"kind": "said", "text": line.decode("utf-8", "replace")}


def _void(reason: str) -> Line:
    return {"kind": "void", "reason": reason}
