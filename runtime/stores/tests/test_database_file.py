"""What only a file can do: last, be locked, be full, let the loop go on during a commit."""

import asyncio
import sqlite3
import time
from pathlib import Path

import pytest
from sqlalchemy import text

from runtime.stores import Database, StoreFull, StoreLocked, file_backend
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
    database = await opened(tmp_path)
    backend = database._backend
    assert isinstance(backend, file_backend.FileBackend)
    in_thread = backend._in_thread

    async def slowly(work: object) -> None:
        await asyncio.get_running_loop().run_in_executor(backend._committer, time.sleep, 0.1)
        await in_thread(work)  # type: ignore[arg-type]

    backend._in_thread = slowly  # type: ignore[method-assign]
    writing = asyncio.ensure_future(database.write(note("slow")))
    turns = 0
    while not writing.done():
        await asyncio.sleep(0.001)
        assert await notes(database) in ([], ["slow"])
        turns += 1
    assert turns > 10
    await database.close()
