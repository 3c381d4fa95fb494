"""`python -m services`: serve services over gRPC, until the process is asked to end.

What it is told, and how, is in `services/host/settings/options.py`.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Iterable
from importlib.metadata import version

from runtime.observe.prometheus import Instance
from runtime.observe.telemetry import Telemetry
from runtime.stores.deployment import Manifest
from services.host.device import Device, Surroundings
from services.host.duty.office import Duty
from services.host.garbage import spare_what_stays
from services.host.settings.options import Settings, settings_of
from services.wiring import BUILDERS, LOADERS, MANIFESTS


async def serve(settings: Settings, stopping: asyncio.Event, telemetry: Telemetry) -> None:
    """Run the services of this process until `stopping` is set; then finish what is in flight."""
    around = Surroundings(telemetry=telemetry)
    device = Device(settings, around)
    duty = Duty(device, around)
    telemetry.tell_of_leases(duty.leases)
    try:
        _say(f"listening on port {await device.open()}{_http(device.http_port)}")
        starting = asyncio.create_task(duty.start(), name="start services")
        stopped = asyncio.create_task(stopping.wait(), name="stopping")
        await asyncio.wait([starting, stopped], return_when=asyncio.FIRST_COMPLETED)
        if stopped.done():
            starting.cancel()
            await asyncio.wait([starting])
            await device.drain()
            return
        starting.result()  # Raises what no patience would mend.
        spare_what_stays()
        _say(f"serving {', '.join(device.serving)}")
        await stopped
        await device.drain()
    finally:
        await duty.stop()
        await device.close()
        await telemetry.close()


def _http(port: int) -> str:
    return f", over HTTP on port {port}" if port else ""


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _load(hosted: Iterable[str]) -> None:
    for service in hosted:
        if (load := LOADERS.get(service)) is not None:
            load()


async def main() -> None:
    """Serve until SIGINT or SIGTERM."""
    every = {name: MANIFESTS.get(name, Manifest()) for name in BUILDERS}
    settings = settings_of(sys.argv[1:], os.environ, every)
    name = settings.device
    instance = Instance(name, name, version("plimsoll"), settings.environment)
    telemetry = Telemetry(instance, os.environ)
    telemetry.log(settings.log_level, settings.secrets)
    _load(settings.hosted)
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    measuring = asyncio.create_task(telemetry.run(), name="telemetry")
    try:
        await serve(settings, stopping, telemetry)
    finally:
        measuring.cancel()
        await asyncio.wait([measuring])


if __name__ == "__main__":
    asyncio.run(main())
