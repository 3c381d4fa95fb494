"""Tells risk, strategy and portfolio what became of orders: in order, at least once, each alone."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from grpc import StatusCode
from trading.types.v1.event_pb2 import OrderEvent

from runtime.environment import Environment
from runtime.errors import ErrorInfo, ServiceError, refusal
from services.orders import bookkeeping
from services.orders.lagging import Lagging
from services.orders.pauses import pause
from services.orders.recorder import Recorder

BATCH_SIZE_MAX = 256
KEEP_EVERY = 512  # Events; as many may be told again after a crash.
GATHER_S = 0.02  # Events of one moment, such as an order's first ones, go out in one call (G2).
log = logging.getLogger(__name__)

Report = Callable[[Sequence[OrderEvent]], Awaitable[int]]


@dataclass(frozen=True)
class Subscriber:
    """Who is told. `report` sends a batch and returns the last sequence that is durable there."""

    name: str
    report: Report


class Feedback:
    """One subscriber's cursor: it moves only when the subscriber has the events for certain."""

    def __init__(
        self,
        environment: Environment,
        recorder: Recorder,
        subscriber: Subscriber,
        lagging: Lagging,
    ) -> None:
        self._environment = environment
        self._recorder = recorder
        self._subscriber = subscriber
        self._lagging = lagging
        self._news = asyncio.Event()
        self._moved = asyncio.Event()
        self._cursor = 0  # What the subscriber has for certain.
        self._kept = 0  # The cursor as it is in the store: behind, never ahead.

    @property
    def name(self) -> str:
        """Who is told."""
        return self._subscriber.name

    def wake(self, event: OrderEvent) -> None:
        """Note that there is something to tell."""
        self._lagging.begins(event.header.sequence, _now_s())
        self._news.set()

    async def told(self, sequence: int, within_s: float) -> bool:
        """Wait until the subscriber has an event for certain; False when it takes longer."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + within_s
        while self._cursor < sequence:
            self._moved.clear()
            try:
                await asyncio.wait_for(self._moved.wait(), until_s - loop.time())
            except TimeoutError:
                return False
        return True

    async def run(self) -> None:
        """Tell until cancelled; a subscriber that fails delays only itself."""
        self._kept = self._cursor = await self._environment.database.write(
            lambda tx: bookkeeping.feedback_cursor(tx, self._subscriber.name)
        )
        attempt = 0
        while True:
            self._news.clear()
            try:
                while await self._report_some():
                    attempt = 0
            except ServiceError as error:
                self._look_at(error, attempt)
                await self._look_at_lag()
                await pause(attempt, self._environment.rng)
                attempt += 1
            else:
                self._lagging.ends()
                await self._news.wait()
                await asyncio.sleep(GATHER_S)

    async def _report_some(self) -> bool:
        """Report the next events, at most 256; returns whether there were any."""
        found = await self._recorder.events_after(self._cursor, BATCH_SIZE_MAX)
        if not found:
            return False
        try:
            known = await self._subscriber.report([event for _, event in found])
        except ServiceError as error:
            expected = _expected(error)
            if expected is None or expected - 1 == self._cursor:
                raise
            await self._move(expected - 1)  # It misses earlier ones: from there again.
            return True
        if known < found[-1][0]:
            raise self._short(known, found[-1][0])
        await self._move(known)
        if len(found) < BATCH_SIZE_MAX:
            await asyncio.sleep(GATHER_S)  # Else each call would carry only a few.
        return True

    def _short(self, known: int, sent: int) -> ServiceError:
        return refusal(
            StatusCode.INTERNAL,
            "FEEDBACK_SHORT",
            f"{self._subscriber.name} has events up to {known}, must have {sent}: sent again",
            service="orders",
        )

    async def _move(self, sequence: int) -> None:
        """Move the cursor; the store may lag behind: what is told again changes nothing."""
        cursor = self._cursor = min(sequence, self._recorder.feed.sequence)
        self._moved.set()
        self._lagging.moves(cursor)
        if self._kept <= cursor < self._kept + KEEP_EVERY:
            return
        name = self._subscriber.name
        await self._environment.database.write(
            lambda tx: bookkeeping.move_feedback(tx, name, cursor)
        )
        self._kept = cursor

    async def _look_at_lag(self) -> None:
        self._lagging.begins(self._cursor + 1, _now_s())
        try:
            await self._lagging.look(self._cursor, _now_s())
        except ServiceError as error:
            log.warning("the lag of %s cannot be noted: %s", self.name, error)

    def _look_at(self, error: ServiceError, attempt: int) -> None:
        level = logging.ERROR if error.definite or attempt > 5 else logging.INFO
        name, behind = self._subscriber.name, self._recorder.feed.sequence - self._cursor
        log.log(level, "%s is %d order events behind: %s", name, behind, error)


def _now_s() -> float:
    return asyncio.get_running_loop().time()


def _expected(error: ServiceError) -> int | None:
    """Return the sequence that a subscriber with a gap asks for."""
    info = error.detail(ErrorInfo)
    if error.code is not StatusCode.ABORTED or info is None:
        return None
    text = info.metadata.get("expected", "")
    return int(text) if text.isdigit() and int(text) > 0 else None
