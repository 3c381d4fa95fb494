"""What an operator may want of an instance: told to it with its next beat."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from google.protobuf.message import Message
from sqlalchemy import Connection
from trading.discovery.v1 import discovery_pb2 as pb

from runtime.environment import Environment
from runtime.stores import Requests
from services.discovery import tables, wire
from services.discovery.entries import Entry, Reported
from services.discovery.keeper import Keeper
from services.discovery.refusals import DiscoveryRefused

DRAIN, LOG_LEVEL = "drain_instance", "set_log_level"
A = TypeVar("A", bound=Message)


class Operating:
    """Takes instances out of use, and sets how much they log."""

    def __init__(self, environment: Environment, keeper: Keeper) -> None:
        self._environment = environment
        self._keeper = keeper
        self._requests = Requests(
            environment.database, tables.requests, environment.clock, service="discovery"
        )

    async def drain(self, request: pb.DrainInstanceRequest) -> pb.DrainInstanceResponse:
        """Have an instance finish what it has begun; callers get no more of it from now on."""
        changes = {"reported": Reported.DRAINING, "drain_reason": request.reason}

        def answer(entry: Entry) -> pb.DrainInstanceResponse:
            return pb.DrainInstanceResponse(status=wire.status_of(entry))

        return await self._once(DRAIN, request, self._change(DRAIN, request, changes, answer))

    async def set_log_level(self, request: pb.SetLogLevelRequest) -> pb.SetLogLevelResponse:
        """Have an instance log so much from its next beat on."""
        changes = {"log_level": int(request.log_level)}

        def answer(_entry: Entry) -> pb.SetLogLevelResponse:
            return pb.SetLogLevelResponse()

        return await self._once(
            LOG_LEVEL, request, self._change(LOG_LEVEL, request, changes, answer)
        )

    async def stop(self) -> None:
        """Cancel what still runs for callers."""
        await self._requests.stop()

    async def _once(self, method: str, request: Any, work: Callable[[], Awaitable[A]]) -> A:
        return await self._requests.once(method, request.request_id, request, work)

    def _change(
        self, method: str, request: Any, changes: dict[str, Any], answer: Callable[[Entry], A]
    ) -> Callable[[], Awaitable[A]]:
        async def work() -> A:
            async with self._keeper.opened() as registry:
                entry = registry.entries.get(request.instance_id)
                if entry is None:
                    raise unknown_instance(request.instance_id)
                if not entry.is_live:
                    raise DiscoveryRefused(
                        pb.DISCOVERY_REFUSAL_REASON_INSTANCE_ENDED,
                        f"instance {request.instance_id} is {entry.status.name}: it is told "
                        "nothing any more",
                    )
                after = entry.changed(self._environment.clock.now_ns(), **changes)
                message = answer(after)

                def remember(tx: Connection) -> None:
                    self._requests.remember(tx, method, request.request_id, request, message)

                await self._keeper.commit([after], remember)
            return message

        return work


def unknown_instance(instance_id: str) -> DiscoveryRefused:
    """Return the refusal for an instance that is not known."""
    return DiscoveryRefused(
        pb.DISCOVERY_REFUSAL_REASON_INSTANCE_UNKNOWN,
        f"there is no instance {instance_id}: list instances to find it",
    )
