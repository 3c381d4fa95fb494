"""Publishes an outbox to Redis Streams, in order, at least once (rule X9)."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from redis.exceptions import RedisError
from sqlalchemy import Row, bindparam, select, update

from runtime.clock import Clock
from runtime.stores.database import Database
from runtime.stores.ending import stop_if_cancelled
from runtime.stores.errors import StoreError
from runtime.stores.outbox import Outbox
from runtime.stores.streams import Streams

BATCH_SIZE_MAX = 256
POLL_S = 0.1
GATHER_S = 0.002  # Events of one moment go out in one batch (G1).
BACKOFF_S_MAX = 5.0


class Relay:
    """Carries committed events to their streams.

    Start it with `tasks.spawn(relay.run(), name="relay")`. It is woken by every commit that
    appended; it polls only after an error, or when another process may write to the same
    database. Redis being away costs nothing but time: order is kept. A crash between
    publishing and marking publishes the same `event_id` twice; consumers have an inbox.
    """

    def __init__(self, database: Database, outbox: Outbox, streams: Streams, clock: Clock) -> None:
        self.trouble: Exception | None = None  # Why nothing gets through at present.
        self._database = database
        self._outbox = outbox
        self._streams = streams
        self._clock = clock
        self._wake = asyncio.Event()
        self._keys: dict[str, str] = {}
        columns = outbox.table.c
        unpublished = select(outbox.table).where(columns.published_ns.is_(None))
        self._select = unpublished.order_by(columns.id).limit(BATCH_SIZE_MAX)
        self._mark = update(outbox.table).where(columns.id == bindparam("row_id"))
        database.on_commit(self._committed)

    async def run(self) -> None:
        """Publish until cancelled."""
        backoff_s = POLL_S
        while True:
            stop_if_cancelled()
            try:
                while await self.publish() == BATCH_SIZE_MAX:
                    stop_if_cancelled()
                    backoff_s = POLL_S
            except (RedisError, OSError, StoreError) as error:
                self.trouble = error
                await asyncio.sleep(backoff_s)
                backoff_s = min(2 * backoff_s, BACKOFF_S_MAX)
            else:
                self.trouble = None
                backoff_s = POLL_S
                await self._next()
                await asyncio.sleep(GATHER_S)

    async def publish(self) -> int:
        """Publish the next batch in id order and mark it; return how many that were."""
        self._wake.clear()  # Before reading: a commit during the read wakes it again.
        rows = await self._database.read(lambda tx: tx.execute(self._select).all())
        if rows:
            await self._send(rows)
            now_ns = self._clock.now_ns()
            marks = [{"row_id": row.id, "published_ns": now_ns} for row in rows]
            await self._database.write(lambda tx: tx.execute(self._mark, marks))
        return len(rows)

    async def _send(self, rows: Sequence[Row[Any]]) -> None:
        """Add one batch: all of it or nothing, so that an error cannot change the order."""
        if len(rows) == 1:
            await self._streams.redis.xadd(*self._entry(rows[0]))
            return
        pipeline = self._streams.redis.pipeline(transaction=True)
        for row in rows:
            pipeline.xadd(*self._entry(row))
        await pipeline.execute()

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
            self._wake.set()

    async def _next(self) -> None:
        """Wait for the next commit; nobody else can write to a database that is not shared."""
        if not self._database.is_shared:
            await self._wake.wait()
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(POLL_S):
                await self._wake.wait()
