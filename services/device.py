"""One device: the services that it owns on one gRPC port, and their way to all the others.

A production device has the machine's clock and chance. A harness hands in others, and ports of
its own by which it holds the reins; what is built, and how, is the same.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from trading.exchange.v1.exchange_port import ExchangeService
from trading.health.v1.health_port import HealthService

from runtime.client import client_for
from runtime.clock import Clock, SystemClock
from runtime.environment import Environment
from runtime.guards import guarded
from runtime.hosting import Tasks
from runtime.identity import Principal
from runtime.ids import Ids
from runtime.network import GrpcTransport, open_channel
from runtime.observe.tracer import Tracer
from runtime.progress import Progress
from runtime.routes import Routes
from runtime.rpc import P, Port, Transport
from runtime.server import Server
from runtime.stores import Database, connect
from runtime.stores.spool import Spool, free_share_of
from runtime.stores.valkey import embedded_valkey
from services.health import Health
from services.hosting import Host
from services.marketdata import Pacer
from services.settings import Settings
from services.wiring import BUILDERS, PORTS, READERS, SPOOLING, Shared

if TYPE_CHECKING:  # Its libraries are heavy, and whoever starts a process chooses them.
    from runtime.observe.telemetry import Telemetry

EXCHANGE = "exchange"
CONTRACTS: Mapping[str, type[Port]] = {**PORTS, EXCHANGE: ExchangeService}  # What peers serve.


def _no_seed(*_names: str) -> random.Random:
    return random.SystemRandom()


def _as_is(transport: Transport, _service: str) -> Transport:
    return transport


@dataclass(frozen=True)
class Surroundings:
    """What the services of a device are given of the world around them."""

    clock: Clock = field(default_factory=SystemClock)
    rng: Callable[..., random.Random] = _no_seed  # By the names of who draws, and for what.
    routes: Routes = field(default_factory=Routes)  # How they reach any service.
    over: Callable[[Transport, str], Transport] = _as_is  # What a service's calls go through.
    telemetry: "Telemetry | None" = None  # Counts and traces calls; None: nobody does.
    pacer: Pacer | None = None  # Moves the world along with a replay; None: real time.
    tracer: Callable[[str, str], Tracer] | None = None  # Traces instances; None: telemetry does.


class Device:
    """Runs services from `open` to `close`; each answers as soon as its stores and peers do."""

    def __init__(self, settings: Settings, around: Surroundings | None = None) -> None:
        self.settings = settings
        self.served = Routes()  # What callers of this device reach: its own services alone.
        self._around = around or Surroundings()
        self.routes = self._around.routes
        self._telemetry = self._around.telemetry
        self.hosts = {name: self._host(name) for name in BUILDERS if name in settings.hosted}
        self._bundled = ""  # Where the Valkey listens that comes with the device.
        self._server: Server
        self._channels: dict[str, Transport] = {}  # By address.
        self._ways: dict[str, str] = {}  # What to dial instead of an address.
        self._closing = AsyncExitStack()

    async def open(self, ports: Sequence[Port] = ()) -> int:
        """Listen while no service answers yet; return the TCP port.

        `ports` are served beside the services.
        """
        settings = self.settings
        settings.folder.mkdir(parents=True, exist_ok=True)
        if not settings.redis_urls:
            valkey = embedded_valkey(settings.folder / "valkey")
            self._bundled = await self._closing.enter_async_context(valkey)
        self.reach(settings.peers)
        if self._telemetry:
            self._telemetry.tell_of([PORTS[name] for name in self.hosts], self._environments)
        for host in self.hosts.values():
            self._closing.push_async_callback(host.stop)
        health = Health(self._environments, self._around.clock)
        for port in (health, *ports):
            self.served.serve(port, guarded([port]))
        kinds = [HealthService, *(PORTS[name] for name in self.hosts), *map(type, ports)]
        self._server = Server(kinds, through=lambda _: self.served)
        self._server.tell_durability(
            {PORTS[name].DESCRIPTOR.full_name: host.durability for name, host in self.hosts.items()}
        )
        tcp_port = await self._server.listen(settings.listen)
        self._closing.push_async_callback(self._server.stop)
        for port in (health, *ports):
            await self._server.announce(port)
        return tcp_port

    async def start(self) -> None:
        """Start one service after the other; each answers as soon as it has started."""
        for name in self.hosts:
            await self.start_service(name)

    async def start_service(self, name: str) -> None:
        """Start a service, however long its stores and peers are away."""
        host = self.hosts[name]
        port = await host.start()
        assert host.environment is not None
        rng, durability = self._around.rng("trace", name), host.environment.durability
        counts = self._telemetry.served if self._telemetry else None
        way_in = guarded([port], counts, rng, durability, host.tracer)
        for routes in (self.routes, self.served):
            routes.serve(port, way_in)
        await self._server.announce(port)

    async def stop_service(self, name: str) -> None:
        """End a service in order: it finishes what is in flight and lets go of its stores."""
        for routes in (self.routes, self.served):
            routes.withdraw(PORTS[name])
        await self.hosts[name].stop()

    async def crash_service(self, name: str) -> None:
        """End a service without a farewell: what it committed stays, the rest is gone."""
        for routes in (self.routes, self.served):
            routes.withdraw(PORTS[name])
        await self.hosts[name].crash()

    async def close(self) -> None:
        """Finish what is in flight, then stop every service, newest first."""
        await self._closing.aclose()

    def reach(self, peers: Mapping[str, str], ways: Mapping[str, str] | None = None) -> None:
        """Call services at addresses from now on, over one channel to each address.

        `ways` tells what to dial instead of an address: a link that leads there.
        """
        self._ways.update(ways or {})
        for name, address in peers.items():
            if address not in self._channels:
                channel = open_channel(self._ways.get(address, address))
                self._closing.push_async_callback(channel.close)
                self._channels[address] = GrpcTransport(channel)
            self.routes.serve(CONTRACTS[name], self._channels[address])

    def _environments(self) -> Mapping[str, Environment | None]:
        return {name: host.environment for name, host in self.hosts.items()}

    def _host(self, name: str) -> Host:
        async def opened() -> Environment:
            async with AsyncExitStack() as opening:
                environment = await self._environment(name, opening)
                opening.pop_all()  # From here on the host closes what is open.
                return environment

        def build(environment: Environment) -> Port:
            shared = Shared(self.settings.approval_key, self._around.pacer)
            return BUILDERS[name](environment, lambda port: self._client(name, port), shared)

        return Host(name, opened, build, self._tracer(name))

    def _client(self, name: str, port: type[P]) -> P:
        over, rng = self._around.over, self._around.rng
        caller = Principal(name, service=name)
        chance = rng("client", name, port.DESCRIPTOR.full_name)
        way_out = self._telemetry.counted(self.routes) if self._telemetry else self.routes
        return client_for(port, over(way_out, name), caller=caller, rng=chance)

    def _tracer(self, name: str) -> Tracer | None:
        instance_name = self.settings.hosted[name].instance_name
        traced = self._around.tracer or (self._telemetry and self._telemetry.tracer)
        return traced(name, instance_name) if traced else None

    async def _environment(self, name: str, opening: AsyncExitStack) -> Environment:
        settings, around = self.settings, self._around
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

        client = connect(settings.redis_urls.get(name, self._bundled))
        opening.push_async_callback(client.aclose)
        spool, progress = None, Progress()
        if name in SPOOLING:
            free_share = free_share_of(settings.folder)
            spool = Spool(opened(f"{identity.schema}.spool"), around.clock, free_share)
        for stream in READERS.get(name, ()):
            progress.has_read(stream, 0)
        return Environment(
            service=name,
            clock=around.clock,
            rng=around.rng(name),
            ids=Ids(around.rng(name, "ids")),
            database=opened(f"{identity.schema}.sqlite", url),
            streams=settings.deployment.streams(identity, client),
            progress=progress,
            tasks=Tasks(name),
            spool=spool,
        )
