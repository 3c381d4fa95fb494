"""SQLite in a file: statements on the loop, where they touch memory; commits in a thread."""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import StaticPool

from runtime.stores.errors import cleared
from runtime.stores.hot import HotConnection

T = TypeVar("T")
BUSY_TIMEOUT_S = 5.0
BUSY_RETRY_S = 0.01
PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON")


class FileBackend:
    """One writing and one reading connection to a file in WAL mode.

    A commit waits for the disk (fsync), so it runs in a thread while the loop goes on;
    statements before it only touch the page cache, and a thread per statement would cost
    more than they do. One writer at a time: `transact` is not called concurrently.
    """

    is_shared = True

    def __init__(self, path: Path) -> None:
        self._path = path
        self._committer = ThreadPoolExecutor(1, thread_name_prefix=f"commit-{path.stem}")
        self._writer, self._write_driver = _connect(path, busy_timeout_ms=0)
        self._reader, self._read_driver = _connect(path, busy_timeout_ms=5_000)
        self._read_driver.execute("PRAGMA query_only=ON")

    async def transact(
        self, body: Callable[[Connection], T], waiting: "Sequence[asyncio.Future[Any]]" = ()
    ) -> T:
        """Run `body` in one transaction and commit; roll back and re-raise what it raises."""
        await self._begin()
        try:
            result = body(self._writer)
            await self._in_thread(lambda: self._write_driver.execute("COMMIT"))
        except BaseException:
            with suppress(sqlite3.Error):  # Nothing is open after a failed commit or a crash.
                self._write_driver.execute("ROLLBACK")
            raise
        return result

    async def alter(self, body: Callable[[Connection], T]) -> T:
        """Run `body`, which rebuilds tables, without looking at what refers to them."""
        self._write_driver.execute("PRAGMA foreign_keys=OFF")
        try:
            return await self.transact(body)
        finally:
            self._write_driver.execute("PRAGMA foreign_keys=ON")

    async def read(self, body: Callable[[Connection], T]) -> T:
        """Run `body` on one snapshot of what is committed."""
        self._read_driver.execute("BEGIN")
        try:
            return body(self._reader)
        finally:
            self._read_driver.execute("COMMIT")

    async def close(self) -> None:
        """Finish the commit under way and close both connections."""
        await self._in_thread(lambda: None)
        self._close()

    def crash(self) -> "FileBackend":
        """Forget what is not committed; return the backend the next process finds."""
        self._committer.shutdown(wait=True)
        self._close()
        return self.beside()

    def beside(self) -> "FileBackend":
        """Return the backend that another process has beside this one."""
        return FileBackend(self._path)

    async def _begin(self) -> None:
        """Take the write lock; wait without blocking the loop while another process has it."""
        give_up_at_s = asyncio.get_running_loop().time() + BUSY_TIMEOUT_S
        while True:
            try:
                self._write_driver.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or asyncio.get_running_loop().time() > give_up_at_s:
                    raise cleared(error) from error
                await asyncio.sleep(BUSY_RETRY_S)
            else:
                return

    async def _in_thread(self, work: Callable[[], Any]) -> None:
        try:
            await asyncio.get_running_loop().run_in_executor(self._committer, work)
        except sqlite3.Error as error:
            raise cleared(error) from error

    def _close(self) -> None:
        self._committer.shutdown(wait=True)
        for connection in (self._writer, self._reader):
            connection.close()
            connection.engine.dispose()


def _connect(path: Path, *, busy_timeout_ms: int) -> tuple[Connection, sqlite3.Connection]:
    engine = create_engine(
        f"sqlite:///{path}",
        poolclass=StaticPool,
        isolation_level="AUTOCOMMIT",  # Transactions are begun and ended on the driver itself.
        connect_args={"check_same_thread": False},
    )
    engine._connection_cls = HotConnection
    connection = engine.connect()
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    for pragma in (f"busy_timeout={busy_timeout_ms}", *PRAGMAS):
        driver.execute(f"PRAGMA {pragma}")
    return connection, driver
