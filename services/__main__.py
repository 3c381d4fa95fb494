"""`python -m services`: serve the platform over gRPC, until the process is asked to end.

Settings come from options or the environment:

    PLIMSOLL_APPROVAL_KEY   signs what risk approves; at least 32 bytes
    PLIMSOLL_LISTEN         address to listen on              --listen     127.0.0.1:50050
    PLIMSOLL_DATABASES      folder of the SQLite files        --databases  data
    PLIMSOLL_REDIS          URL of a Redis-protocol server    --redis      a bundled one
    PLIMSOLL_EXCHANGE       address of the venue              --exchange   none: orders wait
    PLIMSOLL_DURABILITY     durable, or ephemeral: in memory  --durability durable
    PLIMSOLL_ENVIRONMENT    where this runs                   --environment local
"""

import argparse
import asyncio
import os
import random
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from redis.asyncio import Redis
from trading.exchange.v1.exchange_port import ExchangeService
from trading.health.v1.health_port import HealthService

from runtime.client import client_for
from runtime.clock import SystemClock
from runtime.environment import Environment
from runtime.guards import guarded
from runtime.hosting import Tasks
from runtime.identity import Principal
from runtime.ids import Ids
from runtime.naming import identity_of
from runtime.network import GrpcTransport, open_channel
from runtime.progress import Progress
from runtime.routes import Routes
from runtime.rpc import P, Port, Transport
from runtime.server import Server
from runtime.stores import Database, Streams, connect
from runtime.stores.spool import Spool, free_share_of
from runtime.stores.valkey import embedded_valkey
from services.health import Health
from services.hosting import Host
from services.wiring import BUILDERS, PORTS, SPOOLING, Connect, Shared

KEY_BYTES_MIN = 32
DURABLE, EPHEMERAL = "durable", "ephemeral"
ALWAYS_DURABLE = ("staging", "production")


@dataclass(frozen=True)
class Settings:
    """What a process of the platform is told."""

    listen: str
    databases: Path
    redis: str
    exchange: str
    approval_key: bytes
    is_ephemeral: bool = False  # Whether all state is in memory, gone with the process.


def settings_of(arguments: Sequence[str], environ: Mapping[str, str]) -> Settings:
    """Return the settings, options before environment; ends the process when one is wrong."""
    parser = argparse.ArgumentParser(prog="python -m services", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    for option, default in (
        ("listen", "127.0.0.1:50050"),
        ("databases", "data"),
        ("redis", ""),
        ("exchange", ""),
        ("durability", DURABLE),
        ("environment", "local"),
    ):
        parser.add_argument(
            f"--{option}", default=environ.get(f"PLIMSOLL_{option.upper()}", default)
        )
    given = parser.parse_args(arguments)
    key = environ.get("PLIMSOLL_APPROVAL_KEY", "").encode()
    if len(key) < KEY_BYTES_MIN:
        parser.error(
            f"PLIMSOLL_APPROVAL_KEY has {len(key)} bytes, must have at least {KEY_BYTES_MIN}: "
            "set it to one secret for all services"
        )
    _check_durability(parser, given.durability, given.environment)
    return Settings(
        listen=given.listen,
        databases=Path(given.databases),
        redis=given.redis,
        exchange=given.exchange,
        approval_key=key,
        is_ephemeral=given.durability == EPHEMERAL,
    )


def _check_durability(parser: argparse.ArgumentParser, durability: str, environment: str) -> None:
    if durability not in (DURABLE, EPHEMERAL):
        parser.error(f"durability is {durability!r}, must be {DURABLE} or {EPHEMERAL}")
    if durability == EPHEMERAL and environment in ALWAYS_DURABLE:
        parser.error(
            f"durability is {EPHEMERAL} in {environment}: what is answered there must outlive "
            f"the process; leave it {DURABLE}"
        )


async def serve(settings: Settings, stopping: asyncio.Event) -> None:
    """Host every service until `stopping` is set; then finish what is in flight."""
    settings.databases.mkdir(parents=True, exist_ok=True)
    async with AsyncExitStack() as closing:
        redis = settings.redis or await closing.enter_async_context(
            embedded_valkey(settings.databases / "valkey")
        )
        client = connect(redis)
        closing.push_async_callback(client.aclose)
        routes = Routes()
        if settings.exchange:
            channel = open_channel(settings.exchange)
            closing.push_async_callback(channel.close)
            routes.serve(ExchangeService, GrpcTransport(channel))
        hosts = {name: _host(name, settings, client, routes) for name in BUILDERS}
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


def _host(name: str, settings: Settings, client: Redis, routes: Routes) -> Host:
    async def opened() -> Environment:
        async with AsyncExitStack() as opening:
            environment = await _environment(name, settings, client, opening)
            opening.pop_all()  # From here on the host closes what is open.
            return environment

    def build(environment: Environment) -> Port:
        shared = Shared(settings.approval_key)
        return BUILDERS[name](environment, _connect(name, routes), shared)

    return Host(name, opened, build)


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
    name: str, settings: Settings, client: Redis, opening: AsyncExitStack
) -> Environment:
    def opened(file: str) -> Database:
        path = settings.databases / file
        is_ephemeral = settings.is_ephemeral
        database = Database.inline_memory() if is_ephemeral else Database.sqlite_file(path)
        opening.push_async_callback(database.close)
        return database

    chance, clock, spool = random.SystemRandom(), SystemClock(), None
    if name in SPOOLING:
        spool = Spool(opened(f"{name}.spool"), clock, free_share_of(settings.databases))
    return Environment(
        service=name,
        clock=clock,
        rng=chance,
        ids=Ids(chance),
        database=opened(f"{name}.sqlite"),
        streams=Streams(client, identity_of(name)),
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
    settings = settings_of(sys.argv[1:], os.environ)
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    await serve(settings, stopping)


if __name__ == "__main__":
    asyncio.run(main())
