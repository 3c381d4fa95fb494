"""A watch resumes without a gap, tells that it lives, and never skips (O7)."""

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

import pytest
from grpc import StatusCode
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.errors import ErrorInfo, ServiceError
from runtime.watch import BUFFER_SIZE, Delivery, Feed


class Journal:
    """A store of texts with sequences, and the feed of its service."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, str]] = []
        self.feed: Feed[str] = Feed("notes")
        self.loads = 0

    def commit(self, count: int = 1) -> list[int]:
        first = len(self.rows) + 1
        self.rows += [(i, f"note {i}") for i in range(first, first + count)]
        return list(range(first, first + count))

    def publish(self, count: int = 1) -> None:
        for sequence in self.commit(count):
            self.feed.publish(sequence, f"note {sequence}")

    async def load(self, after: int, limit: int) -> Sequence[tuple[int, str]]:
        self.loads += 1
        await asyncio.sleep(0.001)
        start = max(0, after + 1 - self.rows[0][0]) if self.rows else 0
        return self.rows[start : start + limit]

    def watch(self, after: int = 0) -> AsyncGenerator[Delivery[str], None]:
        return self.feed.watch(after, self.load)


async def take(watch: AsyncGenerator[Delivery[str], None], count: int) -> list[int]:
    """Return the sequences of the next `count` items."""
    found: list[int] = []
    while len(found) < count:
        delivery = await anext(watch)
        if delivery.item is not None:
            assert delivery.item == f"note {delivery.sequence}"
            found.append(delivery.sequence)
    return found


async def take_all(watch: AsyncGenerator[Delivery[str], None], received: list[int]) -> None:
    async for delivery in watch:
        if delivery.item is not None:
            received.append(delivery.sequence)


async def test_first_message_is_a_heartbeat_with_the_current_sequence() -> None:
    journal = Journal()
    journal.publish(5)
    watch = journal.watch(after=3)
    assert await anext(watch) == Delivery(5, None)
    assert await take(watch, 2) == [4, 5]


async def test_idle_watch_beats_every_second() -> None:
    journal = Journal()
    watch = journal.watch()
    beats = [await anext(watch) for _ in range(4)]
    assert beats == [Delivery(0, None)] * 4
    assert asyncio.get_running_loop().time() == 3


async def test_item_comes_at_once_and_postpones_the_heartbeat() -> None:
    journal = Journal()
    watch = journal.watch()
    await anext(watch)
    asyncio.get_running_loop().call_later(0.7, journal.publish)
    assert await anext(watch) == Delivery(1, "note 1")
    assert asyncio.get_running_loop().time() == pytest.approx(0.7)
    assert await anext(watch) == Delivery(1, None)
    assert asyncio.get_running_loop().time() == pytest.approx(1.7)


async def test_filter_hides_items_but_not_the_heartbeat() -> None:
    journal = Journal()
    watch = journal.feed.watch(0, journal.load, lambda item: item == "note 30")
    await anext(watch)
    loop = asyncio.get_running_loop()
    for i in range(29):
        loop.call_later(0.15 * (i + 1), journal.publish)
    beats = [await anext(watch) for _ in range(2)]
    assert [(b.item, b.sequence) for b in beats] == [(None, 6), (None, 13)]
    journal.publish(10)
    assert (await anext(watch)).item is None
    assert (await anext(watch)).sequence == 30


async def test_old_items_come_from_the_store_and_new_ones_from_memory() -> None:
    journal = Journal()
    journal.publish(5_000)
    watch = journal.watch(after=10)
    assert await take(watch, 4_990) == list(range(11, 5_001))
    loads = journal.loads
    journal.publish(500)
    assert await take(watch, 500) == list(range(5_001, 5_501))
    assert journal.loads == loads


async def test_slow_subscriber_is_cut_off_and_told_where_to_resume() -> None:
    journal = Journal()
    watch = journal.watch()
    journal.publish(10)
    await take(watch, 10)
    idle = asyncio.ensure_future(anext(watch))  # Caught up: it is live now.
    await asyncio.sleep(0)
    journal.publish(BUFFER_SIZE)
    assert await idle == Delivery(11, "note 11")
    journal.publish(100)
    received = [11]
    with pytest.raises(ServiceError, match="watch again") as caught:
        await take_all(watch, received)
    info = caught.value.detail(ErrorInfo)
    assert info is not None
    assert (caught.value.code, info.reason) == (
        StatusCode.RESOURCE_EXHAUSTED,
        "SLOW_SUBSCRIBER",
    )
    assert info.metadata["last_sequence"] == str(received[-1])
    again = journal.watch(after=received[-1])
    received += await take(again, len(journal.rows) - received[-1])
    assert received == list(range(11, len(journal.rows) + 1))


async def test_start_older_than_what_is_kept_is_out_of_range() -> None:
    journal = Journal()
    journal.publish(3_000)
    journal.rows = journal.rows[1_000:]
    with pytest.raises(ServiceError, match="older than what is kept") as unsaid:
        await take(journal.watch(after=999), 1)
    journal.feed.forget_until(1_000)
    with pytest.raises(ServiceError, match="older than what is kept") as said:
        await anext(journal.watch(after=999))
    assert unsaid.value.code is said.value.code is StatusCode.OUT_OF_RANGE
    assert await take(journal.watch(after=1_000), 1) == [1_001]


async def test_start_in_the_future_is_out_of_range_unless_just_committed() -> None:
    journal = Journal()
    journal.publish(3)
    with pytest.raises(ServiceError, match="has not happened yet"):
        await anext(journal.watch(after=4))
    journal.commit()  # Listed by a client before it is published.
    watch = journal.watch(after=4)
    await anext(watch)
    journal.feed.publish(4, "note 4")
    journal.publish()
    assert await take(watch, 1) == [5]


async def test_two_writers_may_publish_the_wrong_way_round() -> None:
    journal = Journal()
    watch = journal.watch()
    await anext(watch)
    journal.commit(3)
    for sequence in (3, 2, 2, 1, 1):
        journal.feed.publish(sequence, f"note {sequence}")
    assert await take(watch, 3) == [1, 2, 3]


async def test_item_whose_commit_was_in_doubt_is_looked_up_at_once() -> None:
    journal = Journal()
    watch = journal.watch()
    await anext(watch)
    journal.commit()  # The answer was lost, so nobody published it.
    asyncio.get_running_loop().call_later(0.5, journal.feed.doubt)
    assert await take(watch, 1) == [1]
    assert asyncio.get_running_loop().time() < 0.6
    journal.publish()
    assert await take(watch, 1) == [2]


async def test_item_that_was_never_published_is_looked_up_when_later_ones_wait() -> None:
    journal = Journal()
    watch = journal.watch()
    await anext(watch)
    journal.commit()
    journal.publish(3)
    assert await take(watch, 4) == [1, 2, 3, 4]
    assert asyncio.get_running_loop().time() < 1.1


async def test_item_that_was_never_published_does_not_fill_the_memory() -> None:
    journal = Journal()
    journal.commit()
    journal.publish(3 * BUFFER_SIZE)
    assert journal.feed.sequence == len(journal.rows)
    assert len(journal.feed._early) == 0
    assert await take(journal.watch(), len(journal.rows)) == [row[0] for row in journal.rows]


async def test_closing_the_feed_ends_every_watch() -> None:
    journal = Journal()
    watch = journal.watch()
    await anext(watch)
    asyncio.get_running_loop().call_later(0.5, journal.feed.close)
    with pytest.raises(StopAsyncIteration):
        await anext(watch)


async def test_watch_that_is_left_leaves_nothing_behind() -> None:
    journal = Journal()
    watching = asyncio.ensure_future(anext(watch := journal.watch()))
    await watching
    waiting = asyncio.ensure_future(anext(watch))
    await asyncio.sleep(0.5)
    waiting.cancel()
    await asyncio.wait([waiting])
    assert journal.feed._waiting == []
    await watch.aclose()


async def test_idle_hour_of_five_watches_costs_less_than_a_second() -> None:
    """The bound is real time: five watches beat 18,000 times in an hour of virtual time."""
    journal = Journal()

    async def follow() -> None:
        async for _ in journal.watch():
            pass

    tasks = [asyncio.ensure_future(follow()) for _ in range(5)]
    began_s = time.process_time()
    await asyncio.sleep(3_600)
    spent_s = time.process_time() - began_s
    journal.feed.close()
    await asyncio.wait(tasks)
    assert spent_s < 1


async def read_for_a_while(journal: Journal, seen: list[int], rng: random.Random) -> None:
    after = seen[-1] if seen else 0
    async with asyncio.timeout(rng.random() * 5), aclosing(journal.watch(after)) as watch:
        for _ in range(rng.randrange(1, 2_000)):
            delivery = await anext(watch)
            seen += [delivery.sequence] if delivery.item is not None else []
            if rng.random() < 0.01:
                await asyncio.sleep(rng.random())


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32), actions=st.integers(1, 30), start=st.integers(0, 30))
async def test_watcher_sees_every_item_once_in_order(seed: int, actions: int, start: int) -> None:
    """Publishers race, the watcher is slow, is cut off, leaves and comes back: all by `seed`."""
    rng = random.Random(seed)
    journal = Journal()
    journal.publish(start)
    seen: list[int] = []

    async def follow_again() -> None:
        while True:
            try:
                await read_for_a_while(journal, seen, rng)
            except TimeoutError:
                await asyncio.sleep(rng.random())
            except ServiceError as error:
                if error.code is not StatusCode.RESOURCE_EXHAUSTED:
                    raise

    following = asyncio.ensure_future(follow_again())
    for _ in range(actions):
        count = rng.choice((1, 1, 2, 10, 300, 1_500))
        sequences = journal.commit(count)
        early = rng.sample(sequences[:50], len(sequences[:50]))
        sequences[:50] = early
        for sequence in sequences:
            if rng.random() < 0.001:  # The answer of its commit is lost.
                journal.feed.doubt()
            elif rng.random() > 0.001:  # Else forgotten: the next one shows that it is missing.
                journal.feed.publish(sequence, f"note {sequence}")
        await asyncio.sleep(rng.random() * 2)
    journal.publish()
    await asyncio.sleep(600)
    following.cancel()
    with pytest.raises(asyncio.CancelledError):
        await following
    assert seen == list(range(1, len(journal.rows) + 1))
