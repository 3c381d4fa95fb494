"""The connections of one database: opened when needed, checked before use, never too many."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from uuid import uuid4

from pymysql.err import MySQLError  # type: ignore[import-untyped]
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.util import greenlet_spawn

from runtime.stores.errors import StoreBusy, StoreError, number_of
from runtime.stores.mysql_link import Link

SQL_MODE = (
    "STRICT_TRANS_TABLES,STRICT_ALL_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,"
    "ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"
)
UTC = "+00:00"
SETTLE_S = 10.0
SETTLE_EVERY_S = 0.01
NO_SUCH_THREAD = 1094


@dataclass(frozen=True, slots=True)
class Limits:
    """How many connections there may be, and how long anything on them may take."""

    pool: int = 10  # So many are kept open.
    overflow: int = 20  # So many more may be open at times.
    checkout_s: float = 1.0
    connect_s: float = 5.0
    statement_s: float = 30.0
    lock_s: int = 5  # For a lock of another transaction; servers count whole seconds.
    recycle_s: float = 3_600.0
    ping_after_s: float = 1.0  # A connection that rested for so long is asked before it is used.


@dataclass(slots=True)
class Held:
    """A connection that is in use."""

    connection: Connection
    link: Link
    name: str  # Of the lock that ends with it.
    opened_s: float
    used_s: float


@dataclass(slots=True)
class Endings:
    """Connections given up while the server might still be at work for them.

    Such work may yet be committed, so nobody reads or writes before it has ended: only then
    is what is read back the truth. Each connection holds a named lock that ends with it.
    """

    names: set[str] = field(default_factory=set)
    _alone: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def settle(self, link: Link) -> None:
        """Return when the server has ended them all. Raises StoreError when it does not."""
        async with self._alone:
            give_up_at_s = asyncio.get_running_loop().time() + SETTLE_S
            for name in sorted(self.names):
                await _end(link, name, give_up_at_s)
                self.names.discard(name)


class Links:
    """Connections for one purpose: the writer's, or those of the readers."""

    def __init__(self, engine: Engine, limits: Limits, endings: Endings, *, is_writing: bool):
        self._engine = engine
        self._limits = limits
        self._endings = endings
        self._is_writing = is_writing
        self._kept = 1 if is_writing else limits.pool - 1
        self._room = asyncio.Semaphore(1 if is_writing else self._kept + limits.overflow)
        self._idle: list[Held] = []
        self._busy: list[Held] = []
        self._is_closed = False

    @asynccontextmanager
    async def held(self) -> AsyncIterator[Held]:
        """Lend a connection with no transaction open; it must be returned like that."""
        await self._wait_for_room()
        try:
            found = await self._usable()
            self._busy.append(found)
            is_clean = False
            try:
                yield found
                is_clean = True
            finally:
                self._busy.remove(found)
                await self._return(found, is_clean=is_clean)
        finally:
            self._room.release()

    async def close(self) -> None:
        """Close what is idle, and what is lent as soon as it is returned."""
        self._is_closed = True
        while self._idle:
            await _close(self._idle.pop())

    def abandon(self) -> set[str]:
        """Cut every connection; return the names of their locks."""
        every = self._idle + self._busy
        for held in every:
            held.link.close()
        return {held.name for held in every}

    async def _wait_for_room(self) -> None:
        if not self._room.locked():
            await self._room.acquire()
            return
        limit_s = self._limits.checkout_s
        try:
            async with asyncio.timeout(limit_s):
                await self._room.acquire()
        except TimeoutError:
            raise StoreBusy(
                f"no connection became free within {limit_s:g} s: nothing was done; repeat later"
            ) from None

    async def _usable(self) -> Held:
        now_s = asyncio.get_running_loop().time()
        while self._idle:
            held = self._idle.pop()
            try:
                is_good = await self._is_good(held, now_s)
            except BaseException:
                await _discard(held)
                raise
            if is_good:
                await self._settle(held)
                held.used_s = now_s
                return held
            await _discard(held)
        held = await self._open(now_s)
        await self._settle(held)
        return held

    async def _is_good(self, held: Held, now_s: float) -> bool:
        if not held.link.is_alive or now_s - held.opened_s > self._limits.recycle_s:
            return False
        if now_s - held.used_s > self._limits.ping_after_s:
            try:
                await held.link.ping_within(self._limits.checkout_s)
            except MySQLError:
                return False
        return True

    async def _settle(self, held: Held) -> None:
        if not self._endings.names:
            return
        try:
            await self._endings.settle(held.link)
        except BaseException as error:
            await _discard(held)
            if isinstance(error, MySQLError):
                raise StoreError(f"{error}: nothing was done; repeat later") from error
            raise

    async def _open(self, now_s: float) -> Held:
        limit_s = self._limits.connect_s
        try:
            async with asyncio.timeout(limit_s):
                connection = await greenlet_spawn(self._engine.connect)
                link = connection.connection.driver_connection
                assert isinstance(link, Link)
                held = Held(connection, link, f"plimsoll.{uuid4().hex}", now_s, now_s)
                try:
                    await self._prepare(held)
                except BaseException:
                    await _discard(held)
                    raise
                return held
        except TimeoutError:
            raise StoreError(
                f"the server did not answer within {limit_s:g} s: nothing was done; repeat later"
            ) from None
        except (DBAPIError, MySQLError) as error:
            reason = error.orig if isinstance(error, DBAPIError) else error
            raise StoreError(f"{reason}: nothing was done; repeat when it answers") from error

    async def _prepare(self, held: Held) -> None:
        """State isolation, strictness, zone and limits, and see that the server has them."""
        link, limits = held.link, self._limits
        is_mariadb = "MariaDB" in link.get_server_info()
        limit = f"max_statement_time={limits.statement_s:.3f}"
        if not is_mariadb:
            limit = f"max_execution_time={max(1, int(limits.statement_s * 1_000))}"
        level = "READ COMMITTED" if self._is_writing else "REPEATABLE READ"
        autocommit = 0 if self._is_writing else 1  # A single question needs no transaction.
        for statement in (
            "SET NAMES utf8mb4 COLLATE utf8mb4_bin",
            f"SET SESSION sql_mode='{SQL_MODE}', time_zone='{UTC}', "
            f"autocommit={autocommit}, {limit}, innodb_lock_wait_timeout={limits.lock_s}, "
            f"lock_wait_timeout={limits.lock_s}",
            f"SET SESSION TRANSACTION ISOLATION LEVEL {level}",
            f"SET SESSION TRANSACTION {'READ WRITE' if self._is_writing else 'READ ONLY'}",
        ):
            await link.query(statement)
        isolation = "tx_isolation" if is_mariadb else "transaction_isolation"
        row = await _row(
            link,
            f"SELECT @@{isolation}, @@time_zone, @@autocommit, "
            f"@@sql_mode LIKE '%STRICT_ALL_TABLES%', GET_LOCK('{held.name}', 0)",
        )
        if tuple(row) != (level.replace(" ", "-"), UTC, autocommit, 1, 1):
            raise StoreError(f"the server did not take the session's settings: {row}")
        await link.roll_back()
        link.is_lazy = self._is_writing

    async def _return(self, held: Held, *, is_clean: bool) -> None:
        if is_clean and held.link.is_alive and held.link.fault is None:
            if len(self._idle) < self._kept and not self._is_closed:
                self._idle.append(held)
            else:
                await _close(held)
            return
        self._endings.names.add(held.name)
        await _discard(held)


async def _row(link: Link, sql: str) -> tuple[object, ...]:
    await link.query(sql)
    return tuple(link._result.rows[0])


async def _end(link: Link, name: str, give_up_at_s: float) -> None:
    while (thread := await _holder(link, name)) is not None:
        if asyncio.get_running_loop().time() > give_up_at_s:
            raise StoreError("the server goes on with work that was given up: repeat later")
        await _kill(link, thread)
        await asyncio.sleep(SETTLE_EVERY_S)


async def _holder(link: Link, name: str) -> int | None:
    (thread,) = await _row(link, f"SELECT IS_USED_LOCK('{name}')")
    await link.roll_back()
    return thread if isinstance(thread, int) else None


async def _kill(link: Link, thread: int) -> None:
    try:
        await link.query(f"KILL CONNECTION {thread}")
    except MySQLError as error:
        if number_of(error) != NO_SUCH_THREAD:
            raise


async def _close(held: Held) -> None:
    """Take leave of the server."""
    with suppress(MySQLError, DBAPIError, OSError):
        await held.link.roll_back()
        await held.link.ensure_closed()
    await _discard(held)


async def _discard(held: Held) -> None:
    """Let go of a connection without a word to the server, also when we are cancelled."""
    held.link.close()  # All that matters is done at once: a loop that ends cancels what waits.
    with suppress(DBAPIError):
        held.connection.invalidate()
    held.connection.close()
    await asyncio.shield(held.link.drop())
