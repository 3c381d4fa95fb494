"""What a single writer knows without reading: never what was not committed."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection

from runtime.stores import CommitUnknown, Database, Known

pytestmark = pytest.mark.real_time


async def asked(database: Database, known: Known[str, int]) -> int | None:
    """Return what the next transaction knows."""
    return await database.write(lambda _: known.get("k"))


def noting(known: Known[str, int], key: str, value: int) -> Callable[[Connection], None]:
    """Return a work that notes something."""
    return lambda _: known.note(key, value)


async def test_known_is_what_was_committed_last(tmp_path: Path) -> None:
    database = Database.sqlite_file(tmp_path / "known.sqlite")
    known: Known[str, int] = Known(database)
    assert await asked(database, known) is None
    await asyncio.gather(*[database.write(noting(known, "k", n)) for n in (1, 2)])
    assert await asked(database, known) == 2
    await database.write(lambda _: known.note("k", None))
    assert await asked(database, known) is None
    await database.close()


async def test_a_transaction_knows_what_it_has_noted_itself(tmp_path: Path) -> None:
    database = Database.sqlite_file(tmp_path / "known.sqlite")
    known: Known[str, int] = Known(database)

    def note_and_ask(_: Connection) -> int | None:
        known.note("k", 1)
        return known.get("k")

    assert await database.write(note_and_ask) == 1
    await database.close()


async def test_what_a_group_took_back_is_not_known(tmp_path: Path) -> None:
    """One unit of a group raises: the other runs again, and must not see its own first run."""
    database = Database.sqlite_file(tmp_path / "known.sqlite")
    known: Known[str, int] = Known(database)
    await database.write(lambda _: known.note("k", 1))
    seen: list[int | None] = []

    def add(_: Connection) -> None:
        seen.append(known.get("k"))
        known.note("k", 2)

    def fail(_: Connection) -> None:
        known.note("other", 9)
        raise ValueError("not this one")

    outcomes = await asyncio.gather(
        database.write(add), database.write(fail), return_exceptions=True
    )
    assert isinstance(outcomes[1], ValueError)
    assert seen == [1, None]  # The second time it has to read: the row may be as it was.
    assert await database.write(lambda _: known.get("other")) is None
    await database.write(noting(known, "k", 3))
    assert await asked(database, known) == 3
    await database.close()


async def test_a_failed_transaction_leaves_nothing_to_know(tmp_path: Path) -> None:
    database = Database.sqlite_file(tmp_path / "known.sqlite")
    known: Known[str, int] = Known(database)

    def fail(_: Connection) -> None:
        known.note("k", 1)
        raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011 - It is ours.
        await database.write(fail)
    assert await asked(database, known) is None  # Its own commit must not keep the note either.
    assert await asked(database, known) is None
    await database.close()


@pytest.mark.parametrize("fault", ["answers_to_lose", "commits_to_lose"])
async def test_nothing_is_known_after_a_commit_of_which_nobody_knows(
    tmp_path: Path, fault: str
) -> None:
    database = Database.sqlite_file(tmp_path / "known.sqlite")
    known: Known[str, int] = Known(database)
    setattr(database.faults, fault, 1)
    with pytest.raises(CommitUnknown):
        await database.write(lambda _: known.note("k", 1))
    assert await asked(database, known) is None
    await database.close()


async def test_the_oldest_is_forgotten_first() -> None:
    database = Database.inline_memory()
    known: Known[str, int] = Known(database, size_max=2)
    for number, key in enumerate("abc"):
        await database.write(noting(known, key, number))
    found = await database.write(lambda _: [known.get(key) for key in "abc"])
    assert found == [None, 1, 2]
    known.forget()
    assert await database.write(lambda _: known.get("c")) is None
    await database.close()
