"""How one transaction runs, and how it runs inline in memory."""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar, cast

from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import StaticPool

from runtime.stores.hot import HotConnection

T = TypeVar("T")


class OnlyReads(RuntimeError):
    """Work that writes was given to `read`."""

    def __init__(self) -> None:
        super().__init__("read() was given work that writes: give it to write()")


class Backend(Protocol):
    """Where a database's transactions run."""

    is_shared: bool  # Whether another process may write here too.

    async def transact(
        self, body: Callable[[Connection], T], waiting: "Sequence[asyncio.Future[Any]]" = ()
    ) -> T:
        """Run `body` in one transaction and commit; roll back and re-raise what it raises.

        When everybody in `waiting` has left, the work may be given up.
        """

    async def read(self, body: Callable[[Connection], T]) -> T:
        """Run `body` on one snapshot."""

    async def close(self) -> None:
        """Let go of every connection."""

    def crash(self) -> "Backend":
        """Forget what is not committed; return the backend the next process finds."""

    def beside(self) -> "Backend":
        """Return the backend that another process has beside this one."""


class MemoryBackend:
    """SQLite in this process's memory, run inline: no thread, so virtual time stays virtual.

    The connection is opened once and transactions are begun and ended on the driver itself:
    SQLAlchemy's own bookkeeping of a transaction costs more than a whole insert.
    """

    def __init__(self) -> None:
        self.is_shared = False
        engine = create_engine(
            "sqlite://",
            poolclass=StaticPool,
            isolation_level="AUTOCOMMIT",
            connect_args={"check_same_thread": False},
        )
        engine._connection_cls = HotConnection
        self._engine = engine
        self._tx = engine.connect()
        self._driver = cast(sqlite3.Connection, self._tx.connection.driver_connection)
        self._driver.execute("PRAGMA foreign_keys=ON")

    def transact_now(self, body: Callable[[Connection], T]) -> T:
        """Run one transaction without leaving the loop."""
        driver = self._driver
        driver.execute("BEGIN")
        try:
            result = body(self._tx)
        except BaseException:
            driver.execute("ROLLBACK")
            raise
        driver.execute("COMMIT")
        return result

    async def transact(
        self, body: Callable[[Connection], T], waiting: "Sequence[asyncio.Future[Any]]" = ()
    ) -> T:
        """Run `body` in one transaction and commit; roll back and re-raise what it raises."""
        return self.transact_now(body)

    async def alter(self, body: Callable[[Connection], T]) -> T:
        """Run `body`, which rebuilds tables, without looking at what refers to them."""
        self._driver.execute("PRAGMA foreign_keys=OFF")
        try:
            return self.transact_now(body)
        finally:
            self._driver.execute("PRAGMA foreign_keys=ON")

    def is_empty(self) -> bool:
        """Whether there is not one table yet."""
        found = self._driver.execute("SELECT count(*) FROM sqlite_master").fetchone()
        return bool(found[0] == 0)

    def fill(self, template: sqlite3.Connection) -> None:
        """Become a copy of `template`."""
        template.backup(self._driver)

    def copy(self) -> "MemoryBackend":
        """Return another that has the same."""
        other = MemoryBackend()
        other.fill(self._driver)
        return other

    async def read(self, body: Callable[[Connection], T]) -> T:
        """Run `body`; nothing else can run in between."""
        written = self._driver.total_changes
        result = body(self._tx)
        if self._driver.total_changes != written:  # On a file the driver itself refuses.
            raise OnlyReads
        return result

    async def close(self) -> None:
        """Forget everything."""
        self._tx.close()
        self._engine.dispose()

    def crash(self) -> "MemoryBackend":
        """Return itself: every transaction ended before this could be called."""
        return self

    def beside(self) -> "MemoryBackend":
        """Return itself: from now on it is shared, as if it were outside of both processes."""
        self.is_shared = True
        return self
