"""Where a service is now, from several sources, without ever forgetting it blindly (D6)."""

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from runtime.errors import ServiceError
from runtime.hosting import Tasks
from runtime.targets.endpoints import Endpoint
from runtime.targets.sources import Added, Change, Changed, Removed, Snapshot, Source, StillSo

KEEP_S = 600.0  # So long the last known endpoints are used while their source is away.
PAUSE_S_FIRST, PAUSE_S_MAX = 0.1, 5.0  # Between two attempts to reach a source.
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Resolution:
    """Where a service is, who says so, and whether that is confirmed."""

    endpoints: tuple[Endpoint, ...] = ()  # By address.
    source: str = ""  # "" while nobody knows.
    is_stale: bool = False  # The last known: its source is away, or has forgotten everything.
    heard_s: float | None = None  # When the source last said something, of the event loop.


class Resolver:
    """Follows its sources and delivers the endpoints of the best one that knows any.

    The sources stand in order of trust: a registry's watch before names before a file. What a
    source said is used for ten more minutes when it goes away, and marked. An empty answer
    changes nothing that was known; only what is REMOVED one by one may leave nobody.
    """

    def __init__(
        self,
        service: str,
        sources: Sequence[Source],
        deliver: Callable[[Resolution], None],
        *,
        rng: random.Random,
        keep_s: float = KEEP_S,
    ) -> None:
        self.resolution = Resolution()
        self._service = service
        self._known = [(source, _Knowledge()) for source in sources]
        self._deliver = deliver
        self._rng = rng
        self._keep_s = keep_s
        self._tasks = Tasks(f"resolver of {service}")
        self._attempts: dict[str, int] = {}  # In a row, to reach a source.
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._has_any = asyncio.Event()

    async def start(self) -> None:
        """Begin to follow every source."""
        for source, known in self._known:
            self._tasks.spawn(self._follow(source, known), name=source.name)

    async def stop(self) -> None:
        """Follow nothing any more."""
        for timer in self._timers.values():
            timer.cancel()
        await self._tasks.stop()

    async def found(self) -> None:
        """Return when at least one endpoint is known."""
        await self._has_any.wait()

    async def _follow(self, source: Source, known: "_Knowledge") -> None:
        while True:
            self._attempts[source.name] = self._attempts.get(source.name, -1) + 1
            try:
                await self._hear(source, known)
            except (StopAsyncIteration, TimeoutError, ServiceError, OSError) as error:
                log.warning("%s for %s is away: %r", source.name, self._service, error)
            finally:
                self._went_away(source, known)
            longest_s = PAUSE_S_FIRST * 2.0 ** min(self._attempts[source.name], 10)
            await asyncio.sleep(min(PAUSE_S_MAX, longest_s) * (0.5 + self._rng.random()))

    async def _hear(self, source: Source, known: "_Knowledge") -> None:
        async with aclosing(source.watch()) as changes:
            while True:
                async with asyncio.timeout(source.silence_s):
                    change = await anext(changes)
                self._attempts[source.name] = -1
                self._take(source, known, change)

    def _take(self, source: Source, known: "_Knowledge", change: Change) -> None:
        known.take(change, asyncio.get_running_loop().time())
        if known.is_confirmed and (timer := self._timers.pop(source.name, None)):
            timer.cancel()
        if not known.is_confirmed:
            self._expire_later(source)
        self._tell()

    def _went_away(self, source: Source, known: "_Knowledge") -> None:
        known.is_confirmed = False
        self._expire_later(source)
        self._tell()

    def _expire_later(self, source: Source) -> None:
        if source.name not in self._timers:
            loop = asyncio.get_running_loop()
            self._timers[source.name] = loop.call_later(self._keep_s, self._tell)

    def _tell(self) -> None:
        """Deliver what is known now, if that is something else than before."""
        former, self.resolution = self.resolution, self._best()
        now = self.resolution
        if now.endpoints:
            self._has_any.set()
        else:
            self._has_any.clear()
        if (now.endpoints, now.source, now.is_stale) == (
            former.endpoints,
            former.source,
            former.is_stale,
        ):
            return
        if former.endpoints and not now.endpoints:
            told_by = now.source or former.source  # Whose word was believed for too long.
            log.warning("nobody serves %s any more, as far as %s knows", self._service, told_by)
        self._deliver(now)

    def _best(self) -> Resolution:
        now_s = asyncio.get_running_loop().time()
        for source, known in self._known:
            if known.is_usable(now_s, self._keep_s):
                endpoints = tuple(known.endpoints[a] for a in sorted(known.endpoints))
                return Resolution(endpoints, source.name, not known.is_confirmed, known.heard_s)
        return Resolution()


class _Knowledge:
    """What one source has said."""

    def __init__(self) -> None:
        self.endpoints: dict[str, Endpoint] = {}
        self.is_confirmed = False  # It is there, and stands by what it said.
        self.heard_s: float | None = None  # When it last did; None: it never named anybody.

    def take(self, change: Change, now_s: float) -> None:
        """Learn a change."""
        match change:
            case Snapshot(()):
                self.is_confirmed = not self.endpoints and self.heard_s is not None
                return
            case Snapshot(endpoints):
                self.endpoints = {one.address: one for one in endpoints}
            case Added(endpoint) | Changed(endpoint):
                self.endpoints[endpoint.address] = endpoint
            case Removed(address):
                self.endpoints.pop(address, None)
            case StillSo():
                if self.heard_s is None:
                    return
        self.is_confirmed, self.heard_s = True, now_s

    def is_usable(self, now_s: float, keep_s: float) -> bool:
        """Whether to go by it: it has named somebody, and not too long ago."""
        if self.heard_s is None:
            return False
        return self.is_confirmed or now_s - self.heard_s < keep_s
