"""Stores and events that the tests of this folder share."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

from redis.asyncio import Redis
from sqlalchemy import (
    Column,
    Connection,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    insert,
    select,
)

from runtime.naming import identity_of
from runtime.stores import (
    Database,
    Event,
    Inbox,
    Outbox,
    Streams,
    connect,
    inbox_table,
    outbox_table,
)
from runtime.stores.simulated_redis import SimulatedRedis, SimulatedServer
from runtime.stores.valkey import embedded_valkey

SIGNALS = "plimsoll:local:signals"
METADATA = MetaData()
NOTES = Table(
    "notes",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("text", String(64), nullable=False, unique=True),
    Column("parent", ForeignKey("notes.id")),
)
OUTBOX = outbox_table(METADATA)
INBOX = inbox_table(METADATA)
INSERT_NOTE = insert(NOTES)
SELECT_NOTES = select(NOTES.c.text).order_by(NOTES.c.id)


class MysqlServer(Protocol):
    """The session's server."""

    version: str

    async def fresh(self) -> str:
        """Return the URL of a new, empty schema."""

    async def execute(self, *statements: str) -> list[tuple[Any, ...]]:
        """Run statements as the administrator; return the last one's rows."""


class FixedClock:
    """A clock that a test sets."""

    def __init__(self, now_ns: int = 0) -> None:
        self.ns = now_ns

    def now_ns(self) -> int:
        return self.ns

    async def sleep_until(self, instant_ns: int) -> None:
        raise AssertionError(f"nobody moves this clock on to {instant_ns}")


def blind_note(text: str) -> Callable[[Connection], int]:
    """Return work that adds a note without looking at what came of it."""

    def add(tx: Connection) -> int:
        tx.execute(INSERT_NOTE, {"text": text, "parent": None})
        return 0

    return add


def note(text: str, parent: int | None = None) -> Callable[[Connection], int]:
    """Return work that adds a note and returns its id."""

    def add(tx: Connection) -> int:
        found = tx.execute(INSERT_NOTE, {"text": text, "parent": parent})
        assert found.inserted_primary_key is not None
        return int(found.inserted_primary_key[0])

    return add


async def notes(database: Database) -> list[str]:
    return await database.read(lambda tx: list(tx.execute(SELECT_NOTES).scalars()))


async def with_tables(database: Database) -> Database:
    await database.create(METADATA)
    return database


def event(sequence: int, key: str = "ALPHA", stream: str = "signals") -> Event:
    return Event(stream, f"event-{sequence}", "Signal", key, sequence, b"payload %d" % sequence)


def streams_of(redis: Redis, service: str = "orders") -> Streams:
    """Return what the only instance of `service` sees of a Redis."""
    return Streams(redis, identity_of(service))


class Box:
    """A service's database with an outbox and an inbox."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.outbox = Outbox(OUTBOX)
        self.inbox = Inbox(INBOX)

    async def emit(self, *events: Event) -> None:
        await self.database.write(lambda tx: self.outbox.append(tx, *events))


@asynccontextmanager
async def simulated_redis() -> AsyncIterator[Redis]:
    yield SimulatedRedis(SimulatedServer())


@asynccontextmanager
async def valkey(directory: Path) -> AsyncIterator[Redis]:
    async with embedded_valkey(directory) as url:
        client = connect(url)
        try:
            yield client
        finally:
            await client.aclose()


RedisAt = Callable[[Path], AbstractAsyncContextManager[Redis]]


async def soon(is_so: Callable[[], bool], within_s: float = 20.0) -> bool:
    """Return whether it becomes so, in the loop's time."""
    for _ in range(int(within_s / 0.005)):
        if is_so():
            return True
        await asyncio.sleep(0.005)
    return is_so()


@asynccontextmanager
async def running(*works: object) -> AsyncIterator[list[asyncio.Task[None]]]:
    """Run coroutines beside the block and cancel them after it; a crash is raised."""
    tasks = [asyncio.ensure_future(work) for work in works]  # type: ignore[call-overload]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        for ended in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(ended, Exception):
                raise ended
