"""Trims a producer's streams, and forgets the outbox rows that nobody can need again."""

import asyncio
import logging
from collections.abc import Mapping
from functools import partial
from typing import Any

from redis.exceptions import RedisError

from runtime.stores.database import Database
from runtime.stores.ending import stop_if_cancelled
from runtime.stores.errors import StoreError
from runtime.stores.outbox import ROWS_MAX, Outbox
from runtime.stores.streams import Streams
from runtime.stores.trimming import trim_acknowledged

EVERY_S = 10.0
UNREAD_MAX = 10_000  # Entries of a stream that no instance reads: for people who look at it.
log = logging.getLogger(__name__)


class Retention:
    """Keeps streams and outbox as long as somebody needs them, and no longer.

    A stream of which nobody has said who must read it keeps everything. It sleeps without a
    timer while all that was published is acknowledged.
    """

    def __init__(self, database: Database, outbox: Outbox, streams: Streams) -> None:
        self.kept: dict[str, int] = {}  # The highest sequence still kept of each stream.
        self._database = database
        self._outbox = outbox
        self._streams = streams
        self._something = asyncio.Event()
        self._marks: dict[str, int] = {}  # What Redis said last of streams that nobody reads.

    def keep(self, published: Mapping[str, int]) -> None:
        """Take note of what was published."""
        for stream, sequence in published.items():
            if stream in self._streams.readers:
                self.kept[stream] = sequence
                self._something.set()

    def drop(self, stream: str) -> None:
        """Take note that nothing published of a stream is kept: it must be published again."""
        self.kept.pop(stream, None)

    async def run(self) -> None:
        """Tidy up every 10 s until cancelled."""
        while True:
            stop_if_cancelled()
            await self._something.wait()
            await asyncio.sleep(EVERY_S)
            try:
                await self.tidy()
            except (RedisError, OSError, StoreError) as error:
                log.info("streams cannot be trimmed: %s", error)

    async def tidy(self) -> None:
        """Remove what every reader has acknowledged, from the streams and from the outbox."""
        for stream in list(self.kept):
            needed_from = await self._trim(stream)
            forget = partial(self._outbox.forget, stream=stream, before_sequence=needed_from)
            while await self._database.write(forget) == ROWS_MAX:
                stop_if_cancelled()
            if self.kept.get(stream, needed_from) < needed_from:
                self.drop(stream)
        if not self.kept:
            self._something.clear()

    async def _trim(self, stream: str) -> int:
        """Return the first sequence that somebody still needs."""
        if self._streams.readers[stream]:
            return (await trim_acknowledged(self._streams, stream)).needed_from
        redis = self._streams.redis
        await redis.xtrim(self._streams.key(stream), maxlen=UNREAD_MAX, approximate=True)
        # Nobody says that it has read, and a replica that takes over may lack the newest: what
        # Redis had 10 s ago, and has now, it keeps.
        found: Any = await redis.hget(self._streams.marks, stream)
        before, self._marks[stream] = self._marks.get(stream, 0), int(found or 0)
        return min(before, self._marks[stream]) + 1
