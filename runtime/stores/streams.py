"""Names and trimming of the shared Redis streams."""

from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff


def stream_key(stream: str) -> str:
    """Return the Redis key of a stream: `plimsoll:<env>:<stream>`."""
    return f"plimsoll:local:{stream}"


async def trim_acknowledged(streams: Redis, stream: str) -> int:
    """Remove the entries that every group has acknowledged; return how many (rule X11).

    A stream that no group reads yet keeps everything.
    """
    key = stream_key(stream)
    if not await streams.exists(key):
        return 0
    groups = await streams.xinfo_groups(key)
    kept_from = [await _first_unacknowledged(streams, key, group) for group in groups]
    if not kept_from:
        return 0
    milliseconds, counter = min(kept_from)
    return int(await streams.xtrim(key, minid=f"{milliseconds}-{counter}", approximate=False))


async def _first_unacknowledged(streams: Redis, key: str, group: Any) -> tuple[int, int]:
    if group["pending"]:
        summary = await streams.xpending(key, group["name"])
        return _position(summary["min"])
    milliseconds, counter = _position(group["last-delivered-id"])
    return milliseconds, counter + 1


def _position(entry_id: bytes) -> tuple[int, int]:
    milliseconds, counter = entry_id.split(b"-")
    return int(milliseconds), int(counter)


def connect(url: str) -> Redis:
    """Return a client of the Redis at `url` (`redis://host:port` or `unix://path`).

    It repeats nothing by itself: a command sent twice would change the order of a stream,
    and the relay and the consumers know when to try again. One dialect (RESP2) everywhere.
    """
    return Redis.from_url(url, protocol=2, retry=Retry(NoBackoff(), 0))
