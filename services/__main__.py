"""`python -m services`: serve the platform over gRPC, until the process is asked to end.

Settings come from options or the environment:

    PLIMSOLL_APPROVAL_KEY   signs what risk approves; at least 32 bytes
    PLIMSOLL_LISTEN         address to listen on              --listen     127.0.0.1:50050
    PLIMSOLL_DATABASES      folder of the SQLite files        --databases  data
    PLIMSOLL_REDIS          URL of a Redis-protocol server    --redis      a bundled one
    PLIMSOLL_EXCHANGE       address of the venue              --exchange   none: orders wait
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

from trading.exchange.v1.exchange_port import ExchangeService

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
from runtime.stores.valkey import embedded_valkey
from services.wiring import BUILDERS, Connect, Shared

KEY_BYTES_MIN = 32


@dataclass(frozen=True)
class Settings:
    """What a process of the platform is told."""

    listen: str
    databases: Path
    redis: str
    exchange: str
    approval_key: bytes


def settings_of(arguments: Sequence[str], environ: Mapping[str, str]) -> Settings:
    """Return the settings, options before environment; ends the process when one is wrong."""
    parser = argparse.ArgumentParser(prog="python -m services", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    for option, default in (
        ("listen", "127.0.0.1:50050"),
        ("databases", "data"),
        ("redis", ""),
        ("exchange", ""),
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
    return Settings(
        listen=given.listen,
        databases=Path(given.databases),
        redis=given.redis,
        exchange=given.exchange,
        approval_key=key,
    )


async def serve(settings: Settings, stopping: asyncio.Event) -> None:
    """Host every service until `stopping` is set; then finish what is in flight."""
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
        shared = Shared(settings.approval_key)
        hosted: list[Port] = []
        for name, build in BUILDERS.items():
            database = Database.sqlite_file(settings.databases / f"{name}.sqlite")
            closing.push_async_callback(database.close)
            streams = Streams(client, identity_of(name))
            port = build(_environment(name, database, streams), _connect(name, routes), shared)
            closing.push_async_callback(port.stop)
            await port.start()
            routes.serve(port, guarded([port]))
            hosted.append(port)
        server = Server(hosted, through=lambda _: routes)
        tcp_port = await server.start(settings.listen)
        closing.push_async_callback(server.stop)
        sys.stdout.write(f"serving {', '.join(BUILDERS)} on port {tcp_port}\n")
        sys.stdout.flush()
        await stopping.wait()


def _environment(name: str, database: Database, streams: Streams) -> Environment:
    chance = random.SystemRandom()
    return Environment(
        service=name,
        clock=SystemClock(),
        rng=chance,
        ids=Ids(chance),
        database=database,
        streams=streams,
        progress=Progress(),
        tasks=Tasks(name),
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
