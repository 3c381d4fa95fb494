"""The simulated Redis keeps virtual time, repeats exactly, and costs little when idle."""

import asyncio
import time
from typing import Any

import pytest
from redis.exceptions import ConnectionError as RedisAway
from redis.exceptions import OutOfMemoryError, ResponseError, WatchError

from runtime.stores import Database, Relay, StreamConsumer, Subscription
from runtime.stores.simulated_redis import EPOCH_S, SimulatedRedis, SimulatedServer
from runtime.stores.tests.mothers import (
    Box,
    FixedClock,
    event,
    running,
    soon,
    streams_of,
    with_tables,
)


def client(server: SimulatedServer | None = None) -> SimulatedRedis:
    return SimulatedRedis(server or SimulatedServer())


async def test_blocking_group_read_waits_in_virtual_time() -> None:
    redis = client()
    await redis.xgroup_create("s", "g", mkstream=True)
    assert await redis.xreadgroup("g", "c", {"s": ">"}, count=64, block=1_000) == []
    assert asyncio.get_running_loop().time() == pytest.approx(1)


async def test_blocking_group_read_ends_when_an_entry_comes() -> None:
    server = SimulatedServer()
    redis = client(server)
    await redis.xgroup_create("s", "g", mkstream=True)
    read = asyncio.ensure_future(redis.xreadgroup("g", "c", {"s": ">"}, count=64, block=60_000))
    await asyncio.sleep(5)
    await client(server).xadd("other", {"a": 1})
    await asyncio.sleep(5)
    assert not read.done()
    await client(server).xadd("s", {"a": 1})
    answer: Any = await read
    ((stream, entries),) = answer
    assert (stream, [fields for _, fields in entries]) == (b"s", [{b"a": b"1"}])
    assert asyncio.get_running_loop().time() == 10


async def test_those_who_wait_are_woken_in_the_order_they_came() -> None:
    server = SimulatedServer()
    woken: list[int] = []

    async def wait(number: int) -> None:
        await client(server).xread({"s": "$"}, block=0)
        woken.append(number)

    async with running(*[wait(i) for i in range(50)]):
        await asyncio.sleep(1)
        await client(server).xadd("s", {"a": 1})
        assert await soon(lambda: len(woken) == 50)
    assert woken == list(range(50))


async def test_entry_ids_and_idle_times_are_of_virtual_time() -> None:
    redis = client()
    await asyncio.sleep(2.5)
    assert await redis.xadd("s", {"a": 1}) == f"{EPOCH_S * 1_000 + 2_500}-0".encode()
    await redis.xgroup_create("s", "g", id="0")
    await redis.xreadgroup("g", "c", {"s": ">"}, count=1)
    await asyncio.sleep(40)
    (found,) = await redis.xpending_range("s", "g", "-", "+", 10)
    assert found["time_since_delivered"] == 40_000


async def test_pipeline_does_all_or_says_what_failed() -> None:
    redis: Any = client()
    answers = await redis.pipeline().set("a", 1).incr("a").get("a").execute()
    assert answers == [True, 2, b"2"]
    with pytest.raises(ResponseError):
        await redis.pipeline().set("b", "text").incr("b").execute()


async def test_transactions_are_one_step_each_however_slow_the_server_is() -> None:
    server = SimulatedServer()
    server.delay_s = 0.3
    redis: Any = client(server)

    async def push(name: str) -> None:
        await redis.pipeline().rpush("all", f"{name}1").rpush("all", f"{name}2").execute()

    async with running(push("a"), push("b")):
        await asyncio.sleep(1)
    assert await redis.lrange("all", 0, -1) == [b"a1", b"a2", b"b1", b"b2"]
    assert server.delayed == 5


@pytest.mark.parametrize("is_away", [False, True], ids=["key written", "connection broken"])
async def test_a_transaction_has_no_effect_once_what_it_watched_is_not_sure(is_away: bool) -> None:
    server = SimulatedServer()
    redis: Any = client(server)
    async with redis.pipeline() as pipe:
        await pipe.watch("watched")
        assert await pipe.get("watched") is None
        if is_away:
            server.go_away()
            server.come_back()
        else:
            await redis.set("watched", 1)
        pipe.multi()
        pipe.set("other", 1)
        with pytest.raises(WatchError):
            await pipe.execute()
        assert await pipe.set("other", 2).execute() == [True], "it watches nothing any more"
    assert await redis.get("other") == b"2"


async def test_a_transaction_without_memory_for_one_command_does_none() -> None:
    server = SimulatedServer()
    redis: Any = client(server)
    await redis.set("a", 1)
    server.is_full = True
    with pytest.raises(OutOfMemoryError):
        await redis.pipeline().delete("a").set("b", 1).execute()
    assert await redis.get("a") == b"1"


async def test_server_that_goes_away_breaks_those_who_wait_and_keeps_its_data() -> None:
    server = SimulatedServer()
    redis = client(server)
    await redis.xadd("s", {"a": 1})
    waiting = asyncio.ensure_future(redis.xread({"s": "$"}, block=0))
    await asyncio.sleep(1)
    server.go_away()
    with pytest.raises(RedisAway):
        await waiting
    with pytest.raises(RedisAway):
        await redis.ping()
    server.come_back()
    assert await redis.xlen("s") == 1
    server.come_back(with_data=False)
    assert await redis.xlen("s") == 0


async def test_stream_lost_with_its_server_is_read_again_when_republished() -> None:
    server = SimulatedServer()
    redis = client(server)
    seen: list[str] = []

    async def handle(entries: object) -> None:
        found = [e.event_id for e in entries]  # type: ignore[attr-defined]
        seen.extend(event_id for event_id in found if event_id not in seen)

    async def bury(*_: object) -> None:
        raise AssertionError

    consumer = StreamConsumer(streams_of(redis), Subscription("signals", "orders"), handle, bury)
    box = Box(await with_tables(Database.inline_memory()))
    relay = Relay(box.database, box.outbox, streams_of(redis), FixedClock())
    async with running(consumer.run(), relay.run()):
        await box.emit(event(1))
        assert await soon(lambda: seen == ["event-1"])
        server.go_away()
        await asyncio.sleep(1)
        server.come_back(with_data=False)
        await box.emit(event(2))
        assert await soon(lambda: seen == ["event-1", "event-2"])


async def test_idle_hour_of_a_whole_platform_costs_less_than_a_second() -> None:
    """Five consumers and eight relays wait for an hour of virtual time.

    The bound is real time: an idle platform must not be what a simulated day is spent on.
    """
    server = SimulatedServer()

    async def nothing(*_: object) -> None:
        pass

    consumers = [
        StreamConsumer(
            streams_of(client(server)), Subscription("signals", f"group-{i}"), nothing, nothing
        )
        for i in range(5)
    ]
    boxes = [Box(await with_tables(Database.inline_memory())) for _ in range(8)]
    relays = [Relay(b.database, b.outbox, streams_of(client(server)), FixedClock()) for b in boxes]
    async with running(*[c.run() for c in consumers], *[r.run() for r in relays]):
        await asyncio.sleep(10)
        began_s = time.process_time()
        await asyncio.sleep(3_600 / 5)  # A fifth of it, for each of five consumers.
        spent_s = time.process_time() - began_s
    assert spent_s < 1
