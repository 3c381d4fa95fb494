"""One member of a consumer group: what Redis is asked, in the terms of entries."""

from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Any

from redis.exceptions import ResponseError

from runtime.stores.streams import Streams

BATCH_SIZE_MAX = 64
BLOCK_MS = 1_000
CLAIM_IDLE_MS = 30_000
TAKEN_OVER_MAX = 1_024


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
    """Who reads what: the stream's short name, the group, the member of it.

    The group is the namespace of the instance that reads, unless another is named.

    Use one `consumer` name per account shard: a successor then finds what its predecessor
    left unfinished as its own, and order per key survives the change.
    """

    stream: str
    group: str = ""
    consumer: str = "0"


class Membership:
    """What a member may do with its stream; every method may raise RedisError."""

    def __init__(self, streams: Streams, subscription: Subscription) -> None:
        self._redis = streams.redis
        self._key = streams.source_key(subscription.stream)
        self._group = subscription.group or streams.identity.namespace
        self._name = subscription.consumer

    async def join(self) -> None:
        """Create the group, reading from the stream's beginning, unless it is there."""
        try:
            await self._redis.xgroup_create(self._key, self._group, id="0", mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise

    async def new(self) -> list[Entry]:
        """Wait up to a second for entries nobody was given yet; return at most 64."""
        return await self._read(">", block_ms=BLOCK_MS)

    async def unfinished(self) -> list[Entry]:
        """Return everything this member was given and has not acknowledged, oldest first."""
        found: list[Entry] = []
        page = await self._read("0")
        while page:
            found += page
            page = await self._read(page[-1].entry_id)
        return found

    async def abandoned(self, in_hand: Container[str]) -> list[Entry]:
        """Take over what no member has acknowledged for 30 s, except what we are at ourselves.

        XAUTOCLAIM would deliver that to us again, and count it as another delivery. At most
        1,024 at a time: the rest is there in 10 s, too.
        """
        found: list[Entry] = []
        after = "-"
        while len(found) < TAKEN_OVER_MAX:
            page: Any = await self._redis.xpending_range(
                self._key, self._group, after, "+", BATCH_SIZE_MAX, idle=CLAIM_IDLE_MS
            )
            ids = [pending["message_id"].decode() for pending in page]
            if idle := [entry_id for entry_id in ids if entry_id not in in_hand]:
                found += await self._claim(idle, CLAIM_IDLE_MS)
            if len(page) < BATCH_SIZE_MAX:
                break
            after = f"({ids[-1]}"
        return found

    async def acknowledge(self, entries: Sequence[Entry]) -> None:
        """Tell Redis that these are done."""
        await self._redis.xack(self._key, self._group, *[e.entry_id for e in entries])

    async def deliveries(self, entry: Entry) -> int:
        """Return how often `entry` was delivered, also before this process started."""
        pending = await self._redis.xpending_range(
            self._key, self._group, entry.entry_id, entry.entry_id, 1
        )
        return int(pending[0]["times_delivered"]) if pending else 0

    async def deliver_again(self, entry: Entry) -> None:
        """Count one more delivery of `entry`."""
        await self._claim([entry.entry_id.encode()], 0)

    async def _read(self, after: str, block_ms: int | None = None) -> list[Entry]:
        answer: Any = await self._redis.xreadgroup(
            self._group, self._name, {self._key: after}, count=BATCH_SIZE_MAX, block=block_ms
        )
        return [_entry(*pair) for _, pairs in answer for pair in pairs]

    async def _claim(self, ids: list[Any], idle_ms: int) -> list[Entry]:
        pairs: Any = await self._redis.xclaim(self._key, self._group, self._name, idle_ms, ids)
        return [_entry(*pair) for pair in pairs if pair[0] is not None]


def _entry(entry_id: bytes, fields: dict[bytes, bytes] | None) -> Entry:
    """Return the entry of a reply; what is missing in a foreign or deleted one is empty."""
    found: dict[bytes, bytes] = fields or {}
    sequence = found.get(b"sequence", b"")
    return Entry(
        entry_id=entry_id.decode(),
        event_id=found.get(b"event_id", b"").decode(errors="replace"),
        type=found.get(b"type", b"").decode(errors="replace"),
        key=found.get(b"key", b"").decode(errors="replace"),
        sequence=int(sequence) if sequence.isdigit() else 0,
        payload=found.get(b"payload", b""),
        traceparent=found.get(b"traceparent", b"").decode(errors="replace"),
    )
