"""Where discovery says that services are: one watch of a device, shown to all its targets."""

import asyncio
import logging
import random
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing

from trading.discovery.v1 import discovery_pb2 as pb
from trading.discovery.v1.discovery_port import DiscoveryService

from runtime.errors import ServiceError
from runtime.follow import SILENCE_S
from runtime.targets import (
    Added,
    Change,
    Changed,
    Endpoint,
    EndpointStatus,
    Removed,
    Snapshot,
    Source,
    Watched,
)

PAUSE_S_FIRST, PAUSE_S_MAX = 0.1, 2.0  # Between two attempts to watch.
STATUSES = {
    pb.INSTANCE_STATUS_SERVING: EndpointStatus.SERVING,
    pb.INSTANCE_STATUS_SUSPECT: EndpointStatus.SUSPECT,
    pb.INSTANCE_STATUS_DRAINING: EndpointStatus.DRAINING,
}
Known = dict[str, Endpoint]  # By address.
Queue = asyncio.Queue[Change | None]  # None: the watch is away.
log = logging.getLogger(__name__)


class Discovered:
    """Follows the instances of some services; `sources` are what targets ask.

    An endpoint's epoch is the fence of its instance, so the latest holder of a name is called.
    Instances of other names, and of other environments, are not theirs to call.
    """

    def __init__(self, instance_names: Mapping[str, str], environment: str) -> None:
        self._instance_names = instance_names  # By service.
        self._environment = environment
        self.http: dict[str, str] = {}  # Where HTTP is spoken, by the address of gRPC there.
        self._instances: dict[str, pb.Instance] = {}  # By id.
        self._known: dict[str, Known] = {name: {} for name in instance_names}
        self._queues: dict[str, dict[Queue, None]] = {name: {} for name in instance_names}
        self._is_connected = False
        self._is_leaving = False

    def knows(self, name: str) -> bool:
        """Whether there is at present an instance of a service that may be called."""
        return bool(self._known.get(name))

    def leave(self) -> None:
        """Go on with what is known, whatever becomes of discovery: nobody calls for long now."""
        self._is_leaving = True

    def sources(self) -> dict[str, Source]:
        """Return for each service what tells where it is."""
        return {name: self._source(name) for name in self._instance_names}

    async def run(self, discovery: DiscoveryService, rng: random.Random) -> None:
        """Watch until cancelled; a watch that breaks, or is silent for 3 s, is opened again."""
        attempt = 0
        while True:
            try:
                await self._watch(discovery)
            except (StopAsyncIteration, TimeoutError, ServiceError) as error:
                log.info("discovery cannot be watched: %r", error)
            attempt = 0 if self._is_connected else attempt + 1
            self._lose()
            longest_s = min(PAUSE_S_MAX, PAUSE_S_FIRST * 2.0 ** min(attempt, 8))
            await asyncio.sleep(longest_s * (0.5 + rng.random()))

    async def _watch(self, discovery: DiscoveryService) -> None:
        request = pb.WatchInstancesRequest(
            services=sorted(self._instance_names), environment=self._environment
        )
        async with aclosing(discovery.watch_instances(request)) as messages:
            while True:
                async with asyncio.timeout(SILENCE_S):
                    message = await anext(messages)
                self._take(message)

    def _take(self, message: pb.WatchInstancesResponse) -> None:
        if not self._is_connected:
            self._instances = {one.spec.instance_id: one for one in message.snapshot}
            self._is_connected = True
            for name in self._known:
                self._known[name] = self._endpoints(name)
                self._tell(name, Snapshot(tuple(self._known[name].values())))
        if message.HasField("change"):
            self._change(message.change)

    def _change(self, change: pb.InstanceChange) -> None:
        spec = change.instance.spec
        if change.kind == pb.CHANGE_KIND_REMOVED:
            self._instances.pop(spec.instance_id, None)
        else:
            self._instances[spec.instance_id] = change.instance
        if spec.service not in self._known:
            return
        before = self._known[spec.service]
        now = self._known[spec.service] = self._endpoints(spec.service)
        for address in [a for a in before if a not in now]:
            self._tell(spec.service, Removed(address))
        for address, endpoint in now.items():
            if address not in before:
                self._tell(spec.service, Added(endpoint))
            elif before[address] != endpoint:
                self._tell(spec.service, Changed(endpoint))

    def _endpoints(self, name: str) -> Known:
        """Return where a service may be called, of all that is known of it."""
        found: Known = {}
        meant = (name, self._instance_names[name])
        for instance in sorted(self._instances.values(), key=lambda one: one.fence):
            if (instance.spec.service, instance.spec.instance_name) == meant:
                found |= self._endpoints_of(instance)
        return found

    def _endpoints_of(self, instance: pb.Instance) -> Known:
        spec, status = instance.spec, STATUSES.get(instance.status)
        if status is None:
            return {}
        grpc = _addresses(spec, pb.PROTOCOL_GRPC)
        for http in _addresses(spec, pb.PROTOCOL_HTTP):
            self.http |= dict.fromkeys(grpc, http)
        weight, fence = spec.weight or 1, instance.fence
        return {a: Endpoint(a, weight=weight, status=status, epoch=fence) for a in grpc}

    def _lose(self) -> None:
        if self._is_connected and not self._is_leaving:
            self._is_connected = False
            for queues in self._queues.values():
                for queue in queues:
                    queue.put_nowait(None)

    def _tell(self, name: str, change: Change) -> None:
        for queue in self._queues[name]:
            queue.put_nowait(change)

    def _source(self, name: str) -> Watched:
        async def changes() -> AsyncGenerator[Change, None]:
            queue: Queue = asyncio.Queue()
            if self._is_connected:
                queue.put_nowait(Snapshot(tuple(self._known[name].values())))
            self._queues[name][queue] = None
            try:
                while (change := await queue.get()) is not None:
                    yield change
                raise ConnectionError("its watch has ended")
            finally:
                del self._queues[name][queue]

        opened: Callable[[], AsyncGenerator[Change, None]] = changes
        return Watched(opened)


def _addresses(spec: pb.InstanceSpec, protocol: pb.Protocol.ValueType) -> list[str]:
    """Return where an instance speaks a protocol."""
    spoken = [one for one in spec.endpoints if one.protocol == protocol]
    return [f"[{e.host}]:{e.port}" if ":" in e.host else f"{e.host}:{e.port}" for e in spoken]
