"""Engine processes for tests."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from runtime.load.engine import Line
from runtime.load.plan import Gate, Plan, Profile, Target

ECHOES = "runtime.load.tests.echo_traffic:Echoes"
PROFILE = Profile("ECHO", "one echo", 200.0, (Gate("echo", 100.0),), ECHOES, "constant")


def plan(address: str, **changes: Any) -> Plan:
    """Return the plan of a short run against a server."""
    told: dict[str, Any] = {"multiple": 1.0, "warmup_s": 0.5, "duration_s": 1.0, **changes}
    return Plan(told.pop("profile", PROFILE), Target({"*": address}), **told)


@asynccontextmanager
async def engine(line: str) -> AsyncIterator[Process]:
    """Yield an engine that has read `line`; it is gone afterwards."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "runtime.load.engine"), stdin=PIPE, stdout=PIPE
    )
    assert process.stdin is not None
    process.stdin.write(line.encode() + b"\n")
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def next_line(process: Process) -> Line:
    """Return the next line that an engine says."""
    assert process.stdout is not None
    line: Line = json.loads(await process.stdout.readline())
    return line


async def last_line(process: Process) -> Line:
    """Return the last line that an engine says."""
    line = await next_line(process)
    while line["kind"] == "progress":
        line = await next_line(process)
    return line
