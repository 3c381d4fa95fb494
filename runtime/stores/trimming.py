"""Removes what every group has acknowledged, and never an entry that somebody must read."""

from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from runtime.stores.streams import Streams

Position = tuple[int, int]  # Of an entry: milliseconds and counter.
START: Position = (0, 0)


@dataclass(frozen=True, slots=True)
class Trimmed:
    """What trimming did to one stream."""

    removed: int = 0  # Entries.
    needed_from: int = 0  # Every sequence below it is acknowledged by every group.


async def trim_acknowledged(streams: Streams, stream: str) -> Trimmed:
    """Remove the entries of an own stream that every group has acknowledged (rule X11).

    Groups are those that must read it (`streams.readers`) and whatever others there are.
    Nothing is removed while one that must read it is missing, or while there is none at all.
    """
    redis, key = streams.redis, streams.key(stream)
    kept_from = await _positions(redis, key)
    missing = [group for group in streams.readers.get(stream, ()) if group not in kept_from]
    if missing or not kept_from:
        return Trimmed()
    milliseconds, counter = first = min(kept_from.values())
    if first <= (0, 1):
        return Trimmed()  # Somebody has read nothing.
    # One connection, so one life of the server; no MULTI, which is refused when memory is
    # short. The mark is asked first: what comes after it is not taken for acknowledged.
    async with redis.pipeline(transaction=False) as pipe:
        pipe.hget(streams.marks, stream)
        pipe.xtrim(key, minid=f"{milliseconds}-{counter}", approximate=False)
        pipe.xrange(key, count=1)
        mark, removed, left = await pipe.execute()
    if left:
        return Trimmed(int(removed), _sequence(left[0][1]))
    return Trimmed(int(removed), int(mark or 0) + 1)


async def _positions(redis: Redis, key: str) -> dict[str, Position]:
    """Return for each group of a stream where the first entry is that it must keep.

    Both questions need not be of one moment: what is acknowledged stays acknowledged.
    """
    try:
        groups: Any = await redis.xinfo_groups(key)
    except ResponseError as error:
        if "no such key" in str(error):
            return {}
        raise
    return {group["name"].decode(): await _first_needed(redis, key, group) for group in groups}


async def _first_needed(redis: Redis, key: str, group: Any) -> Position:
    if group["pending"]:
        summary: Any = await redis.xpending(key, group["name"])
        if summary["pending"]:
            return position(summary["min"])
    milliseconds, counter = position(group["last-delivered-id"])
    return milliseconds, counter + 1


def position(entry_id: bytes | str) -> Position:
    """Return an entry's id as something that has an order."""
    text = entry_id.decode() if isinstance(entry_id, bytes) else entry_id
    milliseconds, _, counter = text.partition("-")
    return int(milliseconds), int(counter)


def _sequence(fields: dict[bytes, bytes]) -> int:
    """Return the sequence of an entry; of one that no relay made: as if all were needed."""
    text = fields.get(b"sequence", b"")
    return int(text) if text.isdigit() else 0
