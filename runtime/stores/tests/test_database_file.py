"""What only a file can do: last, be locked, be full, let the loop go on during a commit."""

import asyncio
import sqlite3
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from runtime.stores import CommitUnknown, Database, StoreError, StoreFull, StoreLocked, file_backend
from runtime.stores.tests.mothers import note, notes, with_tables

pytestmark = pytest.mark.real_time


async def pragma(database: Database, name: str) -> object:
    return await database.write(lambda tx: tx.execute(text(f"PRAGMA {name}")).scalar())


async def opened(directory: Path) -> Database:
    return await with_tables(Database.sqlite_file(directory / "notes.sqlite"))


async def test_file_is_in_wal_mode_and_every_commit_is_synced(tmp_path: Path) -> None:
    database = await opened(tmp_path)
    settings = [await pragma(database, p) for p in ("journal_mode", "synchronous", "foreign_keys")]
    assert settings == ["wal", 2, 1]
    await database.close()


async def test_what_was_committed_is_there_for_the_next_process(tmp_path: Path) -> None:
    database = await opened(tmp_path)
    await database.write(note("kept"))
    await database.close()
    again = await opened(tmp_path)
    assert await notes(again) == ["kept"]
    await again.close()


async def test_short_lock_of_another_process_is_waited_out(tmp_path: Path) -> None:
    database = await opened(tmp_path)
    other = sqlite3.connect(tmp_path / "notes.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    waiting = asyncio.ensure_future(database.write(note("patient")))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    assert await notes(database) == []  # Readers are never locked out.
    other.execute("ROLLBACK")
    other.close()
    assert await waiting == 1
    await database.close()


async def test_long_lock_of_another_process_is_a_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_backend, "BUSY_TIMEOUT_S", 0.05)
    database = await opened(tmp_path)
    other = sqlite3.connect(tmp_path / "notes.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreLocked, match="another process writes"):
        await database.write(note("refused"))
    other.close()
    assert await database.write(note("afterwards")) == 1
    await database.close()


async def test_full_disk_is_a_clear_error_and_loses_nothing(tmp_path: Path) -> None:
    database = await opened(tmp_path)
    await database.write(note("kept"))
    pages = await pragma(database, "page_count")
    await pragma(database, f"max_page_count={pages}")  # What a full disk looks like to SQLite.
    ended = await asyncio.gather(
        *[database.write(note(f"{i:060}")) for i in range(200)], return_exceptions=True
    )
    refused = [error for error in ended if not isinstance(error, int)]
    assert refused
    assert all(isinstance(error, StoreFull) for error in refused)
    await pragma(database, "max_page_count=1000000")
    await database.write(note("room again"))
    assert len(await notes(database)) == 200 - len(refused) + 2
    await database.close()


async def test_loop_goes_on_while_a_commit_waits_for_the_disk(tmp_path: Path) -> None:
    """The commit is made to take 100 ms in its thread; the loop turns many times meanwhile."""
    database = slow(await opened(tmp_path))
    writing = asyncio.ensure_future(database.write(note("slow")))
    turns = 0
    while not writing.done():
        await asyncio.sleep(0.001)
        assert await notes(database) in ([], ["slow"])
        turns += 1
    assert turns > 10
    await database.close()


async def test_crash_during_a_commit_leaves_it_done_or_not_but_never_half(tmp_path: Path) -> None:
    database = slow(await opened(tmp_path))
    writing = [asyncio.ensure_future(database.write(note(name))) for name in ("a", "b")]
    await asyncio.sleep(0.05)  # The thread is at it.
    survivor = database.crash()
    ended = await asyncio.gather(*writing, return_exceptions=True)
    assert [type(error) for error in ended] == [CommitUnknown, CommitUnknown]
    assert await notes(survivor) in ([], ["a", "b"])
    await survivor.write(note("next life"))
    await survivor.close()


async def test_after_any_crash_the_answers_were_true(tmp_path: Path) -> None:
    """Thirty lives of one file, each ended at another moment of its commits."""
    database = await opened(tmp_path)
    kept: set[str] = set()
    for life in range(30):
        names = [f"{life}-{i}" for i in range(80)]
        writing = [asyncio.ensure_future(database.write(note(name))) for name in names]
        for _ in range(life % 10):
            await asyncio.sleep(0.0003)
        database = database.crash()
        ended = await asyncio.gather(*writing, return_exceptions=True)
        found = set(await notes(database))
        for name, end in zip(names, ended, strict=True):
            assert isinstance(end, int | StoreError)
            assert name in found or not isinstance(end, int)
            assert name not in found or isinstance(end, int | CommitUnknown)
        assert kept <= found
        kept = found
    await database.close()


def slow(database: Database) -> Database:
    """Make every commit take 100 ms in its thread."""
    backend = database._backend
    assert isinstance(backend, file_backend.FileBackend)
    in_thread = backend._in_thread

    def slowly(work: Callable[[], object]) -> Awaitable[None]:
        def after_a_while() -> None:
            time.sleep(0.1)
            work()

        return in_thread(after_a_while)

    backend._in_thread = slowly  # type: ignore[method-assign,assignment]
    return database
