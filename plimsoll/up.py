"""`plimsoll up`: the platform and the simulated venue, kept running for whoever calls.

Nothing is recorded: it may run for days, and be loaded. What Locust must be told for that is in
`locust.conf` of the directory.
"""

import asyncio
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table

from fixtures.places import Place
from fixtures.setup import Setup
from fixtures.system import System
from plimsoll.failures import STARTS_NOT, WrongUse, said, start_failures
from plimsoll.whereabouts import SHOWN, command, write_conf
from runtime.clock import SystemClock


def run_up(
    place: Place, seed: int, port: int, directory: Path | None, *, is_plain_text: bool
) -> int:
    """Run until Ctrl-C; return the exit status."""
    if place.world.is_virtual:
        raise WrongUse(
            "world is 'simulated', must be embedded or processes: nobody calls into virtual time"
        )
    try:
        with own_folder(directory) as folder:
            setup = Setup(
                place.world,
                seed,
                start_ns=SystemClock().now_ns(),
                directory=folder,
                tcp_port=port,
                stores=place.kind.source(),
                topology=place.devices(),
                is_plain_text=is_plain_text,
                is_recorded=False,
                rest_shares=SHOWN,
            )
            asyncio.run(_up(setup, folder))
    except start_failures() as error:
        sys.stderr.write(f"plimsoll: the platform does not start: {said(error)}\n")
        return STARTS_NOT
    return 0


@contextmanager
def own_folder(chosen: Path | None) -> Iterator[Path]:
    """Yield the folder that was chosen; else a temporary one, gone when the block ends."""
    if chosen is not None:
        chosen.mkdir(parents=True, exist_ok=True)
        yield chosen
        return
    with tempfile.TemporaryDirectory(prefix="plimsoll-") as folder:
        yield Path(folder)


async def _up(setup: Setup, folder: Path) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    starting = asyncio.create_task(System.start(setup), name="start the platform")
    stopped = asyncio.create_task(stopping.wait(), name="stopping")
    await asyncio.wait([starting, stopped], return_when=asyncio.FIRST_COMPLETED)
    if not starting.done():
        starting.cancel()  # What had begun is ended in order.
        await asyncio.wait([starting])
        return
    stopped.cancel()
    system = await starting
    try:
        await _show(system, folder)
        await stopping.wait()
    finally:
        await system.stop()


async def _show(system: System, folder: Path) -> None:
    console = Console()
    if system.setup.topology is None:
        _show_services(console, system)
    else:
        from plimsoll.up_devices import show_devices

        await show_devices(console, system)
    stores = system.stores
    console.print(f"state is kept in {stores.databases} and {stores.streams}", soft_wrap=True)
    how = command(write_conf(system, folder))
    console.print(f"load it: {how}", soft_wrap=True, highlight=False)
    console.print("Ctrl-C stops it")


def _show_services(console: Console, system: System) -> None:
    table = Table("service", "contract", box=None, pad_edge=False)
    for name, ports in system.here.hosted.items():
        for port in ports:
            table.add_row(name, port.DESCRIPTOR.full_name)
    console.print(table)
    console.print(f"listening on {system.address} (gRPC with reflection)", soft_wrap=True)
