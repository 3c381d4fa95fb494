import asyncio
import random
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain

import pytest
from grpc import StatusCode

from runtime.errors import ServiceError, refusal
from runtime.follow import Following, follow
from runtime.stores import StoreError


@dataclass
class Item:
    sequence: int
    is_heartbeat: bool = False


Watch = Callable[[int], AsyncGenerator[Item, None]]


async def read(watch: Watch, *, count: int, slow_s: float = 0.0) -> list[list[int]]:
    """Return the batches, until `count` messages were taken."""
    batches: list[list[int]] = []
    done = asyncio.Event()

    async def take(batch: Sequence[Item]) -> None:
        await asyncio.sleep(slow_s)
        batches.append([item.sequence for item in batch])
        if sum(map(len, batches)) >= count:
            done.set()

    following = Following("items", watch, take)
    task = asyncio.create_task(follow(following, after=0, rng=random.Random(1)))
    waiter = asyncio.create_task(done.wait())
    await asyncio.wait([task, waiter], return_when=asyncio.FIRST_COMPLETED)
    waiter.cancel()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    return batches


async def test_what_arrives_while_a_batch_is_committed_comes_as_one_batch() -> None:
    async def watch(after: int) -> AsyncGenerator[Item, None]:
        for sequence in range(after + 1, 11):
            yield Item(sequence)
        await asyncio.sleep(100)

    batches = await read(watch, count=10, slow_s=0.1)
    assert [*chain(*batches)] == list(range(1, 11))
    assert len(batches) <= 2


async def test_a_batch_has_at_most_256_messages() -> None:
    async def watch(after: int) -> AsyncGenerator[Item, None]:
        for sequence in range(after + 1, 2_001):
            yield Item(sequence)
        await asyncio.sleep(100)

    batches = await read(watch, count=2_000, slow_s=0.1)
    assert [*chain(*batches)] == list(range(1, 2_001))
    assert max(map(len, batches)) == 256


@pytest.mark.parametrize("is_error", [True, False])
async def test_a_stream_that_ends_is_resumed_without_a_gap(is_error: bool) -> None:
    opened: list[int] = []

    async def watch(after: int) -> AsyncGenerator[Item, None]:
        opened.append(after)
        for sequence in range(after + 1, after + 4):
            yield Item(sequence)
        if is_error:
            raise ServiceError(StatusCode.UNAVAILABLE, "the link is cut")

    batches = await read(watch, count=9)
    assert [*chain(*batches)][:9] == list(range(1, 10))
    assert opened[:3] == [0, 3, 6]


async def test_what_the_source_forgot_is_skipped() -> None:
    async def watch(after: int) -> AsyncGenerator[Item, None]:
        if after < 40:
            raise refusal(
                StatusCode.OUT_OF_RANGE, "OLD", "too old", service="source", kept_after="40"
            )
        yield Item(after + 1)
        await asyncio.sleep(100)

    assert await read(watch, count=1) == [[41]]


async def test_a_store_that_fails_gets_the_batch_again() -> None:
    failures = [True, True]
    taken: list[int] = []

    async def watch(after: int) -> AsyncGenerator[Item, None]:
        yield Item(after + 1)
        await asyncio.sleep(100)

    async def take(batch: Sequence[Item]) -> None:
        if failures:
            failures.pop()
            raise StoreError("the store is down")
        taken.extend(item.sequence for item in batch)

    following = Following("items", watch, take)
    task = asyncio.create_task(follow(following, after=0, rng=random.Random(1)))
    await asyncio.sleep(2)  # Before the stream would be taken for dead.
    task.cancel()
    assert taken == [1]


async def test_an_error_of_the_reader_itself_is_raised() -> None:
    async def watch(after: int) -> AsyncGenerator[Item, None]:
        yield Item(after + 1)
        await asyncio.sleep(100)

    async def take(batch: Sequence[Item]) -> None:
        raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        await follow(Following("items", watch, take), after=0, rng=random.Random(1))


async def test_the_first_heartbeat_is_no_progress() -> None:
    """It tells where the source is; a stream cut behind it resumes where the reader is."""
    opened: list[int] = []

    async def watch(after: int) -> AsyncGenerator[Item, None]:
        opened.append(after)
        yield Item(40, is_heartbeat=True)
        if len(opened) > 1:
            yield Item(after + 1)
            await asyncio.sleep(100)

    await read(watch, count=3)
    assert opened == [0, 0]


async def test_what_must_be_known_at_once_is_seen_before_it_is_taken() -> None:
    told: list[tuple[str, int]] = []

    async def watch(after: int) -> AsyncGenerator[Item, None]:
        for sequence in range(after + 1, 4):
            yield Item(sequence)
        await asyncio.sleep(100)

    async def take(batch: Sequence[Item]) -> None:
        told.extend(("taken", item.sequence) for item in batch)

    def see(item: Item) -> None:
        told.append(("seen", item.sequence))

    following = Following("items", watch, take, see)
    task = asyncio.create_task(follow(following, after=0, rng=random.Random(1)))
    await asyncio.sleep(1)
    task.cancel()
    assert told == [(word, n) for word in ("seen", "taken") for n in (1, 2, 3)]


async def test_a_stream_without_heartbeats_is_opened_again() -> None:
    opened: list[int] = []

    async def watch(after: int) -> AsyncGenerator[Item, None]:
        opened.append(after)
        yield Item(after + 1)
        await asyncio.sleep(1 if len(opened) == 2 else 1_000)
        yield Item(after + 2)
        await asyncio.sleep(1_000)

    batches = await read(watch, count=4)
    assert [*chain(*batches)] == [1, 2, 3, 4]
    assert opened == [0, 1, 3]


async def test_a_reader_that_is_slow_itself_does_not_take_its_stream_for_dead() -> None:
    opened: list[int] = []

    async def watch(after: int) -> AsyncGenerator[Item, None]:
        opened.append(after)
        for sequence in range(after + 1, after + 3_001):
            yield Item(sequence)
        await asyncio.sleep(1_000)

    batches = await read(watch, count=3_000, slow_s=20)
    assert [*chain(*batches)] == list(range(1, 3_001))
    assert opened == [0]
