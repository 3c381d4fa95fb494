"""A discovery service in virtual time, and instances whose beats a test sends by hand."""

import asyncio
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import fakeredis
from trading.discovery.v1 import discovery_pb2 as pb
from trading.discovery.v1.discovery_port import DiscoveryService

from runtime.client import client_for
from runtime.clock import ReplayClock
from runtime.environment import Environment
from runtime.guards import guarded
from runtime.hosting import Tasks
from runtime.identity import Principal
from runtime.ids import Ids, derived_rng
from runtime.local import LocalTransport
from runtime.naming import identity_of
from runtime.progress import Progress
from runtime.stores import Database, Streams
from services.discovery.entries import Endpoint
from services.discovery.service import Discovery
from services.discovery.terms import Terms

START_NS = 1_700_000_000 * 10**9
SERVICES = ("orders", "risk", "strategy", "marketdata", "portfolio", "execution")
CONTRACTS = {name: f"trading.{name}.v1" for name in SERVICES}
OPERATOR = Principal("olga", frozenset({"OPERATOR"}))
VIEWER = Principal("vera", frozenset({"VIEWER"}))
SERVING = pb.REPORTED_STATUS_SERVING


@dataclass
class Instance:
    """One that has registered."""

    spec: pb.InstanceSpec
    lease: pb.Lease
    beats: int = 0

    @property
    def id(self) -> str:
        """Its id."""
        return self.spec.instance_id


class Rig:
    """What a test of the service holds in its hands."""

    def __init__(self, terms: Terms | None = None) -> None:
        self.clock = ReplayClock(START_NS)
        self.database = Database.inline_memory()
        self.terms = terms or Terms()
        self.deaf: set[str] = set()  # Hosts that do not answer probes.
        self.probed: list[tuple[str, str]] = []
        self.service: Discovery
        self.operator: DiscoveryService
        self.viewer: DiscoveryService
        self._ids = Ids(derived_rng(1, "instances"))
        self._requests = 0
        self._clients: dict[Principal, DiscoveryService] = {}
        self._environment: Environment

    @classmethod
    async def started(cls, terms: Terms | None = None) -> "Rig":
        """Return a running instance of discovery."""
        rig = cls(terms)
        await rig.start()
        return rig

    async def start(self) -> None:
        """Start discovery on what the last one left behind."""
        self._environment = Environment(
            service="discovery",
            clock=self.clock,
            rng=derived_rng(1, "discovery"),
            ids=Ids(derived_rng(self._requests, "ids")),
            database=self.database,
            streams=Streams(fakeredis.FakeAsyncRedis(), identity_of("discovery")),
            progress=Progress(),
            tasks=Tasks("discovery"),
        )
        self.service = Discovery(self._environment, CONTRACTS, self._probe, self.terms)
        self._clients = {}
        self.operator, self.viewer = self.client(OPERATOR), self.client(VIEWER)
        await self.service.start()

    async def restart(self, away_s: float = 0.0) -> None:
        """Lose what is not committed, be away for a while, and start again."""
        self.database = self.database.crash()
        await self.service.stop()
        await asyncio.sleep(away_s)
        self._requests += 1
        await self.start()

    def client(self, caller: Principal) -> DiscoveryService:
        """Return discovery as `caller` reaches it, through all guards."""
        if caller not in self._clients:
            inside, rng = LocalTransport([self.service], through=guarded), derived_rng(1, "test")
            self._clients[caller] = client_for(DiscoveryService, inside, caller=caller, rng=rng)
        return self._clients[caller]

    def of(self, service: str) -> DiscoveryService:
        """Return discovery as a service reaches it."""
        return self.client(Principal(service, service=service))

    def spec(self, name: str, **changes: Any) -> pb.InstanceSpec:
        """Return an instance of the service that `name` begins with; each call is a new one."""
        facts: dict[str, Any] = {
            "service": name.partition("-")[0],
            "instance_name": name,
            "instance_id": self._ids.new(),
            "environment": "production",
            "endpoints": [endpoint(f"host{self._requests + 1}")],
            "weight": 10,
        }
        return pb.InstanceSpec(**(facts | changes))

    async def register(
        self, name: str, *, ttl_s: float = 0, is_serving: bool = True, **changes: Any
    ) -> Instance:
        """Register a new instance; it beats once, if it is to be SERVING."""
        instance = await self.register_spec(self.spec(name, **changes), ttl_s=ttl_s)
        if is_serving:
            await self.beat(instance)
        return instance

    async def register_spec(self, spec: pb.InstanceSpec, *, ttl_s: float = 0) -> Instance:
        """Register an instance, perhaps once more."""
        self._requests += 1
        request = pb.RegisterInstanceRequest(request_id=f"r{self._requests}", instance=spec)
        if ttl_s:
            request.ttl.FromNanoseconds(round(ttl_s * 1e9))
        answer = await self.of(spec.service).register_instance(request)
        return Instance(spec, answer.lease)

    async def beat(
        self, instance: Instance, status: pb.ReportedStatus.ValueType = SERVING, **facts: Any
    ) -> pb.RenewLeaseResponse:
        """Send the next beat."""
        instance.beats += 1
        request = pb.RenewLeaseRequest(
            lease_id=instance.lease.lease_id,
            fence=instance.lease.fence,
            beat=instance.beats,
            status=status,
            **facts,
        )
        return await self.of(instance.spec.service).renew_lease(request)

    async def beat_for(self, seconds: float, *instances: Instance) -> None:
        """Let time pass while `instances` beat every five seconds."""
        until_ns = self.clock.now_ns() + round(seconds * 1e9)
        while self.clock.now_ns() < until_ns:
            await asyncio.sleep(min(5.0, (until_ns - self.clock.now_ns()) / 1e9))
            for instance in instances:
                await self.beat(instance)

    async def leave(self, instance: Instance) -> None:
        """Deregister an instance."""
        lease = instance.lease
        request = pb.DeregisterInstanceRequest(lease_id=lease.lease_id, fence=lease.fence)
        await self.of(instance.spec.service).deregister_instance(request)

    async def statuses(self) -> dict[str, str]:
        """Return the status of each instance by its id, also of those that ended."""
        every = [pb.InstanceStatus.ValueType(number) for number in range(1, 8)]
        found = await self.viewer.list_instances(
            pb.ListInstancesRequest(statuses=every, page_size=1000)
        )
        return {each.spec.instance_id: status_name(each) for each in found.instances}

    async def status(self, instance: Instance) -> str:
        """Return the status of one instance; "" when it is not known any more."""
        return (await self.statuses()).get(instance.id, "")

    async def listed(self) -> dict[str, bytes]:
        """Return the instances that live, as far as watchers are told of them."""
        found = await self.viewer.list_instances(pb.ListInstancesRequest(page_size=1000))
        return {each.spec.instance_id: shown(each) for each in found.instances}

    def timers(self) -> int:
        """Return how many sleep on the clock of discovery."""
        return 0 if self.clock.next_alarm_ns() is None else 1

    async def _probe(self, at: Endpoint, contract: str) -> bool:
        self.probed.append((at.host, contract))
        if at.host in self.deaf:
            await asyncio.sleep(3600)  # As a host that drops what it is sent.
        return True


class Watcher:
    """Follows instances, and keeps what it was told as a callee's set."""

    def __init__(self, client: DiscoveryService, request: pb.WatchInstancesRequest) -> None:
        self.known: dict[str, bytes] = {}
        self.messages: list[pb.WatchInstancesResponse] = []
        self._client = client
        self._request = request
        self.task = asyncio.create_task(self._run(), name="watcher")

    async def _run(self) -> None:
        async with aclosing(self._client.watch_instances(self._request)) as messages:
            async for message in messages:
                self.messages.append(message)
                take_in(self.known, message)

    async def stop(self) -> None:
        """End the watch."""
        self.task.cancel()
        await asyncio.wait([self.task])


def take_in(known: dict[str, bytes], message: pb.WatchInstancesResponse) -> None:
    """Apply one message to a set of instances."""
    for instance in message.snapshot:
        known[instance.spec.instance_id] = shown(instance)
    if not message.HasField("change"):
        return
    instance = message.change.instance
    if message.change.kind == pb.CHANGE_KIND_REMOVED:
        del known[instance.spec.instance_id]
    else:
        known[instance.spec.instance_id] = shown(instance)


def shown(instance: pb.Instance) -> bytes:
    """Return what a watch tells of an instance: all but what each beat moves."""
    copy = pb.Instance.FromString(instance.SerializeToString())
    for name in ("lease_expire_time", "in_flight", "loop_lag_ms", "config_sequence"):
        copy.ClearField(name)
    return copy.SerializeToString(deterministic=True)


def endpoint(host: str, port: int = 50051) -> pb.Endpoint:
    """Return a gRPC endpoint."""
    return pb.Endpoint(protocol=pb.PROTOCOL_GRPC, host=host, port=port)


def status_name(instance: pb.Instance) -> str:
    """Return a status without its prefix."""
    return pb.InstanceStatus.Name(instance.status).removeprefix("INSTANCE_STATUS_")


def directives(answer: pb.RenewLeaseResponse) -> Mapping[str, str]:
    """Return the directives of a beat's answer, with their reasons."""
    prefix = "DIRECTIVE_KIND_"
    return {pb.DirectiveKind.Name(d.kind).removeprefix(prefix): d.reason for d in answer.directives}
