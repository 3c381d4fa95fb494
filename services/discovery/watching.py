"""Shows watchers what becomes of instances: first all of them, then every change."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from trading.discovery.v1 import discovery_pb2 as pb

from runtime.environment import Environment
from services.discovery import store, wire
from services.discovery.keeper import Keeper


class Watching:
    """Answers WatchInstances."""

    def __init__(self, environment: Environment, keeper: Keeper) -> None:
        self._environment = environment
        self._keeper = keeper

    async def watch(
        self, request: pb.WatchInstancesRequest
    ) -> AsyncGenerator[pb.WatchInstancesResponse, None]:
        """Yield a heartbeat, with a snapshot if nothing is known yet, then changes."""
        services = frozenset(request.services)

        def is_wanted(instance: pb.Instance) -> bool:
            spec = instance.spec
            if services and spec.service not in services:
                return False
            return request.environment in ("", spec.environment)

        after, snapshot = request.after_sequence, []
        is_first = after == 0
        if is_first:  # Both are of one moment: a commit shows both at once.
            after, found = self._keeper.feed.sequence, self._snapshot()
            snapshot = [instance for instance in found if is_wanted(instance)]
        deliveries = self._keeper.feed.watch(
            after, self._load, lambda change: is_wanted(change.instance)
        )
        async with aclosing(deliveries):
            async for delivery in deliveries:
                message = pb.WatchInstancesResponse(
                    sequence=delivery.sequence,
                    is_heartbeat=delivery.is_heartbeat,
                    change=delivery.item,
                )
                if is_first:
                    message.sequence = after  # What the snapshot is of.
                    message.snapshot.extend(snapshot)
                    is_first = False
                yield message

    def _snapshot(self) -> list[pb.Instance]:
        registry = self._keeper.registry
        live = sorted(registry.live(), key=lambda entry: entry.spec.instance_id)
        return [wire.instance_message(entry, registry.expire_ns(entry)) for entry in live]

    async def _load(self, after: int, limit: int) -> Sequence[tuple[int, pb.InstanceChange]]:
        return await self._environment.database.read(
            lambda tx: store.events_after(tx, after, limit)
        )
