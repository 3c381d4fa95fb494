"""Group commit against a model: whatever raises, leaves or fails, each answer is true."""

import asyncio
from enum import StrEnum

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from runtime.stores import CommitUnknown, Database
from runtime.stores.tests.mothers import note, notes, with_tables


class Does(StrEnum):
    WRITES = "writes"
    RAISES = "raises"
    REPEATS = "repeats"  # Breaks a unique constraint, if its text was taken.
    LEAVES = "leaves"


async def act(database: Database, does: Does, name: str) -> int:
    def raises(tx: Connection) -> int:
        note(name)(tx)
        raise ValueError(name)

    if does is Does.REPEATS:
        return await database.write(note("taken"))
    return await database.write(raises if does is Does.RAISES else note(name))


@settings(max_examples=200, deadline=None)
@given(
    acts=st.lists(st.sampled_from(list(Does)), max_size=90),
    answers_to_lose=st.integers(0, 2),
    commits_to_lose=st.integers(0, 2),
)
async def test_every_answer_is_true(
    acts: list[Does], answers_to_lose: int, commits_to_lose: int
) -> None:
    database = await with_tables(Database.inline_memory())
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
    await database.close()
