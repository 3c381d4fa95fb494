"""Runs Locust headless, in a process of its own: importing it would change this one."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fixtures.commit import ROOT
from plimsoll.failures import WrongUse
from runtime.load.on_locust import options
from runtime.load.plan import Target

PROFILES = ROOT / "loadtests"
EACH_RPC = "rpcs"  # A profile for each RPC: many, so only when asked for.


@dataclass(frozen=True)
class Offer:
    """What is offered."""

    profiles: tuple[str, ...] = ()  # Files of loadtests/; none: all but those of single RPCs.
    duration: str = "60"
    warm_up: str = "10"
    multiple: float = 2.0
    repeats: int = 3
    workers: int = 1
    is_knee_wanted: bool = False
    seed: int = 1

    def __post_init__(self) -> None:
        """Raise WrongUse for what Locust would refuse, before a platform is started for it."""
        try:
            duration_s, warmup_s = options.seconds(self.duration), options.seconds(self.warm_up)
            at = Target({})
            options.Asked(at, self.multiple, duration_s=duration_s, warmup_s=warmup_s).check()
        except options.WrongUse as error:
            raise WrongUse(str(error)) from error

    def options(self) -> list[str]:
        """Return the options of Locust that say so."""
        files = ",".join(str(PROFILES / f"{name}.py") for name in self.profiles or named())
        given = {
            "--locustfile": files,
            "--duration": self.duration,
            "--warm-up": self.warm_up,
            "--multiple": f"{self.multiple:g}",
            "--repeats": str(self.repeats),
            "--load-seed": str(self.seed),
        }
        words = [word for option, value in given.items() for word in (option, value)]
        return words + ["--find-knee"] * self.is_knee_wanted + list(self._processes())

    def _processes(self) -> Iterator[str]:
        if self.workers > 1:
            port = str(free_port())
            yield from ("--processes", str(self.workers))
            yield from ("--master-bind-port", port, "--master-port", port)


def named() -> list[str]:
    """Return the names of the profiles, those of single RPCs left out."""
    files = (path.stem for path in PROFILES.glob("*.py"))
    return sorted(name for name in files if name != EACH_RPC and not name.startswith("_"))


def find_profiles(names: list[str]) -> tuple[str, ...]:
    """Return profiles by the names that a user typed; raises WrongUse where there is none."""
    found = tuple(name.lower() for name in names)
    known = [*named(), EACH_RPC]
    for name in found:
        if name not in known:
            raise WrongUse(f"profile is {name!r}, must be one of: {', '.join(known)}")
    return found


async def run_locust(conf: Path, offer: Offer, report: Path, *, output: int | None = None) -> int:
    """Return the exit status of Locust, which says what it does as it goes.

    SIGINT and SIGTERM to this process end it in order: it then reports what it has.
    """
    words = [*offer.options(), "--report-folder", str(report), "--headless"]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "locust", "--config", str(conf), *words),
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)])},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=output,
        start_new_session=True,  # Ctrl-C reaches this process alone, which passes it on.
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, process.send_signal, signal.SIGINT)
    try:
        return await process.wait()
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()


def free_port() -> int:
    """Return a TCP port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
