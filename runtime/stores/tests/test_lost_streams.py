"""What Redis loses is published again by itself, in order, and only what somebody still needs."""

import asyncio
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from runtime.naming import identity_of
from runtime.stores import Database, Relay, Streams
from runtime.stores.outbox import ROWS_MAX
from runtime.stores.retention import EVERY_S, UNREAD_MAX
from runtime.stores.simulated_redis import SimulatedRedis, SimulatedServer
from runtime.stores.tests.chains import Chain, ids, producer, restore, snapshot
from runtime.stores.tests.mothers import (
    OUTBOX,
    SIGNALS,
    Box,
    FixedClock,
    event,
    running,
    with_tables,
)


async def test_acknowledged_by_all_is_trimmed_and_forgotten() -> None:
    chain = await Chain.made()
    orders, risk = chain.readers
    async with running(chain.relay.run()):
        async with running(orders.consumer.run()):
            await chain.emit(1, 3_000)
            await asyncio.sleep(3 * EVERY_S)
        assert list(orders.seen) == ids(1, 3_000)
        assert len(await chain.on_stream()) == len(await chain.in_outbox()) == 3_000
        async with running(risk.consumer.run()):
            await asyncio.sleep(3 * EVERY_S)
        assert await chain.on_stream() == await chain.in_outbox() == []
        await chain.emit(3_001, 3_001)
        await asyncio.sleep(1)
        assert await chain.on_stream() == [3_001]


async def test_relay_with_nothing_left_to_keep_sleeps_without_a_timer() -> None:
    chain = await Chain.made()
    async with running(chain.relay.run()):
        async with running(*[reader.consumer.run() for reader in chain.readers]):
            await chain.emit(1, 3)
            await asyncio.sleep(3 * EVERY_S)
        timers = asyncio.get_running_loop()._scheduled  # type: ignore[attr-defined]
        assert not [timer for timer in timers if not timer.cancelled()]


async def test_reader_that_has_not_begun_holds_back_trimming() -> None:
    chain = await Chain.made()
    async with running(chain.relay.run(), chain.readers[0].consumer.run()):
        await chain.emit(1, 5)
        await asyncio.sleep(10 * EVERY_S)
        assert await chain.on_stream() == await chain.in_outbox() == [1, 2, 3, 4, 5]


async def unread() -> tuple[SimulatedRedis, Box, Relay]:
    """Return Redis, an outbox and its relay, of a stream that nobody must read."""
    redis = SimulatedRedis(SimulatedServer())
    box = Box(await with_tables(Database.inline_memory()))
    streams = Streams(redis, identity_of("strategy"), readers={"signals": ()})
    return redis, box, Relay(box.database, box.outbox, streams, FixedClock())


async def test_stream_that_nobody_reads_is_cut_to_its_newest() -> None:
    redis, box, relay = await unread()
    async with running(relay.run()):
        for i in range(0, UNREAD_MAX + 500, 500):
            await box.emit(*[event(i + k + 1) for k in range(500)])
        await asyncio.sleep(3 * EVERY_S)
    assert UNREAD_MAX <= await redis.xlen(SIGNALS) <= UNREAD_MAX + 100
    assert await box.database.read(lambda tx: tx.execute(select(OUTBOX.c.id)).all()) == []


async def test_what_a_replica_lacked_of_a_stream_that_nobody_reads_is_published_again() -> None:
    """It takes over right before the relay tidies up, and before it looks at its streams."""
    redis, box, relay = await unread()
    async with running(relay.run()):
        await box.emit(event(1), event(2))
        await asyncio.sleep(EVERY_S - 1)
        older = await snapshot(redis)
        await box.emit(event(3))
        await asyncio.sleep(1)
        await restore(redis, older)
        await asyncio.sleep(3 * EVERY_S)
    found: Any = await redis.xrange(SIGNALS)
    assert [int(fields[b"sequence"]) for _, fields in found] == [1, 2, 3]


async def test_lost_stream_is_published_again_by_an_idle_relay() -> None:
    chain = await Chain.made()
    async with running(chain.relay.run()):
        await chain.emit(1, ROWS_MAX + 50)
        await asyncio.sleep(1)
        chain.server.come_back(with_data=False)
        await asyncio.sleep(5)
        assert await chain.on_stream() == list(range(1, ROWS_MAX + 51))
        async with running(*[reader.consumer.run() for reader in chain.readers]):
            await asyncio.sleep(5)
        assert [list(reader.seen) for reader in chain.readers] == [ids(1, ROWS_MAX + 50)] * 2


async def test_what_is_lost_comes_before_anything_new() -> None:
    chain = await Chain.made()
    async with running(chain.relay.run()):
        await chain.emit(1, 5)
        await asyncio.sleep(1)
        chain.server.come_back(with_data=False)
        await chain.emit(6, 9)
        await asyncio.sleep(5)
        assert await chain.on_stream() == list(range(1, 10))


async def test_end_of_a_stream_that_is_lost_is_published_again() -> None:
    chain = await Chain.made()
    async with running(chain.relay.run()):
        await chain.emit(1, 5)
        await asyncio.sleep(1)
        older = await snapshot(chain.redis)
        await chain.emit(6, 9)
        await asyncio.sleep(1)
        await restore(chain.redis, older)
        assert await chain.on_stream() == [1, 2, 3, 4, 5]
        await chain.emit(10, 12)
        await asyncio.sleep(5)
        assert await chain.on_stream() == list(range(1, 13))


@pytest.mark.parametrize("tenths", range(1, 10))
async def test_end_that_is_lost_while_more_is_on_its_way_is_published_again(tenths: int) -> None:
    """However far the relay has come: it has looked what is missing, and adds what is new."""
    chain = await Chain.made()
    async with running(chain.relay.run()):
        await chain.emit(1, 5)
        await asyncio.sleep(1)
        older = await snapshot(chain.redis)
        await chain.emit(6, 9)
        await asyncio.sleep(1)
        chain.server.delay_s = 0.3
        await chain.emit(10, 12)
        await asyncio.sleep(tenths / 10)
        chain.server.delay_s = 0.0
        await restore(chain.redis, older)
        await asyncio.sleep(5)
        assert await chain.on_stream() == list(range(1, 13))


async def test_what_everybody_has_is_not_published_again() -> None:
    chain = await Chain.made()
    async with running(chain.relay.run()):
        async with running(*[reader.consumer.run() for reader in chain.readers]):
            await chain.emit(1, 5)
            await asyncio.sleep(3 * EVERY_S)
        await chain.emit(6, 7)
        await asyncio.sleep(1)
        chain.server.come_back(with_data=False)
        await asyncio.sleep(5)
        assert await chain.on_stream() == [6, 7]


async def test_relay_that_starts_after_the_loss_finds_it() -> None:
    chain = await Chain.made()
    async with running(chain.relay.run()):
        await chain.emit(1, 5)
        await asyncio.sleep(1)
    chain.server.come_back(with_data=False)
    async with running(chain.restart().run()):
        await asyncio.sleep(1)
        assert await chain.on_stream() == [1, 2, 3, 4, 5]


async def test_stream_deleted_by_hand_is_published_again() -> None:
    chain = await Chain.made()
    async with running(chain.relay.run()):
        await chain.emit(1, 5)
        await asyncio.sleep(1)
        await chain.redis.delete(SIGNALS)
        async with running(*[reader.consumer.run() for reader in chain.readers]):
            await asyncio.sleep(5)
        assert [list(reader.seen) for reader in chain.readers] == [ids(1, 5)] * 2


async def test_second_relay_of_an_outbox_does_not_come_in_between() -> None:
    """A batch that was watched by one relay and sent after another's is refused by Redis."""
    chain = await Chain.made()
    other = Relay(chain.box.database, chain.box.outbox, producer(chain.redis), FixedClock())
    async with running(chain.relay.run(), other.run()):
        for i in range(1, 200):
            await chain.emit(i, i)
            await asyncio.sleep(0.001)
        await asyncio.sleep(5)
        found = await chain.on_stream()
    assert list(dict.fromkeys(found)) == list(range(1, 200))


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32))
async def test_nothing_unread_is_ever_trimmed_or_forgotten(seed: int) -> None:
    """Readers come and go, Redis loses all or its newest, the relay crashes: all by `seed`."""
    rng = random.Random(seed)
    chain = await Chain.made()
    relay = asyncio.ensure_future(chain.relay.run())
    reading: dict[int, asyncio.Task[None]] = {}
    emitted, older = 0, await snapshot(chain.redis)
    for _ in range(rng.randrange(5, 30)):
        match rng.randrange(8):
            case 0:
                relay.cancel()
                await asyncio.wait([relay])
                relay = asyncio.ensure_future(chain.restart().run())
            case 1:
                chain.server.come_back(with_data=False)
                older = await snapshot(chain.redis)
            case 2:
                older = await snapshot(chain.redis)
            case 3:
                await restore(chain.redis, older)
            case 4 | 5:
                await turn(reading, rng.randrange(2), chain)
            case _:
                count = rng.choice((1, 2, 30))
                await chain.emit(emitted + 1, emitted + count)
                emitted += count
        await asyncio.sleep(rng.choice((0.01, 1.5, 1.1 * EVERY_S)))
    for which in (0, 1):
        if which not in reading:
            await turn(reading, which, chain)
    await asyncio.sleep(2 * EVERY_S)
    await chain.emit(emitted + 1, emitted + 1)  # What an older Redis brought back goes with it.
    await asyncio.sleep(3 * EVERY_S)
    for task in (relay, *reading.values()):
        task.cancel()
        await asyncio.wait([task])
    assert [sorted(r.seen) for r in chain.readers] == [sorted(ids(1, emitted + 1))] * 2
    assert await chain.on_stream() == await chain.in_outbox() == []


async def turn(reading: dict[int, asyncio.Task[None]], which: int, chain: Chain) -> None:
    """Let a reader come, or go if it is there."""
    if (task := reading.pop(which, None)) is not None:
        task.cancel()
        await asyncio.wait([task])
    else:
        reading[which] = asyncio.ensure_future(chain.readers[which].consumer.run())
