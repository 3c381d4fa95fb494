"""A producer and its two readers over one simulated Redis that can lose what it holds."""

from collections.abc import Sequence
from typing import Any

from redis.asyncio import Redis
from sqlalchemy import select

from runtime.naming import identity_of
from runtime.stores import Database, Entry, Relay, StreamConsumer, Streams, Subscription
from runtime.stores.simulated_redis import SimulatedRedis, SimulatedServer
from runtime.stores.tests.mothers import (
    OUTBOX,
    SIGNALS,
    Box,
    FixedClock,
    event,
    with_tables,
)

READERS = {"signals": ("orders", "risk")}


def producer(redis: Redis) -> Streams:
    return Streams(redis, identity_of("strategy"), readers=READERS)


class Reader:
    """A consumer with an inbox: it notes what it handles for the first time."""

    def __init__(self, redis: Redis, service: str = "orders") -> None:
        self.seen: dict[str, None] = {}
        self.deliveries = 0
        streams = Streams(redis, identity_of(service), sources={"signals": identity_of("strategy")})
        self.consumer = StreamConsumer(streams, Subscription("signals"), self.handle, self.bury)

    async def handle(self, entries: Sequence[Entry]) -> None:
        self.deliveries += len(entries)
        self.seen |= dict.fromkeys(entry.event_id for entry in entries)

    async def bury(self, entry: Entry, error: Exception) -> None:
        raise error


class Chain:
    """A producer and its two readers over one simulated Redis."""

    def __init__(self, database: Database) -> None:
        self.server = SimulatedServer()
        self.redis = SimulatedRedis(self.server)
        self.box = Box(database)
        self.readers = [Reader(self.redis, service) for service in ("orders", "risk")]
        self.relay = Relay(database, self.box.outbox, producer(self.redis), FixedClock())

    @classmethod
    async def made(cls) -> "Chain":
        return cls(await with_tables(Database.inline_memory()))

    async def emit(self, first: int, last: int) -> None:
        await self.box.emit(*[event(i) for i in range(first, last + 1)])

    async def on_stream(self) -> list[int]:
        entries: Any = await self.redis.xrange(SIGNALS)
        return [int(fields[b"sequence"]) for _, fields in entries]

    async def in_outbox(self) -> list[int]:
        rows = select(OUTBOX.c.sequence).order_by(OUTBOX.c.id)
        return await self.box.database.read(lambda tx: list(tx.execute(rows).scalars()))

    def restart(self) -> Relay:
        self.box = Box(self.box.database.crash())
        return Relay(self.box.database, self.box.outbox, producer(self.redis), FixedClock())


def ids(first: int, last: int) -> list[str]:
    return [f"event-{i}" for i in range(first, last + 1)]


async def snapshot(redis: SimulatedRedis) -> dict[bytes, Any]:
    """Return all that Redis holds, as an older copy of its disk would."""
    keys: Any = sorted(await redis.keys("*"))
    return {key: await redis.dump(key) for key in keys}


async def restore(redis: SimulatedRedis, older: dict[bytes, Any]) -> None:
    await redis.flushall()
    for key, value in older.items():
        await redis.restore(key, 0, value)
