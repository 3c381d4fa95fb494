"""Reads a stream as member of a group: in order per key, at least once (rule X10)."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from redis.asyncio import Redis


@dataclass(frozen=True, slots=True)
class Entry:
    """One delivery of an event; `entry_id` is Redis's own."""

    entry_id: str
    event_id: str
    type: str
    key: str
    sequence: int
    payload: bytes
    traceparent: str


@dataclass(frozen=True, slots=True)
class Subscription:
    """Who reads what: the stream's short name, the group (service), the member of it.

    Use one `consumer` name per account shard: a successor then finds what its predecessor
    left unfinished as its own, and order per key survives the change.
    """

    stream: str
    group: str
    consumer: str = "0"


Handle = Callable[[Sequence[Entry]], Awaitable[None]]
DeadLetter = Callable[[Entry, Exception], Awaitable[None]]


class StreamConsumer:
    """Gives every entry of a stream to `handle`, at least once.

    Start it with `tasks.spawn(consumer.run(), name="…")`. `handle` gets entries of one lane
    (1 of 16, by a stable hash of their key) in sequence order and returns after effect and
    inbox row are committed; lanes run beside each other. When `handle` raises:

    - an unavailable dependency (an indefinite ServiceError, RESOURCE_EXHAUSTED, ABORTED,
      Redis away): the lane waits and tries again, for ever;
    - anything else: the entries are tried again one by one, and after 5 deliveries the one
      that still raises goes to `dead_letter` (which commits it) and is acknowledged.
    """

    def __init__(
        self, streams: Redis, subscription: Subscription, handle: Handle, dead_letter: DeadLetter
    ) -> None:
        raise NotImplementedError

    async def run(self) -> None:
        """Read until cancelled: own unfinished entries first, then new ones."""
        raise NotImplementedError
