"""Endless streams that resume without a gap: the server's side of every Watch RPC (rule O7)."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from itertools import islice
from typing import Generic, TypeVar

from grpc import StatusCode

from runtime.errors import ServiceError, refusal

T = TypeVar("T")
BUFFER_SIZE = 1_024
HEARTBEAT_S = 1.0
PAGE_SIZE = 256
LIVE_PAGE_SIZE = 64  # Small, so that a slow subscriber is noticed soon.

Load = Callable[[int, int], Awaitable[Sequence[tuple[int, T]]]]


@dataclass(frozen=True, slots=True)
class Delivery(Generic[T]):
    """One message of a watch: an item, or a heartbeat when `item` is None."""

    sequence: int
    item: T | None

    @property
    def is_heartbeat(self) -> bool:
        """Whether this tells only how far the stream is."""
        return self.item is None


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """What of a watch is there at one moment: some items, or a heartbeat when there are none."""

    sequence: int  # Up to which everything is told.
    items: Sequence[tuple[int, T]]


class Feed(Generic[T]):
    """What one service publishes to its watchers: items with gap-free sequences from 1.

    Call `publish` after the commit. Give sequences out inside the transaction, so that none
    is ever missing; two writers may publish the wrong way round, the feed puts it right. When
    the answer of a commit was lost call `doubt`: watchers then ask the store what happened.
    """

    def __init__(self, service: str, sequence: int = 0) -> None:
        """Start after `sequence`, the last one in the store."""
        self._service = service
        self._recent: deque[T] = deque(maxlen=BUFFER_SIZE)  # The last items, up to `sequence`.
        self._early: dict[int, T] = {}  # Published before one that comes before them.
        self._sequence = sequence
        self._forgotten = 0
        self._waiting: list[asyncio.Future[bool]] = []
        self._is_doubted = False
        self._is_closed = False

    @property
    def sequence(self) -> int:
        """The last sequence published without a gap."""
        return self._sequence

    def publish(self, sequence: int, item: T) -> None:
        """Show a committed item to every watcher; one published before is left as it is."""
        if sequence != self._sequence + 1:
            self._hold(sequence, item)
            return
        self._append(item)
        self._release()

    def doubt(self) -> None:
        """Say that more may be committed than was published: the next watcher looks it up."""
        self._is_doubted = True
        self._wake()

    def forget_until(self, sequence: int) -> None:
        """Say that the store keeps nothing up to `sequence`: older watches get OUT_OF_RANGE."""
        self._forgotten = max(sequence, self._forgotten)

    def close(self) -> None:
        """End every watch."""
        self._is_closed = True
        self._wake()

    async def watch(
        self,
        after_sequence: int,
        load: Load[T],
        matches: Callable[[T], bool] | None = None,
    ) -> AsyncGenerator[Delivery[T], None]:
        """Yield a heartbeat with the current sequence, then every matching item, endlessly.

        Items after `after_sequence` come from the store (`load(after, limit)`, in order), then
        live, without a gap; a heartbeat whenever a second passed with nothing to send. Raises
        OUT_OF_RANGE when the store no longer has what follows `after_sequence`, and
        RESOURCE_EXHAUSTED, with the last delivered sequence in the ErrorInfo, when the
        subscriber falls 1,024 items behind: it resumes from there. Ends when the feed is closed.
        """
        async with aclosing(self.pages(after_sequence, load, matches)) as pages:
            async for page in pages:
                if not page.items:
                    yield Delivery(page.sequence, None)
                for sequence, item in page.items:
                    yield Delivery(sequence, item)

    async def pages(
        self,
        after_sequence: int,
        load: Load[T],
        matches: Callable[[T], bool] | None = None,
    ) -> AsyncGenerator[Page[T], None]:
        """Yield what `watch` does, but together what is there together."""
        await self._check_start(after_sequence, load)
        loop = asyncio.get_running_loop()
        cursor, is_live = after_sequence, False
        yield Page(self._sequence, ())
        sent_s = loop.time()
        while not self._is_closed:
            if self._sequence <= cursor:
                is_live = True
                if self._is_doubted:
                    await self._look_up(load)
                elif not await self._change(sent_s + HEARTBEAT_S) and self._early:
                    await self._look_up(load)  # Long enough for the one before them to come.
            elif is_live and self._sequence - cursor > BUFFER_SIZE:
                raise self._too_slow(cursor)
            else:
                found = await self._page(cursor, load)
                cursor = found[-1][0]
                if wanted := _wanted(found, matches):
                    yield Page(cursor, wanted)
                    sent_s = loop.time()
            if loop.time() >= sent_s + HEARTBEAT_S:
                yield Page(cursor, ())
                sent_s = loop.time()

    async def _check_start(self, after_sequence: int, load: Load[T]) -> None:
        if after_sequence < self._forgotten:
            raise self._out_of_range(after_sequence, "is older than what is kept")
        if after_sequence > self._sequence:  # Committed already, perhaps, but not published yet.
            newest = await load(after_sequence - 1, 1)
            if not newest or newest[0][0] != after_sequence:
                raise self._out_of_range(after_sequence, "has not happened yet")

    async def _page(self, cursor: int, load: Load[T]) -> Sequence[tuple[int, T]]:
        """Return the next items after `cursor`, from memory if they are recent."""
        behind = self._sequence - cursor
        if behind <= len(self._recent):
            start = len(self._recent) - behind
            items = islice(self._recent, start, start + LIVE_PAGE_SIZE)
            return list(enumerate(items, cursor + 1))
        page = await load(cursor, PAGE_SIZE)
        if not page or page[0][0] != cursor + 1:
            raise self._out_of_range(cursor, "is older than what is kept")
        return page

    async def _look_up(self, load: Load[T]) -> None:
        """Publish what is in the store and was never published."""
        self._is_doubted = False
        while page := await load(self._sequence, PAGE_SIZE):
            before = self._sequence
            for sequence, item in page:
                self.publish(sequence, item)
            if self._sequence == before:
                return

    async def _change(self, until_s: float) -> bool:
        """Return whether something happened (published, doubted, closed) before the time."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[bool] = loop.create_future()
        self._waiting.append(waiter)
        timer = loop.call_at(until_s, _finish, waiter, False)
        try:
            return await waiter
        finally:
            timer.cancel()
            if waiter in self._waiting:
                self._waiting.remove(waiter)

    def _append(self, item: T) -> None:
        self._sequence += 1
        self._recent.append(item)

    def _hold(self, sequence: int, item: T) -> None:
        """Keep an item that came too early until those before it are there."""
        if sequence <= self._sequence:
            return
        self._early[sequence] = item
        if len(self._early) > BUFFER_SIZE:  # Nobody looked it up; whoever comes asks the store.
            self._recent.clear()
            self._sequence = min(self._early) - 1
            self._release()

    def _release(self) -> None:
        while (self._sequence + 1) in self._early:
            self._append(self._early.pop(self._sequence + 1))
        self._wake()

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            _finish(waiter, True)

    def _too_slow(self, cursor: int) -> ServiceError:
        return refusal(
            StatusCode.RESOURCE_EXHAUSTED,
            "SLOW_SUBSCRIBER",
            f"the subscriber is {self._sequence - cursor} items behind, must stay within "
            f"{BUFFER_SIZE}: watch again after sequence {cursor}",
            service=self._service,
            last_sequence=str(cursor),
        )

    def _out_of_range(self, after_sequence: int, why: str) -> ServiceError:
        return refusal(
            StatusCode.OUT_OF_RANGE,
            "SEQUENCE_OUT_OF_RANGE",
            f"after_sequence {after_sequence} {why}: list, then watch after the sequence listed",
            service=self._service,
            kept_after=str(self._forgotten),
            current=str(self._sequence),
        )


def _wanted(
    page: Sequence[tuple[int, T]], matches: Callable[[T], bool] | None
) -> Sequence[tuple[int, T]]:
    return page if matches is None else [pair for pair in page if matches(pair[1])]


def _finish(waiter: asyncio.Future[bool], has_happened: bool) -> None:
    if not waiter.done():
        waiter.set_result(has_happened)
