"""A schema on a MySQL or MariaDB server.

Writers run at READ COMMITTED, stated and looked at on every connection: what must not change
meanwhile is compared when it is written, or read `FOR UPDATE`; nothing relies on more. Work
that only reads sees one snapshot (REPEATABLE READ, READ ONLY), so it is not affected.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar

from pymysql.err import MySQLError  # type: ignore[import-untyped]
from sqlalchemy import Connection, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool
from sqlalchemy.util import greenlet_spawn

from runtime.stores.backends import OnlyReads
from runtime.stores.errors import (
    LOST,
    TOO_SLOW,
    CommitUnknown,
    StoreError,
    cleared,
    number_of,
)
from runtime.stores.hot import HotConnection
from runtime.stores.mysql_link import Link, connect, take_back
from runtime.stores.mysql_links import Endings, Held, Limits, Links
from runtime.stores.mysql_reading import Reader

T = TypeVar("T")
NOT_WHILE_READING = 1792
# Answers to COMMIT that say it did not happen; after any other error nobody knows.
REFUSED_COMMIT = frozenset((1213, 1205, 1020, 1290, 1792, 1836))


class MysqlBackend:
    """One writing connection, and a pool of reading ones beside it."""

    is_shared = True

    def __init__(
        self, url: str, limits: Limits | None = None, predecessor: "MysqlBackend | None" = None
    ) -> None:
        self._url = url
        self._limits = limits or Limits()
        self._predecessor = predecessor  # Crashed; what is left of it ends with us.
        # Not `create_async_engine`, which makes the same: its module brings the ORM, 0.1 s of it.
        engine = create_engine(
            url,
            poolclass=NullPool,
            connect_args={
                "charset": "utf8mb4",
                "async_creator_fn": partial(connect, self._limits.statement_s),
            },
        )
        engine._connection_cls = HotConnection
        endings = Endings(predecessor._abandoned if predecessor else set())
        self._abandoned: set[str] = set()
        self._endings = endings
        self._writing = Links(engine, self._limits, endings, is_writing=True)
        self._reading = Links(engine, self._limits, endings, is_writing=False)
        self._reader = Reader(self._reading)

    async def transact(
        self,
        body: Callable[[Connection], T],
        waiting: "Sequence[asyncio.Future[Any]]" = (),
    ) -> T:
        """Run `body` in one transaction and commit; roll back and re-raise what it raises.

        When everybody in `waiting` has left before the commit is sent, the work is given up.
        """
        async with self._writing.held() as held:
            failure, result = await self._run(held, body, waiting)
            if failure is None:
                failure = await _commit(held.link)
        if failure is not None:
            raise failure
        return result  # type: ignore[return-value]

    async def read(self, body: Callable[[Connection], T]) -> T:
        """Run `body` on one snapshot; again, if its first connection turned out to be dead."""
        try:
            try:
                return await self._reader.read(body)
            except (DBAPIError, MySQLError) as error:
                if number_of(error) not in LOST:
                    raise
            return await self._reader.read(body)
        except (DBAPIError, MySQLError) as error:
            if number_of(error) == NOT_WHILE_READING:
                raise OnlyReads from error
            raise

    async def close(self) -> None:
        """Take leave of the server."""
        await self._writing.close()
        await self._reading.close()
        if self._predecessor is not None:
            await self._predecessor.close()

    def crash(self) -> "MysqlBackend":
        """Cut every connection; return the backend the next process finds."""
        self._abandoned = self._writing.abandon() | self._reading.abandon() | self._endings.names
        return MysqlBackend(self._url, self._limits, self)

    def beside(self) -> "MysqlBackend":
        """Return the backend that another process has beside this one."""
        return MysqlBackend(self._url, self._limits)

    async def _run(
        self,
        held: Held,
        body: Callable[[Connection], T],
        waiting: "Sequence[asyncio.Future[Any]]",
    ) -> tuple[Exception | None, T | None]:
        """Return what `body` raised, after its work is rolled back, or what it returned."""
        link = held.link
        try:
            with _given_up_when_all_left(link, waiting):
                result = await greenlet_spawn(body, held.connection)
        except Exception as error:  # noqa: BLE001 - `transact` raises it.
            if link.is_alive:
                await take_back(link)
            return error, None
        if link.fault is not None:  # The body went on as if nothing had happened.
            if link.is_alive:
                await take_back(link)
            return cleared(link.fault), None
        return None, result


async def _commit(link: Link) -> Exception | None:
    """Commit; return what a statement that had waited was refused for, after rolling back."""
    if not link.is_alive:
        raise StoreError("the connection was lost before the commit: nothing was committed")
    try:
        await link.commit()
    except MySQLError as error:
        if number_of(error) not in REFUSED_COMMIT:
            link.cut(TOO_SLOW, "nobody knows what became of its commit")
            raise CommitUnknown(f"{error}: the answer of the commit was lost: read back") from error
        await take_back(link)
        raise cleared(error) from error
    except Exception as error:  # noqa: BLE001 - Of a statement before it in the packet.
        await take_back(link)
        return cleared(error)
    return None


@contextmanager
def _given_up_when_all_left(link: Link, waiting: "Sequence[asyncio.Future[Any]]") -> Iterator[None]:
    left, is_over = 0, False

    def one_left(_: object) -> None:
        nonlocal left
        left += 1
        if left == len(waiting) and not is_over:
            link.cut(TOO_SLOW, "nobody waits for this work any more")

    for answer in waiting:
        answer.add_done_callback(one_left)
    try:
        yield
    finally:
        is_over = True
        for answer in waiting:
            answer.remove_done_callback(one_left)
