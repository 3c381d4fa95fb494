from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from runtime.stores import trim_acknowledged
from runtime.stores.tests.mothers import SIGNALS as KEY
from runtime.stores.tests.mothers import simulated_redis, streams_of, valkey
from runtime.stores.trimming import Trimmed


async def filled(redis: Redis, count: int = 10) -> list[Any]:
    return [await redis.xadd(KEY, {"n": i}) for i in range(count)]


async def read(redis: Redis, group: str, count: int) -> None:
    await redis.xreadgroup(group, "c", {KEY: ">"}, count=count)


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
