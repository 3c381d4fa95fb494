"""Entries have their effect once, in order per key, whatever fails: over both Redises."""

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
from grpc import StatusCode
from redis.asyncio import Redis

from runtime.errors import ServiceError, unsent
from runtime.stores import Entry, StreamConsumer, Subscription, membership
from runtime.stores.tests.mothers import SIGNALS, running, simulated_redis, soon, streams_of, valkey

ORDERS = Subscription("signals", "orders")
KEYS = [f"KEY-{i}" for i in range(40)]


class Reader:
    """A service that notes what it handled, and fails as told."""

    def __init__(self, redis: Redis, subscription: Subscription = ORDERS) -> None:
        self.handled: list[Entry] = []
        self.dead: list[str] = []
        self.attempts: list[list[str]] = []
        self.errors: dict[str, Exception] = {}
        self.gate = asyncio.Event()
        self.gate.set()
        self.consumer = StreamConsumer(streams_of(redis), subscription, self.handle, self.bury)

    async def handle(self, entries: Sequence[Entry]) -> None:
        self.attempts.append([e.event_id for e in entries])
        await self.gate.wait()
        for entry in entries:
            if entry.event_id in self.errors:
                raise self.errors[entry.event_id]
        self.handled += entries

    async def bury(self, entry: Entry, error: Exception) -> None:
        self.dead.append(f"{entry.event_id}: {error!r}")

    @property
    def ids(self) -> list[str]:
        return [entry.event_id for entry in self.handled]


async def add(redis: Redis, sequence: int, key: str = "ALPHA") -> None:
    await redis.xadd(
        SIGNALS,
        {
            "event_id": f"event-{sequence}",
            "type": "Signal",
            "key": key,
            "sequence": sequence,
            "payload": b"\x00\xff%d" % sequence,
            "traceparent": "",
        },
    )


async def pending(redis: Redis) -> int:
    summary: Any = await redis.xpending(SIGNALS, "orders")
    return int(summary["pending"])


async def all_acknowledged(redis: Redis) -> bool:
    for _ in range(2_000):
        if not await pending(redis):
            return True
        await asyncio.sleep(0.005)
    return False


class ConsumerSuite:
    def redis(self, directory: Path) -> AbstractAsyncContextManager[Redis]:
        raise NotImplementedError

    async def test_every_entry_is_handled_and_acknowledged(self, tmp_path: Path) -> None:
        async with self.redis(tmp_path) as redis:
            await add(redis, 1)  # Before anybody reads.
            reader = Reader(redis)
            async with running(reader.consumer.run()):
                assert await soon(lambda: reader.ids == ["event-1"])
                for i in range(2, 301):
                    await add(redis, i, KEYS[i % 40])
                assert await soon(lambda: len(reader.ids) == 300)
                assert await all_acknowledged(redis)
            assert reader.handled[0] == Entry(
                reader.handled[0].entry_id, "event-1", "Signal", "ALPHA", 1, b"\x00\xff1", ""
            )
            for key in KEYS:
                sequences = [e.sequence for e in reader.handled if e.key == key]
                assert sequences == sorted(sequences)

    async def test_what_arrives_during_work_is_handled_together(self, tmp_path: Path) -> None:
        async with self.redis(tmp_path) as redis:
            reader = Reader(redis)
            async with running(reader.consumer.run()):
                reader.gate.clear()
                await add(redis, 1)
                assert await soon(lambda: len(reader.attempts) == 1)
                for i in range(2, 20):
                    await add(redis, i)
                await asyncio.sleep(0.1)
                reader.gate.set()
                assert await soon(lambda: len(reader.ids) == 19)
            assert [len(a) for a in reader.attempts] == [1, 18]

    async def test_unfinished_entries_of_a_crashed_member_come_first(self, tmp_path: Path) -> None:
        async with self.redis(tmp_path) as redis:
            crashed = Reader(redis)
            crashed.gate.clear()
            for i in range(1, 101):
                await add(redis, i)
            async with running(crashed.consumer.run()):
                assert await soon(lambda: len(crashed.attempts) == 1)
                await asyncio.sleep(0.1)
            assert crashed.ids == []
            await add(redis, 101)
            successor = Reader(redis)
            async with running(successor.consumer.run()):
                assert await soon(lambda: len(successor.ids) == 101)
                assert await all_acknowledged(redis)
            assert [e.sequence for e in successor.handled] == list(range(1, 102))

    async def test_entries_of_a_member_that_never_returns_are_taken_over(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(membership, "CLAIM_IDLE_MS", 20)
        async with self.redis(tmp_path) as redis:
            gone = Reader(redis, Subscription("signals", "orders", "gone"))
            gone.gate.clear()
            await add(redis, 1)
            async with running(gone.consumer.run()):
                assert await soon(lambda: len(gone.attempts) == 1)
            await asyncio.sleep(0.05)
            other = Reader(redis)
            async with running(other.consumer.run()):
                assert await soon(lambda: other.ids == ["event-1"])
                assert await all_acknowledged(redis)

    async def test_all_of_a_member_that_never_returns_is_taken_over_at_once(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Also what comes after many entries that this member itself is at."""
        monkeypatch.setattr(membership, "CLAIM_IDLE_MS", 20)
        async with self.redis(tmp_path) as redis:
            own = Reader(redis)
            own.gate.clear()
            await redis.xgroup_create(SIGNALS, "orders", id="0", mkstream=True)
            for member, first in (("0", 1), ("gone", 101)):
                for i in range(first, first + 100):
                    await add(redis, i, KEYS[i % 40])
                await redis.xreadgroup("orders", member, {SIGNALS: ">"}, count=100)
            await asyncio.sleep(0.05)
            async with running(own.consumer.run()):
                assert await soon(lambda: len(own.attempts) > 0)
                await asyncio.sleep(0.1)
                own.gate.set()
                assert await soon(lambda: len(own.ids) == 200, within_s=5)
                assert await all_acknowledged(redis)

    async def test_payload_that_always_fails_is_a_dead_letter_after_five_deliveries(
        self, tmp_path: Path
    ) -> None:
        async with self.redis(tmp_path) as redis:
            reader = Reader(redis)
            reader.errors["event-2"] = ValueError("no instrument")
            for i in (1, 2, 3):
                await add(redis, i)
            async with running(reader.consumer.run()):
                assert await soon(lambda: len(reader.ids) == 2)
                assert await all_acknowledged(redis)
            assert reader.ids == ["event-1", "event-3"]
            assert reader.dead == ["event-2: ValueError('no instrument')"]
            assert reader.attempts.count(["event-2"]) == 5

    async def test_entry_no_relay_made_is_a_dead_letter(self, tmp_path: Path) -> None:
        async with self.redis(tmp_path) as redis:
            await redis.xadd(SIGNALS, {"rubbish": b"\xff\xfe"})
            reader = Reader(redis)
            async with running(reader.consumer.run()):
                assert await soon(lambda: len(reader.dead) == 1)
                assert await all_acknowledged(redis)
            assert "only relays may add here" in reader.dead[0]
            assert reader.attempts == []


class TestSimulated(ConsumerSuite):
    def redis(self, directory: Path) -> AbstractAsyncContextManager[Redis]:
        return simulated_redis()


@pytest.mark.real_time
class TestValkey(ConsumerSuite):
    def redis(self, directory: Path) -> AbstractAsyncContextManager[Redis]:
        return valkey(directory)

    async def test_cancelling_always_ends_it(self, tmp_path: Path) -> None:
        """Without `stop_if_cancelled` one of twenty cancellations was swallowed by wait_for."""
        async with self.redis(tmp_path) as redis:
            for turns in range(100):
                reading = asyncio.ensure_future(Reader(redis).consumer.run())
                await add(redis, turns)
                for _ in range(turns % 30):
                    await asyncio.sleep(0)
                reading.cancel()
                _, hung = await asyncio.wait([reading], timeout=5)
                assert not hung


@pytest.mark.parametrize(
    "code",
    [StatusCode.UNAVAILABLE, StatusCode.UNKNOWN, StatusCode.DEADLINE_EXCEEDED, StatusCode.ABORTED],
)
async def test_unavailable_dependency_is_never_poison(code: StatusCode) -> None:
    async with simulated_redis() as redis:
        reader = Reader(redis)
        reader.errors["event-1"] = ServiceError(code, "risk is away")
        for i in (1, 2):
            await add(redis, i)
        async with running(reader.consumer.run()):
            await asyncio.sleep(600)
            assert (reader.ids, reader.dead) == ([], [])
            reader.errors.clear()
            assert await soon(lambda: len(reader.ids) == 2)
            assert await all_acknowledged(redis)
        assert reader.ids == ["event-1", "event-2"]


async def test_a_call_that_a_breaker_refuses_is_never_poison() -> None:
    async with simulated_redis() as redis:
        reader = Reader(redis)
        reader.errors["event-1"] = unsent(
            StatusCode.UNAVAILABLE,
            "BREAKER_OPEN",
            "risk is silent",
            service="risk",
            retry_after_s=9,
        )
        await add(redis, 1)
        async with running(reader.consumer.run()):
            await asyncio.sleep(600)
            assert (reader.ids, reader.dead) == ([], [])
            reader.errors.clear()
            assert await soon(lambda: reader.ids == ["event-1"])


async def test_a_key_that_waits_holds_up_no_other() -> None:
    async with simulated_redis() as redis:
        reader = Reader(redis)
        reader.errors["event-1"] = ServiceError(StatusCode.UNAVAILABLE, "away")
        async with running(reader.consumer.run()):
            for number, key in enumerate(3 * KEYS, 1):
                await add(redis, number, key)
            others = 3 * (len(KEYS) - 1)
            assert await soon(lambda: len(reader.ids) == others)
            assert all(entry.key != KEYS[0] for entry in reader.handled)


async def test_own_entry_in_hand_for_long_is_not_taken_over_from_oneself() -> None:
    async with simulated_redis() as redis:
        reader = Reader(redis)
        reader.gate.clear()
        await add(redis, 1)
        async with running(reader.consumer.run()):
            await asyncio.sleep(120)
            found: Any = await redis.xpending_range(SIGNALS, "orders", "-", "+", 9)
            assert [entry["times_delivered"] for entry in found] == [1]
            reader.gate.set()
            assert await soon(lambda: reader.ids == ["event-1"])
        assert reader.attempts == [["event-1"]]
