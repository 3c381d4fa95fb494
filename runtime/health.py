"""`grpc.health.v1` of a server: which services answer, and what each promises about its data."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from grpc import aio
from grpc_health.v1 import health, health_pb2  # type: ignore[import-untyped]

if TYPE_CHECKING:  # Generic in the type stubs only.
    Context = aio.ServicerContext[Any, Any]

WHOLE = ""  # How the protocol names the server as a whole.
DURABILITY_KEY = "plimsoll-durability"
Status = health_pb2.HealthCheckResponse

Durabilities = Mapping[str, Callable[[], Awaitable[str]]]  # By the contract's name.


class Health(health.aio.HealthServicer):  # type: ignore[misc]
    """Answers whether a service answers calls, with its durability in the trailing metadata.

    A service that answers is SERVING while a store is away: it refuses what it could not keep
    and goes on with the rest, and `plimsoll-durability` says so. The whole is SERVING when
    every service is that is meant to answer here; its durability names each:
    "orders=REFUSING,risk=DURABLE".
    """

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__()
        self._names = list(names)
        self._serving: set[str] = set()
        self._resting: set[str] = set()
        self.durabilities: Durabilities = {}

    async def begin(self) -> None:
        """Say that no service answers yet."""
        for name in (WHOLE, *self._names):
            await self.set(name, Status.NOT_SERVING)

    async def serve(self, name: str) -> None:
        """Say that a service answers from now on."""
        self._resting.discard(name)
        self._serving.add(name)
        await self.set(name, Status.SERVING)
        await self._tell_whole()

    async def rest(self, name: str) -> None:
        """Say that a service is not meant to answer here: the whole does without it."""
        self._serving.discard(name)
        self._resting.add(name)
        await self.set(name, Status.NOT_SERVING)
        await self._tell_whole()

    async def Check(self, request: Any, context: "Context") -> Any:
        """Answer whether a service answers, and tell what it promises."""
        if text := await self._told(request.service):
            context.set_trailing_metadata(((DURABILITY_KEY, text),))
        return await super().Check(request, context)

    async def _tell_whole(self) -> None:
        if self._serving.issuperset(set(self._names) - self._resting):
            await self.set(WHOLE, Status.SERVING)

    async def _told(self, service: str) -> str:
        known = self.durabilities
        if service != WHOLE:
            return await known[service]() if service in known else ""
        names = [name for name in known if name not in self._resting]
        states = await asyncio.gather(*[known[name]() for name in names])
        return ",".join(f"{_area(name)}={one}" for name, one in zip(names, states, strict=True))


def _area(name: str) -> str:
    """Return "orders" of "trading.orders.v1.OrderService"."""
    return name.split(".")[1] if "." in name else name
