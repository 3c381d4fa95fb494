"""Joins candles and indicators (T9): the watched point if it comes in time, else a request.

Both have the same anchor, so they have the same bits, and the way taken changes no decision.
"""

import asyncio
import random
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from grpc import StatusCode
from trading.indicators.v1 import indicators_pb2 as pb
from trading.indicators.v1.indicators_port import IndicatorService
from trading.types.v1 import market_pb2

from runtime.clock import Clock
from runtime.errors import ServiceError
from runtime.follow import Following, follow
from runtime.hosting import Tasks
from runtime.observe.scope import detach
from runtime.times import to_ns, to_timestamp
from services.strategy.indicators import (
    KIND_INSUFFICIENT,
    IndicatorRequests,
    point_of,
    specs_of,
)
from services.strategy.terms import Config, Point

BUSY = StatusCode.RESOURCE_EXHAUSTED
WAIT_S = 0.2
GIVE_UP_S = 30.0

Found = Point | ServiceError | None
PointKey = tuple[str, int]
"""Instrument and open time of the candle."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A configuration of a strategy on candles of one kind: what one watch is for."""

    strategy_id: str
    config_version: int
    config: Config
    anchor_ns: int
    has_range: bool

    @property
    def key(self) -> tuple[str, int, int, bool]:
        """What tells it from every other subject."""
        return self.strategy_id, self.config_version, self.anchor_ns, self.has_range


@dataclass(frozen=True, slots=True)
class Need:
    """One point that is needed, until when it is worth waiting for."""

    subject: Subject
    instrument: str
    open_ns: int
    valid_until_ns: int


class Watched:
    """The points that one watch has brought and nobody has asked for yet."""

    def __init__(self, subject: Subject, arrived: Callable[[], None]) -> None:
        self.subject = subject
        self.instruments: tuple[str, ...] = ()
        self.task: asyncio.Task[None] | None = None
        self._arrived = arrived
        self._points: dict[PointKey, Point] = {}
        self._done_ns: dict[str, int] = {}

    async def take(self, messages: Sequence[pb.WatchIndicatorsResponse]) -> None:
        """Keep the points of a batch."""
        for message in messages:
            open_ns = to_ns(message.point.open_time)
            if message.instrument and open_ns > self._done_ns.get(message.instrument, -1):
                self._points[message.instrument, open_ns] = point_of(message.point)
        self._arrived()

    def find(self, need: Need) -> Point | None:
        """Return the point if it is there."""
        return self._points.get((need.instrument, need.open_ns))

    def done(self, instrument: str, open_ns: int) -> None:
        """Forget what belongs to an evaluated candle."""
        self._done_ns[instrument] = open_ns
        self._points.pop((instrument, open_ns), None)

    def after_ns(self, first_ns: int) -> int:
        """Return the time after which points are lacking; `first_ns` if none was used yet."""
        if len(self._done_ns) < len(self.instruments):
            return first_ns
        return min(self._done_ns.values())


class Points:
    """Finds the points that are needed, whichever way they come."""

    def __init__(
        self, indicators: IndicatorService, clock: Clock, tasks: Tasks, rng: random.Random
    ) -> None:
        self._indicators = indicators
        self._requests = IndicatorRequests(indicators)
        self._clock = clock
        self._tasks = tasks
        self._rng = rng
        self._watched: dict[tuple[str, int, int, bool], Watched] = {}
        self._arrival = asyncio.Event()

    async def find(self, needs: Sequence[Need]) -> list[Found]:
        """Return a point for each need, or why it cannot be had; None after waiting in vain."""
        self._watch(needs)
        give_up_s = asyncio.get_running_loop().time() + GIVE_UP_S
        found: list[Found] = [None] * len(needs)
        missing = list(range(len(needs)))
        while missing:
            missing = await self._wait(needs, missing, found)
            for at in missing:
                found[at] = await self._request(needs[at])
            wanted = (at for at in missing if found[at] is None)
            missing = [at for at in wanted if self._is_wanted(needs[at], give_up_s)]
        return found

    def done(self, need: Need) -> None:
        """Forget the point of an evaluated candle."""
        watched = self._watched.get(need.subject.key)
        if watched is not None:
            watched.done(need.instrument, need.open_ns)

    def keep(self, keys: Iterable[tuple[str, int]]) -> None:
        """End the watches of all strategies and versions but these."""
        wanted = set(keys)
        for key in [key for key in self._watched if key[:2] not in wanted]:
            task = self._watched.pop(key).task
            if task is not None:
                task.cancel()

    async def _wait(
        self, needs: Sequence[Need], missing: list[int], found: list[Found]
    ) -> list[int]:
        """Take points as they arrive for as long as a candle waits; return what is missing."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + WAIT_S
        while True:
            self._arrival.clear()
            for at in missing:
                found[at] = self._watched[needs[at].subject.key].find(needs[at])
            missing = [at for at in missing if found[at] is None]
            if not missing or loop.time() >= until_s:
                return missing
            with suppress(TimeoutError):
                async with asyncio.timeout_at(until_s):
                    await self._arrival.wait()

    async def _request(self, need: Need) -> Found:
        subject = need.subject
        try:
            return await self._requests.point(
                subject.config,
                need.instrument,
                (subject.anchor_ns, need.open_ns),
                has_range=subject.has_range,
            )
        except ServiceError as error:
            if error.reason == KIND_INSUFFICIENT:
                return Point({}, is_warm=True)  # As a watch has it: everything is missing.
            return error if error.definite and error.code is not BUSY else None

    def _is_wanted(self, need: Need, give_up_s: float) -> bool:
        is_in_time = self._clock.now_ns() < need.valid_until_ns
        return is_in_time and asyncio.get_running_loop().time() < give_up_s

    def _watch(self, needs: Sequence[Need]) -> None:
        """See to it that watches bring the points of these instruments."""
        fresh: dict[tuple[str, int, int, bool], list[Need]] = {}
        for need in needs:
            key = need.subject.key
            if key not in self._watched:
                self._watched[key] = Watched(need.subject, self._arrival.set)
            if need.instrument not in self._watched[key].instruments:
                fresh.setdefault(key, []).append(need)
        for key, first in fresh.items():
            watched = self._watched[key]
            watched.instruments += tuple(dict.fromkeys(need.instrument for need in first))
            if watched.task is not None:
                watched.task.cancel()
            after_ns = min(need.open_ns for need in first) - 1
            watched.task = self._tasks.spawn(self._follow(watched, after_ns), name=f"points {key}")

    async def _follow(self, watched: Watched, first_ns: int) -> None:
        detach()  # It outlives the candle that first asked for it.
        subject = watched.subject

        def watch(sequence: int) -> AsyncGenerator[pb.WatchIndicatorsResponse, None]:
            return self._indicators.watch_indicators(
                pb.WatchIndicatorsRequest(
                    instruments=watched.instruments,
                    timeframe=market_pb2.Timeframe.ValueType(subject.config.timeframe),
                    specs=specs_of(subject.config, has_range=subject.has_range),
                    from_time=to_timestamp(subject.anchor_ns),
                    after_time=to_timestamp(max(watched.after_ns(first_ns), 0)),
                )
            )

        await follow(Following("points", watch, watched.take), after=0, rng=self._rng)
