"""`python -m services`: serve the platform over gRPC, until the process is asked to end.

What it is told, and how, is in `services/settings.py`.
"""

import asyncio
import os
import random
import signal
import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack
from importlib.metadata import version

from trading.exchange.v1.exchange_port import ExchangeService
from trading.health.v1.health_port import HealthService

from runtime.client import client_for
from runtime.clock import SystemClock
from runtime.environment import Environment
from runtime.guards import guarded
from runtime.hosting import Tasks
from runtime.identity import Principal
from runtime.ids import Ids
from runtime.network import GrpcTransport, open_channel
from runtime.observe.prometheus import Instance
from runtime.observe.telemetry import Telemetry
from runtime.progress import Progress
from runtime.routes import Routes
from runtime.rpc import P, Port, Transport
from runtime.server import Server
from runtime.stores import Database, connect
from runtime.stores.deployment import Manifest
from runtime.stores.spool import Spool, free_share_of
from runtime.stores.valkey import embedded_valkey
from services.health import Health
from services.hosting import Host
from services.settings import Settings, settings_of
from services.wiring import BUILDERS, MANIFESTS, PORTS, SPOOLING, Connect, Shared


async def serve(settings: Settings, stopping: asyncio.Event, telemetry: Telemetry) -> None:
    """Host every service until `stopping` is set; then finish what is in flight."""
    settings.folder.mkdir(parents=True, exist_ok=True)
    async with AsyncExitStack() as closing:
        bundled = (
            ""
            if settings.redis_urls
            else await closing.enter_async_context(embedded_valkey(settings.folder / "valkey"))
        )
        routes = Routes()
        if settings.exchange:
            channel = open_channel(settings.exchange)
            closing.push_async_callback(channel.close)
            routes.serve(ExchangeService, GrpcTransport(channel))
        closing.push_async_callback(telemetry.close)
        hosts = {name: _host(name, settings, (bundled, routes), telemetry) for name in BUILDERS}
        telemetry.tell_of(PORTS.values(), lambda: {n: h.environment for n, h in hosts.items()})
        for host in hosts.values():
            closing.push_async_callback(host.stop)
        server = await _listening(settings, hosts, routes, closing)
        starting = asyncio.create_task(_start(hosts, routes, server), name="start services")
        closing.push_async_callback(_ended, starting)
        stopped = asyncio.create_task(stopping.wait(), name="stopping")
        await asyncio.wait([starting, stopped], return_when=asyncio.FIRST_COMPLETED)
        if not stopped.done():
            starting.result()  # Raises what no patience would mend.
            sys.stdout.write(f"serving {', '.join(hosts)}\n")
            sys.stdout.flush()
        await stopped


def _host(name: str, settings: Settings, within: tuple[str, Routes], telemetry: Telemetry) -> Host:
    bundled, routes = within
    way_out = telemetry.counted(routes)

    async def opened() -> Environment:
        async with AsyncExitStack() as opening:
            environment = await _environment(name, settings, bundled, opening)
            opening.pop_all()  # From here on the host closes what is open.
            return environment

    def build(environment: Environment) -> Port:
        shared = Shared(settings.approval_key)
        return BUILDERS[name](environment, _connect(name, way_out), shared)

    tracer = telemetry.tracer(name, settings.hosted[name].instance_name)
    return Host(name, opened, build, tracer, telemetry.served)


async def _listening(
    settings: Settings, hosts: Mapping[str, Host], routes: Routes, closing: AsyncExitStack
) -> Server:
    """Return the server, which listens and tells that no service answers yet."""
    health = Health(lambda: {name: host.environment for name, host in hosts.items()}, SystemClock())
    routes.serve(health, guarded([health]))
    server = Server([HealthService, *PORTS.values()], through=lambda _: routes)
    server.tell_durability(
        {PORTS[name].DESCRIPTOR.full_name: host.durability for name, host in hosts.items()}
    )
    tcp_port = await server.listen(settings.listen)
    closing.push_async_callback(server.stop)
    sys.stdout.write(f"listening on port {tcp_port}\n")
    sys.stdout.flush()
    return server


async def _start(hosts: Mapping[str, Host], routes: Routes, server: Server) -> None:
    """Start one service after the other, each as soon as its stores open."""
    await server.announce(HealthService)
    for name, host in hosts.items():
        await host.start(routes)
        await server.announce(PORTS[name])


async def _ended(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.wait([task])


async def _environment(
    name: str, settings: Settings, bundled: str, opening: AsyncExitStack
) -> Environment:
    identity, url = settings.hosted[name], settings.database_urls.get(name, "")

    def opened(file: str, url: str = "") -> Database:
        if settings.is_ephemeral:
            database = Database.inline_memory()
        elif url:
            database = Database.at_url(url)
        else:
            database = Database.sqlite_file(settings.folder / file)
        opening.push_async_callback(database.close)
        return database

    client = connect(settings.redis_urls.get(name, bundled))
    opening.push_async_callback(client.aclose)
    chance, clock, spool = random.SystemRandom(), SystemClock(), None
    if name in SPOOLING:
        spool = Spool(opened(f"{identity.schema}.spool"), clock, free_share_of(settings.folder))
    return Environment(
        service=name,
        clock=clock,
        rng=chance,
        ids=Ids(chance),
        database=opened(f"{identity.schema}.sqlite", url),
        streams=settings.deployment.streams(identity, client),
        progress=Progress(),
        tasks=Tasks(name),
        spool=spool,
    )


def _connect(name: str, transport: Transport) -> Connect:
    def connected(port: type[P]) -> P:
        caller = Principal(name, service=name)
        return client_for(port, transport, caller=caller, rng=random.SystemRandom())

    return connected


async def main() -> None:
    """Serve until SIGINT or SIGTERM."""
    every = {name: MANIFESTS.get(name, Manifest()) for name in BUILDERS}
    settings = settings_of(sys.argv[1:], os.environ, every)
    instance = Instance("platform", "platform", version("plimsoll"), settings.environment)
    telemetry = Telemetry(instance, os.environ)
    telemetry.log(settings.log_level, settings.secrets)
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    measuring = asyncio.create_task(telemetry.run(), name="telemetry")
    try:
        await serve(settings, stopping, telemetry)
    finally:
        await _ended(measuring)


if __name__ == "__main__":
    asyncio.run(main())
