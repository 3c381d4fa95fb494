"""One device: the services that it owns on one gRPC port, and their way to all the others.

A production device has the machine's clock and chance. A harness hands in others, and ports of
its own by which it holds the reins; what is built, and how, is the same.
"""

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from trading.discovery.v1.discovery_port import DiscoveryService
from trading.exchange.v1.exchange_port import ExchangeService
from trading.health.v1.health_port import HealthService

from runtime.client import client_for
from runtime.environment import Environment
from runtime.fallback import Rollout
from runtime.guards import guarded
from runtime.guards.admission import Admission
from runtime.hosting import Tasks
from runtime.identity import Principal
from runtime.observe.tracer import Tracer
from runtime.routes import Routes
from runtime.rpc import P, Port
from runtime.stores.valkey import embedded_valkey
from runtime.targets import Connection
from services.health import Health
from services.host.doors import Doors
from services.host.hosting import Host
from services.host.opening import Opener
from services.host.peers.discovered import Discovered
from services.host.peers.joining import Joiner
from services.host.peers.probing import HealthProbe
from services.host.peers.ways import DISCOVERY, Peers
from services.host.settings.options import Settings
from services.host.settings.places import Place
from services.host.surroundings import Surroundings
from services.wiring import BUILDERS, PORTS, Shared

if TYPE_CHECKING:  # Who talks in clear text, or over gRPC alone, need not load the rest.
    from runtime.rest import Pages
    from services.host.security import Secured

__all__ = ["CONTRACTS", "Device", "Surroundings"]
EXCHANGE = "exchange"
CONTRACTS: Mapping[str, type[Port]] = {**PORTS, EXCHANGE: ExchangeService}  # What peers serve.


class Device:
    """Runs services from `open` to `close`; each answers as soon as its stores and peers do."""

    def __init__(self, settings: Settings, around: Surroundings | None = None) -> None:
        self.settings = settings
        self.served = Routes()  # What callers of this device reach: its own services alone.
        self._around = around or Surroundings()
        self._telemetry = self._around.telemetry
        self._opener = Opener(settings, self._around)
        self.hosts = {name: self._host(name) for name in BUILDERS if name in settings.hosted}
        self.has_started = False  # Whether every service has once been where it is meant to be.
        self.idle = set(settings.standbys)  # Hosted, and not meant to serve here at the moment.
        self._ways_in: dict[str, Admission] = {}
        self._secured = _secured(settings)
        self._joiner = Joiner(self._secured, settings.rest_shares)
        connect, rng = self._joiner.open, self._around.rng
        self.peers = Peers(self.served, CONTRACTS, connect, rng, self._around.targets)
        self.probe = HealthProbe(self._joined)  # What discovery looks with, where it is here.
        self._discovered = Discovered(_instance_names(settings), settings.environment)
        self.peers.watch(self._discovered)
        self._doors: Doors
        self._tasks = Tasks("device")
        self._closing = AsyncExitStack()

    @property
    def serving(self) -> list[str]:
        """The services that are meant to answer here at the moment, in start order."""
        return [name for name in self.hosts if name not in self.idle]

    async def open(self, ports: Sequence[Port] = ()) -> int:
        """Listen while no service answers yet; return the TCP port.

        `ports` are served beside the services. Raises ValueError when others would reach it in
        clear text and nobody has allowed that.
        """
        settings = self.settings
        settings.folder.mkdir(parents=True, exist_ok=True)
        if not settings.redis_urls:
            valkey = embedded_valkey(settings.folder / "valkey")
            self._opener.bundled = await self._closing.enter_async_context(valkey)
        self._closing.push_async_callback(self._joiner.close)
        self._closing.push_async_callback(self.peers.close)
        self._closing.push_async_callback(self.probe.close)
        self.reach(settings.peers)
        if self._telemetry:
            self._telemetry.tell_of([PORTS[name] for name in self.hosts], self._environments)
            self._telemetry.tell_of_peers(self.peers.by_name, self._joiner.by_name)
        for host in self.hosts.values():
            self._closing.push_async_callback(host.stop)
        self._closing.push_async_callback(self._tasks.stop)
        health = Health(self._environments, self._around.clock)
        for port in (health, *ports):
            self.served.serve(port, guarded([port]))
        kinds: list[type[Port]] = [
            HealthService,
            *(PORTS[name] for name in self.hosts),
            *map(type, ports),
        ]
        self._doors = Doors(kinds, self.served, settings, self._secured)
        self._closing.push_async_callback(self._doors.close)
        durabilities = {
            PORTS[name].DESCRIPTOR.full_name: host.durability for name, host in self.hosts.items()
        }
        tcp_port = await self._doors.listen(
            durabilities, lambda: self._pages(health), self._telemetry
        )
        for port in (health, *ports):
            await self._doors.announce(port)
        for name in sorted(self.idle):
            await self._doors.withdraw(PORTS[name])
        return tcp_port

    async def start(self) -> None:
        """Start one service after the other; each answers as soon as it has started.

        Standbys are left to whoever says when it is their turn: `start_service`.
        """
        self.follow_discovery()
        for name in self.serving:
            await self.start_service(name)
        self.has_started = True

    def follow_discovery(self) -> None:
        """Call services where discovery says that they are, from now on."""
        if self.hosts:
            self._tasks.spawn(self._watch_discovery(), name="watch discovery")

    async def start_service(self, name: str) -> None:
        """Start a service, however long its stores and peers are away."""
        host = self.hosts[name]
        self.idle.discard(name)
        port = await host.start()
        assert host.environment is not None
        rng, durability = self._around.rng("trace", name), host.environment.durability
        counts = self._telemetry.served if self._telemetry else None
        inner = guarded([port], counts, rng, durability, host.tracer)
        way_in = Admission(inner, self.settings.admission, counts)
        self._ways_in[name] = way_in
        self.served.serve(port, way_in)
        await self._doors.announce(port)

    async def stop_service(self, name: str) -> None:
        """End a service in order: it finishes what is in flight and lets go of its stores."""
        self.idle.add(name)
        self.served.withdraw(PORTS[name])
        await self._doors.withdraw(PORTS[name])
        if way_in := self._ways_in.pop(name, None):
            await way_in.quiet()
        await self.hosts[name].stop()

    async def crash_service(self, name: str) -> None:
        """End a service without a farewell: what it committed stays, the rest is gone."""
        self.served.withdraw(PORTS[name])
        await self.hosts[name].crash()

    @property
    def http_port(self) -> int:
        """The TCP port where it speaks HTTP; 0: it does not."""
        return self._doors.http_port

    def leave(self) -> None:
        """Be about to end: that discovery is lost from now on is in order, and said no more."""
        self._discovered.leave()

    async def drain(self) -> None:
        """Be NOT_SERVING, begin no call any more, and finish those in flight."""
        self.leave()
        await self._doors.drain()

    async def close(self) -> None:
        """Drain, then stop every service, newest first, and let go of the stores."""
        self.leave()
        await self._closing.aclose()

    def reach(self, peers: Mapping[str, str], ways: Mapping[str, str] | None = None) -> None:
        """Find services at addresses from now on, unless discovery knows better.

        `ways` tells what to dial instead of an address: a link that leads there. It may be
        called again at any time: calls and streams go where the services are then.
        """
        self.peers.reach(peers, ways)

    @property
    def rollout(self) -> Rollout:
        """Which share of the calls to each peer goes by REST; it may be set at any time."""
        return self._joiner.rollout

    def client(self, name: str, port: type[P]) -> P:
        """Return the client by which service `name` of this device calls a contract."""
        rng = self._around.rng("client", name, port.DESCRIPTOR.full_name)
        way = self.peers.way(name)
        way_out = self._telemetry.counted(way) if self._telemetry else way
        stats = self.peers.stats(name, _SERVICES[port])
        caller, over = Principal(name, service=name), self._around.over
        return client_for(port, over(way_out, name), caller=caller, rng=rng, stats=stats)

    async def _watch_discovery(self) -> None:
        """Follow where services are, once discovery itself can be found."""
        name, rng = next(iter(self.hosts)), self._around.rng("watch", DISCOVERY)
        while not (DISCOVERY in self.hosts or self.peers.address(DISCOVERY)):
            await self.peers.told(DISCOVERY)
        caller = Principal(name, service=name)
        discovery = client_for(DiscoveryService, self.peers.way(name), caller=caller, rng=rng)
        await self._discovered.run(discovery, rng)

    def _environments(self) -> Mapping[str, Environment | None]:
        return {name: self.hosts[name].environment for name in self.serving}

    def _pages(self, health: Health) -> "Pages":
        from services.host.pages import DevicePages, Standing

        def standing() -> Standing:
            answering = [n for n, p in PORTS.items() if self.served.serves(p.DESCRIPTOR.full_name)]
            missing = [name for name in self.serving if name not in answering]
            return Standing(answering, missing, self.has_started, self._doors.is_draining)

        return DevicePages(self.settings.device, standing, health).pages(self._telemetry)

    def _host(self, name: str) -> Host:
        def build(environment: Environment) -> Port:
            shared = Shared(self.settings.approval_key, self._around.pacer, self.probe)
            return BUILDERS[name](environment, lambda port: self.client(name, port), shared)

        return Host(name, lambda: self._opener.open(name), build, self._tracer(name))

    def _joined(self, contract: str, address: str) -> Connection:
        callee, place = self.peers.services[contract], Place(self.peers.dialled(address))
        return self._joiner.open(DISCOVERY, callee, place)

    def _tracer(self, name: str) -> Tracer | None:
        instance_name = self.settings.hosted[name].instance_name
        traced = self._around.tracer or (self._telemetry and self._telemetry.tracer)
        return traced(name, instance_name) if traced else None


_SERVICES = {port: name for name, port in CONTRACTS.items()}


def _secured(settings: Settings) -> "Secured | None":
    if settings.tls is None:
        return None
    from services.host.security import Secured

    return Secured(settings.tls, settings.environment, settings.hosted)


def _instance_names(settings: Settings) -> dict[str, str]:
    """Return the instances that this device may call, by service; discovery is told, not found."""
    found = {name: name for name in CONTRACTS if name != DISCOVERY}
    for identity in reversed(settings.deployment.instances):  # The platform's own come first.
        if identity.service in found:
            found[identity.service] = identity.instance_name
    return found
