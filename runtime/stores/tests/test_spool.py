"""What is spooled is on the disk, in order, until its effect is committed elsewhere."""

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.clock import ReplayClock
from runtime.stores import spool as spool_module
from runtime.stores.database import Database
from runtime.stores.errors import StoreError, StoreFull
from runtime.stores.spool import Spool, free_share_of
from runtime.stores.standing import Waiting
from runtime.virtual import VirtualLoop

START_NS = 10**18


async def opened(database: Database | None = None) -> Spool:
    spool = Spool(database or Database.inline_memory(), ReplayClock(START_NS))
    await spool.open()
    return spool


async def contents(spool: Spool) -> list[bytes]:
    return [fact for _, fact in await spool.first(1_000)]


async def test_facts_come_out_in_the_order_they_went_in() -> None:
    spool = await opened()
    for number in range(5):
        await spool.append(b"%d" % number)
    assert await contents(spool) == [b"0", b"1", b"2", b"3", b"4"]


async def test_a_fact_stays_until_it_is_removed() -> None:
    spool = await opened()
    for fact in (b"a", b"b", b"c"):
        await spool.append(fact)
    (first_id, _), (second_id, _), _ = await spool.first(3)
    assert second_id > first_id
    await spool.remove_until(second_id)
    assert await contents(spool) == [b"c"]
    assert spool.depth == 1


async def test_who_takes_waits_for_what_is_on_its_way_to_the_disk() -> None:
    """It counts already: who found nothing and looked again would let nothing else run."""
    database = Database.inline_memory()
    spool = await opened(database)
    database.faults.delay_s = 1
    appending = asyncio.create_task(spool.append(b"a"))
    await asyncio.sleep(0.5)
    assert spool.depth == 1
    assert await contents(spool) == [b"a"]
    await appending


async def test_who_takes_waits_no_longer_for_what_never_came_to_the_disk() -> None:
    database = Database.inline_memory()
    spool = await opened(database)
    database.faults.resumed = asyncio.Event()
    appending = asyncio.create_task(spool.append(b"a"))
    await asyncio.sleep(0.5)
    database.faults.is_full = True
    database.faults.resumed.set()
    assert await contents(spool) == []
    with pytest.raises(StoreError):
        await appending


@given(st.lists(st.integers(0, 4), max_size=20))
def test_a_spool_is_a_queue(steps: list[int]) -> None:
    async def run() -> None:
        spool, model, number = await opened(), list[bytes](), 0
        for step in steps:
            if step == 0:
                number += 1
                await spool.append(b"%d" % number)
                model.append(b"%d" % number)
            elif taken := await spool.first(step):
                await spool.remove_until(taken[-1][0])
                del model[: len(taken)]
            assert spool.depth == len(model)
        assert await contents(spool) == model

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(run())


async def test_age_is_the_oldest_facts() -> None:
    clock = ReplayClock(START_NS)
    spool = Spool(Database.inline_memory(), clock)
    await spool.open()
    assert spool.waiting() == Waiting()
    for _ in range(3):
        await spool.append(b"a")
        await asyncio.sleep(10)
    assert spool.waiting().age_s(clock.now_ns()) == 30
    ((first_id, _),) = await spool.first(1)
    await spool.remove_until(first_id)
    assert spool.waiting().age_s(clock.now_ns()) == 20


async def test_a_full_spool_keeps_what_it_has_and_takes_nothing_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(spool_module, "DEPTH_MAX", 2)
    spool = await opened()
    await spool.append(b"a")
    await spool.append(b"b")
    with pytest.raises(StoreFull, match="2 facts are spooled, at most 2 may be"):
        await spool.append(b"c")
    assert await contents(spool) == [b"a", b"b"]


async def test_nothing_is_spooled_on_a_disk_that_is_nearly_full() -> None:
    free = [0.5]
    spool = Spool(Database.inline_memory(), ReplayClock(START_NS), lambda: free[0])
    await spool.open()
    await spool.append(b"a")
    free[0] = 0.09
    with pytest.raises(StoreFull, match="9% of the disk is free, 10% must be"):
        await spool.append(b"b")
    assert spool.depth == 1


async def test_a_fact_that_could_not_be_kept_is_not_counted() -> None:
    database = Database.inline_memory()
    spool = await opened(database)
    await spool.append(b"a")
    database.faults.is_full = True
    with pytest.raises(StoreError):
        await spool.append(b"b")
    assert spool.depth == 1


async def test_what_is_appended_while_others_are_removed_is_counted() -> None:
    database = Database.inline_memory()
    spool = await opened(database)
    await spool.append(b"a")
    ((first_id, _),) = await spool.first(1)
    database.faults.delay_s = 0.01  # So that both are in one group.
    await asyncio.gather(spool.remove_until(first_id), spool.append(b"b"))
    assert spool.depth == 1
    assert await contents(spool) == [b"b"]


async def test_whoever_waits_for_room_wakes_when_something_was_taken() -> None:
    spool, loop = await opened(), asyncio.get_running_loop()
    await spool.append(b"a")
    waiting = asyncio.create_task(spool.room(30.0))
    await asyncio.sleep(1)
    began_s = loop.time()
    ((first_id, _),) = await spool.first(1)
    await spool.remove_until(first_id)
    await waiting
    assert loop.time() == began_s


@pytest.mark.real_time
async def test_a_spool_on_a_disk_outlives_its_process(tmp_path: Path) -> None:
    database = Database.sqlite_file(tmp_path / "execution.spool")
    spool = Spool(database, ReplayClock(START_NS), free_share_of(tmp_path))
    await spool.open()
    await asyncio.gather(*[spool.append(b"%d" % number) for number in range(3)])
    survivor = database.crash()
    found = await opened(survivor)
    assert found.depth == 3
    assert await contents(found) == [b"0", b"1", b"2"]
    await survivor.close()


def test_how_much_of_a_disk_is_free_is_a_share(tmp_path: Path) -> None:
    assert 0 <= free_share_of(tmp_path)() <= 1
