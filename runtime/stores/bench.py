"""What the stores cost: `python -m runtime.stores.bench` prints one line per figure.

Figures are of one writer at a time unless a line says otherwise; `us` are microseconds.
"""

import asyncio
import itertools
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

from google.protobuf.wrappers_pb2 import Int64Value, StringValue
from redis.asyncio import Redis
from sqlalchemy import (
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    bindparam,
    insert,
    select,
)

from runtime.clock import SystemClock
from runtime.naming import identity_of
from runtime.stores import (
    Database,
    Entry,
    Event,
    Inbox,
    Outbox,
    Relay,
    Requests,
    StreamConsumer,
    Streams,
    Subscription,
    connect,
    inbox_table,
    outbox_table,
    requests_table,
)
from runtime.stores.simulated_redis import SimulatedRedis, SimulatedServer
from runtime.stores.valkey import embedded_valkey
from runtime.virtual import VirtualLoop

METADATA = MetaData()
ROWS = Table(
    "rows",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("name", String(40)),
    Column("body", LargeBinary),
)
OUTBOX = outbox_table(METADATA)
INBOX = inbox_table(METADATA)
REQUESTS = requests_table(METADATA)
INSERT = insert(ROWS)
SELECT = select(ROWS).where(ROWS.c.id == bindparam("row_id"))
ROW_BODY = b"x" * 300
ROW = {"name": "ANA-1", "body": ROW_BODY}
ANSWER = Int64Value(value=1)
WRITERS = (1, 8, 64)
REPEATS = 4


def insert_row(tx: Connection) -> None:
    """Insert one row, the way a store function should: constant statement, parameters."""
    tx.execute(INSERT, ROW)


async def per_call(name: str, count: int, call: Callable[[], Awaitable[object]]) -> None:
    """Print how long one `call` takes, one after the other: the best of four runs; the p99."""
    means_s: list[float] = []
    every_s: list[float] = []
    for _ in range(REPEATS):
        took_s = [await _timed(call) for _ in range(count // REPEATS)]
        means_s.append(statistics.mean(took_s))
        every_s += took_s
    every_s.sort()
    show(name, min(means_s), f"p99 {every_s[len(every_s) * 99 // 100] * 1e3:6.2f} ms")


async def _timed(call: Callable[[], Awaitable[object]]) -> float:
    began_s = time.perf_counter()
    await call()
    return time.perf_counter() - began_s


def show(name: str, each_s: float, more: str = "") -> None:
    """Print one line."""
    sys.stdout.write(f"{name:58} {each_s * 1e6:9.1f} us  {1 / each_s:9.0f} /s  {more}\n")


async def measure_database(name: str, database: Database, count: int) -> None:
    """Measure writes, reads and request keys of one backend."""
    await database.create(METADATA)
    await per_call(f"{name}: write of one insert", count, lambda: database.write(insert_row))
    await per_call(
        f"{name}: write, statement built anew",
        count // 2,
        lambda: database.write(lambda tx: tx.execute(insert(ROWS).values(**ROW))),
    )
    one = {"row_id": 1}
    await per_call(
        f"{name}: read of one row",
        count,
        lambda: database.read(lambda tx: tx.execute(SELECT, one).first()),
    )

    for writers in WRITERS:
        await measure_submits(name, database, writers, count)
    await measure_requests(name, database, count // 4)


async def measure_submits(name: str, database: Database, writers: int, count: int) -> None:
    """Measure durable submits: row, request key and event in one commit (rule X1)."""
    requests = Requests(database, REQUESTS, SystemClock(), service="bench")
    outbox, numbers = Outbox(OUTBOX), itertools.count()

    def submit(tx: Connection, key: str) -> None:
        insert_row(tx)
        requests.remember(tx, f"Submit{writers}", key, StringValue(value=key), ANSWER)
        outbox.append(tx, Event("bench", key, "Bench", "KEY", 1, ROW_BODY))

    async def writer() -> None:
        for _ in range(count // writers):
            key = f"{writers}-{next(numbers)}"
            await database.write(partial(submit, key=key))

    began_s = time.perf_counter()
    await asyncio.gather(*[writer() for _ in range(writers)])
    each_s = (time.perf_counter() - began_s) / (count // writers * writers)
    show(f"{name}: durable submit, {writers} at once", each_s)


async def measure_requests(name: str, database: Database, count: int) -> None:
    """Measure a request with a new key whose answer is stored with the effect."""
    requests = Requests(database, REQUESTS, SystemClock(), service="bench")
    keys = iter(range(count + 1))

    async def call() -> None:
        key, request, answer = str(next(keys)), StringValue(value="buy"), Int64Value(value=1)

        def effect(tx: Connection) -> Int64Value:
            insert_row(tx)
            requests.remember(tx, "Submit", key, request, answer)
            return answer

        await requests.once("Submit", key, request, lambda: database.write(effect))

    await per_call(f"{name}: request once, effect and answer in one commit", count, call)


async def measure_chain(name: str, database: Database, redis: Redis, count: int) -> None:
    """Measure an event's way: outbox, relay, stream, consumer, inbox; one at a time and many."""
    outbox, inbox = Outbox(OUTBOX), Inbox(INBOX)
    arrived = asyncio.Semaphore(0)

    async def handle(entries: Sequence[Entry]) -> None:
        def effect(tx: Connection) -> None:
            for entry in entries:
                inbox.first_time(tx, "bench", entry.event_id)

        await database.write(effect)
        for _ in entries:
            arrived.release()

    async def bury(entry: Entry, error: Exception) -> None:
        raise error

    streams = Streams(redis, identity_of("bench"))
    relay = Relay(database, outbox, streams, SystemClock())
    consumer = StreamConsumer(streams, Subscription("bench", name), handle, bury)
    tasks = [asyncio.create_task(relay.run()), asyncio.create_task(consumer.run())]
    numbers = iter(range(10 * count))

    async def emit() -> None:
        number = next(numbers)
        event = Event("bench", f"e{number}", "Bench", f"KEY-{number % 5}", number, b"x" * 300)
        await database.write(lambda tx: outbox.append(tx, event))

    async def there() -> None:
        await emit()
        await arrived.acquire()

    await per_call(f"{name}: event to effect, one at a time", count, there)
    began_s = time.perf_counter()
    for _ in range(count // 10):
        await asyncio.gather(*[emit() for _ in range(50)])
    for _ in range(count // 10 * 50):
        await arrived.acquire()
    show(f"{name}: event to effect, 50 at once", (time.perf_counter() - began_s) / (count * 5))
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


async def simulated() -> None:
    """Measure what virtual time uses."""
    await measure_database("memory", Database.inline_memory(), 5_000)
    database = Database.inline_memory()
    await database.create(METADATA)
    redis = SimulatedRedis(SimulatedServer())
    await measure_chain("memory, simulated Redis", database, redis, 1_000)


async def embedded() -> None:
    """Measure files and the bundled Valkey."""
    async with AsyncExitStack() as closing:
        directory = Path(closing.enter_context(tempfile.TemporaryDirectory()))
        database = Database.sqlite_file(directory / "bench.sqlite")
        closing.push_async_callback(database.close)
        sys.stdout.write(f"file: SQLite {sqlite3.sqlite_version}; each method p99 <= 5 ms (S)\n")
        await measure_database("file", database, 2_000)
        redis = connect(await closing.enter_async_context(embedded_valkey(directory / "valkey")))
        closing.push_async_callback(redis.aclose)
        await measure_chain("file, Valkey", database, redis, 500)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(simulated())
    asyncio.run(embedded())
