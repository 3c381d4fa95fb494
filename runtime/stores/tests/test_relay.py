"""Committed events reach their streams, in order, at least once: over both Redises."""

import asyncio
import random
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from runtime.hosting import Tasks
from runtime.stores import Database, Relay
from runtime.stores.relay import GATHER_S
from runtime.stores.simulated_redis import SimulatedRedis, SimulatedServer
from runtime.stores.standing import Waiting
from runtime.stores.tests.mothers import (
    SIGNALS,
    Box,
    FixedClock,
    event,
    running,
    simulated_redis,
    soon,
    streams_of,
    valkey,
    with_tables,
)


async def published(redis: Redis, stream: str = "signals") -> list[str]:
    entries: Any = await redis.xrange(streams_of(redis).key(stream))
    return [fields[b"event_id"].decode() for _, fields in entries]


def relay_of(box: Box, redis: Redis) -> Relay:
    return Relay(box.database, box.outbox, streams_of(redis), FixedClock())


def ids(first: int, last: int) -> list[str]:
    return [f"event-{i}" for i in range(first, last + 1)]


class RelaySuite:
    def redis(self, directory: Path) -> AbstractAsyncContextManager[Redis]:
        raise NotImplementedError

    def database(self, directory: Path) -> Database:
        raise NotImplementedError

    async def test_events_arrive_whole_and_in_order(self, tmp_path: Path) -> None:
        box = Box(await with_tables(self.database(tmp_path)))
        async with self.redis(tmp_path) as redis, running(relay_of(box, redis).run()):
            await box.emit(event(1))
            await box.emit(*[event(i) for i in range(2, 400)])
            await box.emit(event(400, stream="order_events"))
            assert await soon_published(redis, "order_events", 1)
            assert await published(redis) == ids(1, 399)
            entries: Any = await redis.xrange(SIGNALS, count=1)
        assert entries[0][1] == {
            b"event_id": b"event-1",
            b"type": b"Signal",
            b"key": b"ALPHA",
            b"sequence": b"1",
            b"payload": b"payload 1",
            b"traceparent": b"",
        }
        await box.database.close()

    async def test_what_a_crashed_process_left_is_published_at_start(self, tmp_path: Path) -> None:
        box = Box(await with_tables(self.database(tmp_path)))
        await box.emit(*[event(i) for i in range(1, 301)])
        box = Box(box.database.crash())
        async with self.redis(tmp_path) as redis, running(relay_of(box, redis).run()):
            assert await soon_published(redis, "signals", 300)
            assert await published(redis) == ids(1, 300)
        await box.database.close()

    async def test_event_published_but_not_marked_is_published_again(self, tmp_path: Path) -> None:
        box = Box(await with_tables(self.database(tmp_path)))
        await box.emit(event(1), event(2))
        async with self.redis(tmp_path) as redis:
            box.database.faults.commits_to_lose = 1  # The mark of the first batch.
            async with running(relay_of(box, redis).run()):
                assert await soon_published(redis, "signals", 4)
            assert await published(redis) == ids(1, 2) * 2
        await box.database.close()

    async def test_event_of_a_transaction_taken_back_is_never_published(
        self, tmp_path: Path
    ) -> None:
        box = Box(await with_tables(self.database(tmp_path)))
        async with self.redis(tmp_path) as redis, running(relay_of(box, redis).run()):
            box.database.faults.commits_to_lose = 1
            with pytest.raises(Exception, match="read back"):
                await box.emit(event(1))
            await box.emit(event(2))
            assert await soon_published(redis, "signals", 1)
            assert await published(redis) == ids(2, 2)
        await box.database.close()


async def soon_published(redis: Redis, stream: str, count: int) -> bool:
    for _ in range(2_000):
        if len(await published(redis, stream)) >= count:
            return True
        await asyncio.sleep(0.005)
    return False


class TestSimulated(RelaySuite):
    def redis(self, directory: Path) -> AbstractAsyncContextManager[Redis]:
        return simulated_redis()

    def database(self, directory: Path) -> Database:
        return Database.inline_memory()


@pytest.mark.real_time
class TestEmbedded(RelaySuite):
    def redis(self, directory: Path) -> AbstractAsyncContextManager[Redis]:
        return valkey(directory)

    def database(self, directory: Path) -> Database:
        return Database.sqlite_file(directory / "box.sqlite")


async def test_redis_away_costs_time_but_neither_events_nor_order() -> None:
    server = SimulatedServer()
    redis = SimulatedRedis(server)
    box = Box(await with_tables(Database.inline_memory()))
    relay = relay_of(box, redis)
    async with running(relay.run()):
        server.go_away()
        for i in range(1, 601):
            await box.emit(event(i))
        await asyncio.sleep(60)
        assert relay.trouble is not None
        server.come_back()
        assert await soon(lambda: relay.trouble is None)
        assert await published(redis) == ids(1, 600)


async def test_what_is_behind_is_told_with_the_age_of_its_oldest() -> None:
    server = SimulatedServer()
    box = Box(await with_tables(Database.inline_memory()))
    clock = FixedClock(1_000)
    relay = Relay(box.database, box.outbox, streams_of(SimulatedRedis(server)), clock)
    async with running(relay.run()):
        assert await relay.waiting() == Waiting()
        server.go_away()
        await asyncio.sleep(60)
        clock.ns = 2_000
        await box.emit(event(1))
        await asyncio.sleep(60)
        clock.ns = 3_000
        await box.emit(event(2), event(3))
        await asyncio.sleep(60)
        assert await relay.waiting() == Waiting(depth=3, oldest_ns=2_000)
        server.come_back()
        await asyncio.sleep(60)
        assert await relay.waiting() == Waiting()


async def test_what_is_published_in_one_moment_is_marked_by_one_commit() -> None:
    box = Box(await with_tables(Database.inline_memory()))
    redis = SimulatedRedis(SimulatedServer())
    commits: list[None] = []
    box.database.on_commit(lambda: commits.append(None))
    async with running(relay_of(box, redis).run()):
        for i in range(1, 11):
            await box.emit(event(i))
            await asyncio.sleep(0.002)
        await asyncio.sleep(GATHER_S)
        assert await published(redis) == ids(1, 10)
        assert len(commits) == 10
        await asyncio.sleep(1)
        assert len(commits) == 11
        assert await published(redis) == ids(1, 10)
    async with running(relay_of(Box(box.database.crash()), redis).run()):
        await asyncio.sleep(1)
        assert await published(redis) == ids(1, 10)  # All of them were marked.


async def test_the_first_event_goes_out_at_once_and_what_follows_it_together() -> None:
    box = Box(await with_tables(Database.inline_memory()))
    redis = SimulatedRedis(SimulatedServer())
    relay = relay_of(box, redis)
    batches: list[int] = []
    publish = relay.publish

    async def counted() -> int:
        count = await publish()
        batches.extend([count] if count else [])
        return count

    vars(relay)["publish"] = counted
    async with running(relay.run()):
        await box.emit(event(1))
        await asyncio.sleep(0.001)
        assert await published(redis) == ids(1, 1)
        for i in range(2, 11):
            await box.emit(event(i))
            await asyncio.sleep(0.002)
        await asyncio.sleep(GATHER_S)
        assert await published(redis) == ids(1, 10)
    assert batches == [1, 9]


async def test_what_was_published_just_before_redis_went_does_not_wait() -> None:
    server = SimulatedServer()
    box = Box(await with_tables(Database.inline_memory()))
    redis = SimulatedRedis(server)
    relay = relay_of(box, redis)
    async with running(relay.run()):
        await box.emit(*[event(i) for i in range(1, 101)])
        await asyncio.sleep(0.01)
        assert len(await published(redis)) == 100
        server.go_away()
        await box.emit(event(101))
        await asyncio.sleep(2 * GATHER_S)
        assert relay.trouble is not None
        assert (await relay.waiting()).depth == 1


async def test_a_relay_whose_first_cancellation_gets_lost_ends_at_the_next() -> None:
    box = Box(await with_tables(Database.inline_memory()))
    redis = SimulatedRedis(SimulatedServer())
    relay = relay_of(box, redis)
    swallowed = asyncio.Event()

    async def swallow() -> int:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            swallowed.set()
        await asyncio.Event().wait()
        raise AssertionError

    vars(relay)["publish"] = swallow
    tasks = Tasks("box")
    tasks.spawn(relay.run(), name="relay")
    await asyncio.sleep(1)
    async with asyncio.timeout(60):
        await tasks.stop()
    assert swallowed.is_set()


async def test_idle_relay_sleeps_without_a_timer() -> None:
    box = Box(await with_tables(Database.inline_memory()))
    relay = relay_of(box, SimulatedRedis(SimulatedServer()))
    async with running(relay.run()):
        await box.emit(event(1))
        await asyncio.sleep(1)
        with pytest.raises(RuntimeError, match="deadlock"):
            asyncio.get_running_loop().select(None)  # type: ignore[attr-defined]
        timers = asyncio.get_running_loop()._scheduled  # type: ignore[attr-defined]
        assert not [t for t in timers if not t.cancelled()]


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), steps=st.integers(1, 40))
async def test_first_occurrences_keep_the_order_through_crashes(seed: int, steps: int) -> None:
    """Relay and database crash, Redis goes and comes, marks get lost: all by `seed`."""
    rng = random.Random(seed)
    server = SimulatedServer()
    redis = SimulatedRedis(server)
    box = Box(await with_tables(Database.inline_memory()))
    task = asyncio.ensure_future(relay_of(box, redis).run())
    emitted = 0
    for _ in range(steps):
        match rng.randrange(5):
            case 0:
                task.cancel()
                await asyncio.wait([task])
                box = Box(box.database.crash())
                task = asyncio.ensure_future(relay_of(box, redis).run())
            case 1:
                server.go_away()
            case 2:
                server.come_back()
            case 3:
                box.database.faults.commits_to_lose = 1
                await asyncio.sleep(rng.random())
                box.database.faults.commits_to_lose = 0
            case 4:
                count = rng.choice((1, 2, 20, 300))
                await box.emit(*[event(emitted + i + 1) for i in range(count)])
                emitted += count
                await asyncio.sleep(rng.random() / 10)
    server.come_back()
    await asyncio.sleep(30)
    task.cancel()
    await asyncio.wait([task])
    assert list(dict.fromkeys(await published(redis))) == ids(1, emitted)
