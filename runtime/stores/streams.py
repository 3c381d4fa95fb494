"""Names and trimming of the shared Redis streams."""

from redis.asyncio import Redis


def stream_key(stream: str) -> str:
    """Return the Redis key of a stream: `plimsoll:<env>:<stream>`."""
    return f"plimsoll:local:{stream}"


async def trim_acknowledged(streams: Redis, stream: str) -> int:
    """Remove the entries that every group has acknowledged; return how many (rule X11)."""
    raise NotImplementedError
