"""One service as its callers see it: where it is, whether it is asked, how its calls end."""

import random
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

from google.protobuf.message import Message

from runtime.client_stats import ClientStats, Standing
from runtime.rpc import Call, Method
from runtime.single import Messages
from runtime.targets.breaker import DEFAULT_BREAKER, Breaker, BreakerSettings
from runtime.targets.endpoints import Connection, Endpoint
from runtime.targets.pool import DEFAULT_POOL, Pool, PoolSettings
from runtime.targets.resolver import KEEP_S, Resolution, Resolver
from runtime.targets.sources import Source


@dataclass(frozen=True)
class TargetSettings:
    """How the calls to one service are carried."""

    pool: PoolSettings = DEFAULT_POOL
    breaker: BreakerSettings = DEFAULT_BREAKER
    keep_s: float = KEEP_S  # So long endpoints are used whose source is away.
    on_breaker: Callable[[Breaker], None] | None = None  # Told of every change of its state.


DEFAULT_TARGET = TargetSettings()


class Target:
    """A transport to one service, wherever it is: `client_for(port, target, stats=target.stats)`.

    `sources` say where the service is, the most trusted first; `connect` opens what carries
    calls to one endpoint. A call while nobody is known fails UNAVAILABLE with NO_ENDPOINT.
    """

    def __init__(
        self,
        service: str,
        sources: Sequence[Source],
        connect: Callable[[Endpoint], Connection],
        *,
        rng: random.Random,
        settings: TargetSettings = DEFAULT_TARGET,
    ) -> None:
        self.service = service
        self.pool = Pool(service, connect, rng=rng, settings=settings.pool)
        self.breaker = Breaker(
            self.pool, service, settings.breaker, settings.on_breaker, self.pool.is_connected
        )
        self.resolver = Resolver(service, sources, self._follow, rng=rng, keep_s=settings.keep_s)
        self.stats = ClientStats(standing=self._standing)

    async def start(self) -> None:
        """Begin to follow where the service is; `resolver.found` waits until that is known."""
        await self.resolver.start()

    async def stop(self) -> None:
        """Follow nothing more and close every connection."""
        await self.resolver.stop()
        await self.pool.close()

    def call(self, method: Method, requests: AsyncIterator[Message], call: Call) -> Messages:
        """Carry one call."""
        return self.breaker.call(method, requests, call)

    def _follow(self, resolution: Resolution) -> None:
        if self.pool.update(resolution.endpoints):
            self.breaker.try_now()  # Whoever is there now has not been silent yet.

    def _standing(self) -> Standing:
        members = self.pool.view()
        return Standing(
            breaker=self.breaker.state,
            open_since_s=self.breaker.open_since_s,
            endpoints=len(members),
            connected=sum(member.is_connected for member in members),
            is_stale=self.resolver.resolution.is_stale,
        )
