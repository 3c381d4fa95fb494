"""The process that offers one profile's load: `python -m runtime.load.engine`.

Reads one line of JSON, a Plan, and writes lines of JSON: one of kind "progress" a second, then
one of kind "measured" (exit code 0), "wrong" (2: it could not run as asked) or "void" (3: it
was told to end before it measured anything). Ends early on SIGINT, on SIGTERM, and when its
standard input closes; what it has measured is then marked as interrupted.
"""

import asyncio
import contextlib
import gc
import importlib
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Awaitable, Callable
from typing import Any, TextIO

from runtime.errors import ServiceError
from runtime.load.arrivals import Schedule
from runtime.load.ground import GrpcGround
from runtime.load.meter import Notes
from runtime.load.plan import Plan
from runtime.load.progress import Progress, Say
from runtime.load.run import Run
from runtime.load.traffic import Ground, Meter, Traffic
from runtime.tls import CertificateError

MEASURED, WRONG, VOID = 0, 2, 3

Line = dict[str, Any]


async def perform(plan: Plan, say: Say, stop: asyncio.Event) -> Line:
    """Prepare, warm up, measure and finish as `plan` says; return the last line."""
    ground = GrpcGround(plan)
    loop = asyncio.get_running_loop()
    notes = Notes(loop.time)
    progress = Progress(plan, notes, say)
    ticking = asyncio.ensure_future(progress.tick())
    try:
        traffic = traffic_class(plan)(ground, notes)
        schedule = Schedule.of(plan)
        await ground.reach()  # Traffic that waits for its streams would wait for ever.
        if not await _unless(stop, traffic.prepare()):
            return {"kind": "void", "reason": "interrupted before anything was measured"}
        gc.collect()
        gc.freeze()  # What is there now is there to stay: no pauses to look through it.
        run = Run(plan, traffic, notes)
        progress.follow(run)
        await _unless(stop, run.offer(schedule))
        progress.phase = "finish"
        began_s = time.time() - loop.time() + run.begin_s  # By the machine's clock.
        return {"kind": "measured", "began_s": began_s, **(await run.finish()).to_object()}
    except (ServiceError, CertificateError, ValueError) as error:
        return {"kind": "wrong", "message": f"{plan.profile.name}: {error}"}
    except Exception as error:  # noqa: BLE001 - A fault of the traffic.
        traceback.print_exc()
        return {"kind": "wrong", "message": f"{plan.profile.name} broke: {error!r}"}
    finally:
        ticking.cancel()
        await ground.close()


def traffic_class(plan: Plan) -> Callable[[Ground, Meter], Traffic]:
    """Return the class that the profile names. Raises ValueError if there is none."""
    module, _, name = plan.profile.traffic.partition(":")
    try:
        found: Callable[[Ground, Meter], Traffic] = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(
            f"traffic is {plan.profile.traffic!r}, must be module:Class: {error}"
        ) from error
    return found


async def _unless(stop: asyncio.Event, work: Awaitable[object]) -> bool:
    """Return whether `work` ended before it was told to stop. Raises what it raises."""
    task, stopped = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait((task, stopped), return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopped.cancel()
        if not task.done():
            task.cancel()
            await asyncio.wait((task,))
    if task.cancelled():
        return False
    task.result()
    return True


async def _main(plan: Plan, out: TextIO) -> int:
    def say(line: Line) -> None:
        out.write(json.dumps(line, separators=(",", ":")) + "\n")
        out.flush()

    stop = asyncio.Event()
    _listen(stop)
    line = await perform(plan, say, stop)
    say(line)
    return {"measured": MEASURED, "wrong": WRONG}.get(line["kind"], VOID)


def _listen(stop: asyncio.Event) -> None:
    """Set `stop` when somebody wants this to end, or nobody is left who could."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)

    def read() -> None:
        if not os.read(0, 4096):
            loop.remove_reader(0)
            stop.set()

    with contextlib.suppress(PermissionError):  # A file, which never closes.
        loop.add_reader(0, read)


def main() -> int:
    """Run the plan on standard input."""
    out, sys.stdout = sys.stdout, sys.stderr  # What anybody prints is not ours to be read.
    line = bytearray()
    while not line.endswith(b"\n") and (some := os.read(0, 65536)):
        line += some
    try:
        plan = Plan.from_json(line.decode())
    except (ValueError, TypeError, KeyError) as error:
        out.write(json.dumps({"kind": "wrong", "message": f"no plan on standard input: {error}"}))
        out.write("\n")
        return WRONG
    return asyncio.run(_main(plan, out))


if __name__ == "__main__":
    sys.exit(main())
