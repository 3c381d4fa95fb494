"""How far each stream is published: what Redis says of itself, against what was committed.

The mark of a stream is written in the same transaction of Redis as its entries, so a server
that loses entries (its data, or the last second of its log) loses the mark with them.
"""

from collections.abc import Sequence
from typing import Any

from redis.exceptions import ResponseError
from sqlalchemy import Row

from runtime.stores.streams import Streams
from runtime.stores.trimming import START, Position, position


class Marks:
    """What of one outbox must be on its streams."""

    def __init__(self, streams: Streams) -> None:
        self.known: dict[str, int] = {}  # The highest sequence published, by what we know.
        self._streams = streams
        self._entries: dict[str, Position] = {}  # The newest entry we added to each stream.

    async def missing(self, client: Any) -> dict[str, int]:
        """Return for each stream that lost something the sequence up to which it is whole.

        `client` is a connection on which the answer stays true, or the pool.
        """
        if not self.known:
            return {}
        marks = await client.hgetall(self._streams.marks)
        found = {stream: int(marks.get(stream.encode(), 0)) for stream in self.known}
        return {stream: mark for stream, mark in found.items() if mark < self.known[stream]}

    async def emptied(self, stream: str) -> bool:
        """Return whether a stream that we published to has gone by itself, its mark still there."""
        key = self._streams.key(stream)
        try:
            about: Any = await self._streams.redis.xinfo_stream(key)
        except ResponseError as error:
            if "no such key" in str(error):
                return True
            raise
        newest = position(about["last-generated-id"])
        return newest == START or newest < self._entries.get(stream, START)

    def after(self, rows: Sequence[Row[Any]]) -> dict[Any, Any]:
        """Return the marks of the streams that these rows go to, once they are there."""
        found: dict[Any, Any] = {row.stream: self.known.get(row.stream, 0) for row in rows}
        for row in rows:
            found[row.stream] = max(found[row.stream], row.sequence)
        return found

    def note(self, rows: Sequence[Row[Any]], entry_ids: Sequence[bytes]) -> None:
        """Remember what was published as what."""
        self.known |= self.after(rows)
        for row, entry_id in zip(rows, entry_ids, strict=True):
            self._entries[row.stream] = position(entry_id)

    def lost(self, stream: str, after: int) -> None:
        """Remember that a stream has nothing of what comes after a sequence."""
        self.known[stream] = after
        self._entries.pop(stream, None)
