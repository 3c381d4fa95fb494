"""Removes what every group has acknowledged, and never an entry that somebody must read."""

from typing import Any

from redis.asyncio import Redis

from runtime.stores.streams import Streams


async def trim_acknowledged(streams: Streams, stream: str) -> int:
    """Remove the entries that every group has acknowledged; return how many (rule X11).

    A stream that no group reads yet keeps everything.
    """
    redis, key = streams.redis, streams.key(stream)
    if not await redis.exists(key):
        return 0
    groups = await redis.xinfo_groups(key)
    kept_from = [await _first_unacknowledged(redis, key, group) for group in groups]
    if not kept_from:
        return 0
    milliseconds, counter = min(kept_from)
    return int(await redis.xtrim(key, minid=f"{milliseconds}-{counter}", approximate=False))


async def _first_unacknowledged(redis: Redis, key: str, group: Any) -> tuple[int, int]:
    if group["pending"]:
        summary = await redis.xpending(key, group["name"])
        return _position(summary["min"])
    milliseconds, counter = _position(group["last-delivered-id"])
    return milliseconds, counter + 1


def _position(entry_id: bytes) -> tuple[int, int]:
    milliseconds, counter = entry_id.split(b"-")
    return int(milliseconds), int(counter)
