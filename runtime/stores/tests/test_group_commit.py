"""Group commit against a model: whatever raises, leaves or fails, each answer is true."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from runtime.stores import CommitUnknown, Database, StoreBusy, StoreLocked
from runtime.stores.backends import MemoryBackend
from runtime.stores.errors import StoreDeadlock
from runtime.stores.tests.mothers import MysqlServer, blind_note, note, notes, with_tables

T = TypeVar("T")
FIXTURES = (HealthCheck.function_scoped_fixture,)


class Does(StrEnum):
    WRITES = "writes"
    LOOKS = "looks"  # At what its statement brought, before its work is done.
    RAISES = "raises"
    REPEATS = "repeats"  # Breaks a unique constraint, if its text was taken.
    LEAVES = "leaves"


async def act(database: Database, does: Does, name: str) -> int:
    def raises(tx: Connection) -> int:
        note(name)(tx)
        raise ValueError(name)

    works = {
        Does.REPEATS: blind_note("taken"),
        Does.RAISES: raises,
        Does.LOOKS: note(name),
    }
    return await database.write(works.get(does, blind_note(name)))


Acts = st.lists(st.sampled_from(list(Does)), max_size=90)
Few = st.integers(0, 2)


@settings(max_examples=200, deadline=None)
@given(acts=Acts, answers_to_lose=Few, commits_to_lose=Few)
async def test_every_answer_is_true(
    acts: list[Does], answers_to_lose: int, commits_to_lose: int
) -> None:
    database = await with_tables(Database.inline_memory())
    await check_answers(database, acts, answers_to_lose, commits_to_lose)
    await database.close()


@pytest.mark.real_time
@settings(max_examples=8, deadline=None, suppress_health_check=FIXTURES)
@given(acts=Acts, answers_to_lose=Few, commits_to_lose=Few)
async def test_every_answer_is_true_of_a_file(
    tmp_path_factory: pytest.TempPathFactory,
    acts: list[Does],
    answers_to_lose: int,
    commits_to_lose: int,
) -> None:
    path = tmp_path_factory.mktemp("group") / "notes.sqlite"
    database = await with_tables(Database.sqlite_file(path))
    await check_answers(database, acts, answers_to_lose, commits_to_lose)
    await database.close()


@pytest.mark.real_time
@settings(max_examples=8, deadline=None, suppress_health_check=FIXTURES)
@given(acts=Acts, answers_to_lose=Few, commits_to_lose=Few)
async def test_every_answer_is_true_of_a_server(
    mysql: MysqlServer, acts: list[Does], answers_to_lose: int, commits_to_lose: int
) -> None:
    database = await with_tables(Database.at_url(await mysql.fresh()))
    await check_answers(database, acts, answers_to_lose, commits_to_lose)
    await database.close()


async def check_answers(
    database: Database, acts: list[Does], answers_to_lose: int, commits_to_lose: int
) -> None:
    """Let everybody act at once, and compare what each was told with what is there."""
    database.faults.delay_s = 0.001
    database.faults.answers_to_lose = answers_to_lose
    database.faults.commits_to_lose = commits_to_lose
    tasks = [asyncio.ensure_future(act(database, does, f"{i}")) for i, does in enumerate(acts)]
    await asyncio.sleep(0.0005)  # The first group is on its way.
    for does, task in zip(acts, tasks, strict=True):
        if does is Does.LEAVES:
            task.cancel()
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    found = await notes(database)

    for i, (does, end) in enumerate(zip(acts, ended, strict=True)):
        name = "taken" if does is Does.REPEATS else f"{i}"
        if isinstance(end, int):
            assert found.count(name) == 1
        elif isinstance(end, ValueError):
            assert name not in found
        elif isinstance(end, IntegrityError):
            assert does is Does.REPEATS
            assert "taken" in found
        else:
            assert isinstance(end, CommitUnknown | asyncio.CancelledError)
    assert len(found) == len(set(found))
    numbers = [int(name) for name in found if name != "taken"]
    assert numbers == sorted(numbers)  # Units ran in the order they came.


@pytest.mark.real_time
async def test_who_comes_soon_after_a_group_waits_for_company(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = await with_tables(Database.sqlite_file(tmp_path / "notes.sqlite"))
    monkeypatch.setattr("runtime.stores.database.GATHER_S", 0.5)  # A busy machine is not so slow.
    commits: list[float] = []
    database.on_commit(lambda: commits.append(asyncio.get_running_loop().time()))
    await asyncio.gather(*[database.write(note(name)) for name in ("one", "two")])
    began_s = asyncio.get_running_loop().time()
    soon = []
    for name in "abc":
        soon.append(asyncio.ensure_future(database.write(note(name))))
        await asyncio.sleep(0.01)
    await asyncio.gather(*soon)
    assert len(commits) == 2
    await asyncio.sleep(0.5)
    await database.write(note("later"))
    await database.write(note("alone"))  # It has had no company: it does not wait.
    assert began_s + 0.3 < commits[1] < commits[3] < commits[2] + 0.4
    await database.close()


async def test_work_of_one_who_has_left_is_not_begun() -> None:
    database = await with_tables(Database.inline_memory())
    database.faults.delay_s = 1.0
    ran: list[str] = []

    def work(name: str) -> Callable[[Connection], None]:
        return lambda tx: ran.append(name)

    first = asyncio.ensure_future(database.write(work("first")))
    await asyncio.sleep(0.5)  # Its group is on its way; the next waits for the one after.
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(database.write(work("late")), 0.1)
    patient = asyncio.ensure_future(database.write(work("patient")))
    await asyncio.gather(first, patient)
    assert ran == ["first", "patient"]
    await database.close()


async def test_queue_of_a_slow_store_is_bounded_and_refuses_before_it_begins(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("runtime.stores.database.WAITING_MAX", 100)
    database = await with_tables(Database.inline_memory())
    database.faults.delay_s = 1.0
    writing = [asyncio.ensure_future(database.write(note(f"{i}"))) for i in range(300)]
    ended = await asyncio.gather(*writing, return_exceptions=True)
    refused = [end for end in ended if isinstance(end, StoreBusy)]
    assert len(refused) == 200
    assert refused[0].reason == "STORE_BUSY"
    assert await notes(database) == [f"{i}" for i in range(100)]
    assert await database.write(note("afterwards")) == 101
    await database.close()


class Crossing:
    """A backend that finds a deadlock so many times before it does the work."""

    is_shared = True

    def __init__(self, deadlocks: int) -> None:
        self.deadlocks = deadlocks
        self._memory = MemoryBackend()
        self.read, self.close, self.crash, self.beside = (
            self._memory.read,
            self._memory.close,
            self._memory.crash,
            self._memory.beside,
        )

    async def transact(
        self, body: Callable[[Connection], T], waiting: "Sequence[asyncio.Future[Any]]" = ()
    ) -> T:
        if self.deadlocks:
            self.deadlocks -= 1
            with suppress(Taken):
                await self._memory.transact(partial(_and_taken_back, body))
            raise StoreDeadlock("crossed: nothing was committed")
        return await self._memory.transact(body)


async def test_group_that_lost_a_deadlock_runs_again_and_is_told_nothing_of_it() -> None:
    backend = Crossing(0)
    database = await with_tables(Database(backend))
    backend.deadlocks = 3
    ended = await asyncio.gather(*[database.write(note(name)) for name in "abc"])
    assert ended == [1, 2, 3]
    assert await notes(database) == ["a", "b", "c"]
    await database.close()


async def test_deadlock_that_does_not_end_is_told_at_last() -> None:
    backend = Crossing(0)
    database = await with_tables(Database(backend))
    backend.deadlocks = 1_000
    with pytest.raises(StoreLocked):
        await database.write(note("a"))
    assert backend.deadlocks == 994
    await database.close()


class Taken(Exception):
    """The transaction is taken back."""


def _and_taken_back(body: Callable[[Connection], object], tx: Connection) -> None:
    body(tx)
    raise Taken
