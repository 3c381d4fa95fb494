"""Publishes an outbox to Redis Streams, in order, at least once (rule X9)."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from redis.exceptions import RedisError
from sqlalchemy import Row, bindparam, select

from runtime.clock import Clock
from runtime.stores.database import Database
from runtime.stores.ending import end, stop_if_cancelled
from runtime.stores.errors import StoreError
from runtime.stores.marks import Marks
from runtime.stores.outbox import ROWS_MAX, Outbox
from runtime.stores.retention import Retention
from runtime.stores.standing import Waiting
from runtime.stores.streams import Streams

BATCH_SIZE_MAX = 256
POLL_S = 0.1
LOOK_S = 1.0  # So often an idle relay asks whether its streams are whole.
GATHER_S = 0.02  # What follows the first event of a moment goes out in one batch (G1).
MARK_S = 0.05  # So often at most what is published is marked.
BACKOFF_S_MAX = 2.0  # So long at most signals and events wait for a store that is back.
log = logging.getLogger(__name__)


class Relay:
    """Carries committed events to their streams, and removes them once everybody has read them.

    Start it with `tasks.spawn(relay.run(), name="relay")`. It is woken by every commit that
    appended; it polls only after an error, or when another process may write to the same
    database. Redis being away costs nothing but time: order is kept. What Redis has lost,
    wholly or in part, is published again before anything new. What is published is marked 20
    times a second at most: a crash before publishes the same `event_id` twice; consumers have
    an inbox.
    """

    def __init__(self, database: Database, outbox: Outbox, streams: Streams, clock: Clock) -> None:
        self.trouble: Exception | None = None  # Why nothing gets through at present.
        self._database = database
        self._outbox = outbox
        self._streams = streams
        self._clock = clock
        self._wake = asyncio.Event()
        self._keys: dict[str, str] = {}
        self._marks = Marks(streams)
        self._retention = Retention(database, outbox, streams)
        self._is_begun = False
        self._unmarked: list[int] = []  # Rows that are published, in order.
        self._mark_at_s = 0.0  # In the loop's time.
        self._look_at_s = 0.0  # In the loop's time.
        self._waiting_ns: int | None = None  # Since when the oldest waits, as far as we know.
        columns = outbox.table.c
        unpublished = select(outbox.table).where(columns.published_ns.is_(None))
        unpublished = unpublished.where(columns.id > bindparam("after", 0))
        self._select = unpublished.order_by(columns.id).limit(BATCH_SIZE_MAX)
        database.on_commit(self._committed)

    async def run(self) -> None:
        """Publish until cancelled, and tidy up behind the readers."""
        both = [asyncio.create_task(work) for work in (self._publish_on(), self._retention.run())]
        try:
            await asyncio.gather(*both)  # A TaskGroup would pass on only the first cancellation.
        finally:
            await end(both)

    async def publish(self) -> int:
        """Publish the next batch in id order; return how many that were."""
        await self._begin()
        self._wake.clear()  # Before reading: a commit during the read wakes it again.
        since_ns, self._waiting_ns = self._waiting_ns, None
        rows: Sequence[Row[Any]] = ()
        is_done = False
        try:
            await self._look()  # Before reading: what is lost comes before anything new.
            after = {"after": self._unmarked[-1] if self._unmarked else 0}
            rows = await self._database.read(lambda tx: tx.execute(self._select, after).all())
            is_done = not rows or await self._send(rows)
        finally:
            if not is_done:
                now_ns = self._clock.now_ns() if rows else None
                self._waiting_ns = since_ns or self._waiting_ns or now_ns
        return len(rows) if is_done else 0

    async def waiting(self) -> Waiting:
        """Return how many events wait to be published, and since when the oldest does.

        What a process finds at its start counts as waiting since then.
        """
        depth = await self._database.read(self._outbox.depth)
        if not depth:
            return Waiting()
        return Waiting(depth, self._waiting_ns or self._clock.now_ns())

    async def _publish_on(self) -> None:
        backoff_s = POLL_S
        while True:
            stop_if_cancelled()
            try:
                while await self.publish() == BATCH_SIZE_MAX:
                    stop_if_cancelled()
                    backoff_s = POLL_S
                    await self._mark()
                await self._mark_in_time()
            except (RedisError, OSError, StoreError) as error:
                with suppress(StoreError):
                    await self._mark()  # What waits now is what is not published.
                self.trouble = error
                await asyncio.sleep(backoff_s)
                backoff_s = min(2 * backoff_s, BACKOFF_S_MAX)
            else:
                self.trouble = None
                backoff_s = POLL_S
                await self._next()
                await asyncio.sleep(GATHER_S)

    async def _begin(self) -> None:
        """Learn once what a process before this one has published."""
        if self._is_begun:
            return
        self._marks.known = await self._database.read(self._outbox.last_published)
        self._retention.keep(self._marks.known)
        self._is_begun = True

    async def _look(self) -> None:
        """Look whether a stream has gone though nobody writes to it, at most once a second."""
        now_s = asyncio.get_running_loop().time()
        if now_s < self._look_at_s or not self._retention.kept:
            return
        missing = await self._marks.missing(self._streams.redis)
        for stream in tuple(self._retention.kept):  # One more may be written to meanwhile.
            if stream not in missing and await self._marks.emptied(stream):
                missing[stream] = 0
        self._look_at_s = now_s + LOOK_S
        await self._publish_again(missing)

    async def _mark_in_time(self) -> None:
        """Mark what is published, once the first of it has waited for company."""
        if self._unmarked and asyncio.get_running_loop().time() >= self._mark_at_s:
            await self._mark()

    async def _mark(self) -> None:
        """Note what is published; what cannot be noted is published again."""
        ids, self._unmarked = self._unmarked, []
        if ids:
            now_ns = self._clock.now_ns()
            await self._database.write(lambda tx: self._outbox.mark(tx, ids, now_ns))

    async def _publish_again(self, missing: Mapping[str, int]) -> None:
        if missing:
            await self._mark()  # What was published, and is lost with the rest.
        for stream, mark in missing.items():
            log.warning("%s of Redis is lost after %d: published again", stream, mark)
            again = partial(self._outbox.publish_again, stream=stream, first_sequence=mark + 1)
            count = await self._database.write(again)
            if not count:
                self._retention.drop(stream)
            while count == ROWS_MAX:
                stop_if_cancelled()
                count = await self._database.write(again)
            self._marks.lost(stream, mark)
            self._wake.set()

    async def _send(self, rows: Sequence[Row[Any]]) -> bool:
        """Add one batch and its marks: all of it or nothing, so no error changes the order.

        Returns False when earlier entries are missing, and publishes them first. Watching
        the marks keeps out a second relay, and a batch of ours that comes late.
        """
        async with self._streams.redis.pipeline(transaction=True) as pipe:
            await pipe.watch(self._streams.marks)
            if missing := await self._marks.missing(pipe):
                await self._publish_again(missing)
                return False
            pipe.multi()  # type: ignore[no-untyped-call]
            for row in rows:
                pipe.xadd(*self._entry(row))
            marks = self._marks.after(rows)
            pipe.hset(self._streams.marks, mapping=marks)
            entry_ids = await pipe.execute()
        self._marks.note(rows, entry_ids[: len(rows)])
        if not self._unmarked:
            self._mark_at_s = asyncio.get_running_loop().time() + MARK_S
        self._unmarked += [row.id for row in rows]
        self._retention.keep({row.stream: row.sequence for row in rows})
        return True

    def _entry(self, row: Row[Any]) -> tuple[str, dict[Any, Any]]:
        if (key := self._keys.get(row.stream)) is None:
            key = self._keys[row.stream] = self._streams.key(row.stream)
        return key, {
            "event_id": row.event_id,
            "type": row.type,
            "key": row.key,
            "sequence": row.sequence,
            "payload": row.payload,
            "traceparent": row.traceparent,
        }

    def _committed(self) -> None:
        if self._outbox.has_new:
            self._outbox.has_new = False
            self._waiting_ns = self._waiting_ns or self._clock.now_ns()
            self._wake.set()

    async def _next(self) -> None:
        """Wait for the next commit; nobody else can write to a database that is not shared."""
        if not (self._database.is_shared or self._retention.kept or self._unmarked):
            await self._wake.wait()
            return
        patience_s = POLL_S if self._database.is_shared else LOOK_S
        if self._unmarked:
            patience_s = min(patience_s, self._mark_at_s - asyncio.get_running_loop().time())
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, patience_s)):
                await self._wake.wait()
