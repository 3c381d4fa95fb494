"""`plimsoll up`: the platform and the simulated venue, kept running for whoever calls."""

import asyncio
import signal
from pathlib import Path

from rich.console import Console
from rich.table import Table

from fixtures.places import Place
from fixtures.setup import Setup
from fixtures.system import System
from plimsoll.failures import WrongUse
from runtime.clock import SystemClock


def run_up(place: Place, seed: int, port: int, directory: Path | None) -> int:
    """Run until Ctrl-C; return the exit status."""
    if place.world.is_virtual:
        raise WrongUse("world is 'simulated', must be embedded: nobody calls into virtual time")
    setup = Setup(
        place.world,
        seed,
        start_ns=SystemClock().now_ns(),
        directory=directory,
        tcp_port=port,
        stores=place.kind.source(),
        topology=place.devices(),
    )
    asyncio.run(_up(setup))
    return 0


async def _up(setup: Setup) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    system = await System.start(setup)
    try:
        _show(system)
        await stopping.wait()
    finally:
        await system.stop()


def _show(system: System) -> None:
    console = Console()
    table = Table("service", "contract", box=None, pad_edge=False)
    for name, ports in system.here.hosted.items():
        for port in ports:
            table.add_row(name, port.DESCRIPTOR.full_name)
    console.print(table)
    console.print(f"state is kept in {system.stores.databases} and {system.stores.streams}")
    console.print(f"listening on {system.address} (gRPC with reflection); Ctrl-C stops it")
