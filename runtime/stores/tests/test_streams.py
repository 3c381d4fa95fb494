import random
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from runtime.stores import trim_acknowledged
from runtime.stores.tests.chains import READERS, producer
from runtime.stores.tests.mothers import SIGNALS as KEY
from runtime.stores.tests.mothers import simulated_redis, streams_of, valkey
from runtime.stores.trimming import Trimmed


async def filled(redis: Redis, count: int = 10) -> list[Any]:
    return [await redis.xadd(KEY, {"n": i}) for i in range(count)]


async def read(redis: Redis, group: str, count: int) -> None:
    await redis.xreadgroup(group, "c", {KEY: ">"}, count=count)


async def trims_only_what_all_have(redis: Redis, rng: random.Random) -> None:
    """Add, read, acknowledge and trim by chance; raise when an entry goes that a group lacks."""
    added: list[bytes] = []
    acknowledged: dict[str, set[bytes]] = {}
    for _ in range(rng.randrange(5, 60)):
        group = rng.choice(READERS["signals"])
        match rng.randrange(4):
            case 0:
                entry_id: Any = await redis.xadd(KEY, {"sequence": len(added) + 1})
                added.append(entry_id)
            case 1:
                if group not in acknowledged:
                    await redis.xgroup_create(KEY, group, id="0", mkstream=True)
                    acknowledged[group] = set()
            case 2:
                await read_some(redis, group, acknowledged, rng)
            case 3:
                await trim_acknowledged(producer(redis), "signals")
                left: Any = await redis.xrange(KEY)
                gone = set(added) - {entry_id for entry_id, _ in left}
                assert not gone or len(acknowledged) == 2
                assert all(gone <= done for done in acknowledged.values())


async def read_some(
    redis: Redis, group: str, acknowledged: dict[str, set[bytes]], rng: random.Random
) -> None:
    if group not in acknowledged:
        return
    found: Any = await redis.xreadgroup(group, "0", {KEY: rng.choice((">", "0"))}, count=5)
    for _, entries in found or ():
        done = [entry_id for entry_id, _ in entries if rng.random() < 0.7]
        if done:
            await redis.xack(KEY, group, *done)
            acknowledged[group] |= set(done)


class TrimSuite:
    def redis(self, directory: Path) -> AbstractAsyncContextManager[Redis]:
        raise NotImplementedError

    async def test_only_what_every_group_acknowledged_is_trimmed(self, tmp_path: Path) -> None:
        async with self.redis(tmp_path) as redis:
            ids = await filled(redis)
            for group in ("orders", "risk"):
                await redis.xgroup_create(KEY, group, id="0")
            await read(redis, "orders", 8)
            await redis.xack(KEY, "orders", *ids[:8])
            assert (
                await trim_acknowledged(streams_of(redis), "signals")
            ).removed == 0  # Risk has read nothing.
            await read(redis, "risk", 6)
            await redis.xack(KEY, "risk", *ids[:3], ids[5])  # 3 and 4 are unfinished.
            assert (await trim_acknowledged(streams_of(redis), "signals")).removed == 3
            await redis.xack(KEY, "risk", *ids[3:5])
            assert (await trim_acknowledged(streams_of(redis), "signals")).removed == 3
            assert await redis.xlen(KEY) == 4

    async def test_stream_made_anew_says_nothing_of_what_was_on_it(self, tmp_path: Path) -> None:
        async with self.redis(tmp_path) as redis:
            streams = streams_of(redis)
            await redis.hset(streams.marks, "signals", "9")
            await redis.xgroup_create(KEY, "orders", id="0", mkstream=True)
            assert await trim_acknowledged(streams, "signals") == Trimmed(0, 0)

    async def test_no_entry_goes_that_some_group_lacks(self, tmp_path: Path) -> None:
        async with self.redis(tmp_path) as redis:
            for seed in range(60):
                await redis.flushall()
                await trims_only_what_all_have(redis, random.Random(seed))

    async def test_stream_nobody_reads_keeps_everything(self, tmp_path: Path) -> None:
        async with self.redis(tmp_path) as redis:
            assert (await trim_acknowledged(streams_of(redis), "signals")).removed == 0
            await filled(redis)
            assert (await trim_acknowledged(streams_of(redis), "signals")).removed == 0


class TestSimulated(TrimSuite):
    def redis(self, directory: Path) -> AbstractAsyncContextManager[Redis]:
        return simulated_redis()


@pytest.mark.real_time
class TestValkey(TrimSuite):
    def redis(self, directory: Path) -> AbstractAsyncContextManager[Redis]:
        return valkey(directory)
