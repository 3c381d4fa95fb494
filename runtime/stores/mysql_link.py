"""One connection to a MySQL or MariaDB server, on which nothing takes for ever.

aiomysql leaves two things to be done here: statements have a limit in time, and a connection
that was given up says why.
"""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from aiomysql import Connection, OperationalError  # type: ignore[import-untyped]
from aiomysql.cursors import RE_INSERT_VALUES  # type: ignore[import-untyped]
from pymysql.err import MySQLError  # type: ignore[import-untyped]
from sqlalchemy.util import await_

from runtime.stores.errors import LOST, TOO_SLOW, number_of

GONE = 2006
BATCH_BYTES_MAX = 1_000_000  # Of one packet; servers take 16 MiB at least.
BATCH_STATEMENTS_MAX = 256
TOOK_BACK_ALL = frozenset((1213, 1020, *LOST))  # After these the transaction is no more.

Values = Sequence[Any]


@dataclass(frozen=True, slots=True)
class Found:
    """What a statement brought."""

    rows: Sequence[Values]
    rowcount: int
    lastrowid: int

    def fetchall(self) -> Sequence[Values]:
        """Return all rows."""
        return self.rows


class Link(Connection):  # type: ignore[misc]
    """A connection whose statements end within `statement_s`, or the connection ends."""

    def __init__(self, statement_s: float, **options: Any) -> None:
        super().__init__(**options)
        self._writer: asyncio.StreamWriter | None
        self._reader: asyncio.StreamReader | None
        self.statement_s = statement_s
        self.fault: Exception | None = None  # Why its transaction must not be committed.
        self._cut: OperationalError | None = None
        self._last_writer: asyncio.StreamWriter | None = None

    @property
    def is_alive(self) -> bool:
        """Whether it may be used, as far as this end knows: a server that ended told us so."""
        if self._writer is None or self._reader is None or self._cut is not None:
            return False
        if self._reader.at_eof():
            return False
        return self._reader.exception() is None and not self._writer.transport.is_closing()

    def cut(self, number: int, text: str) -> None:
        """End the connection at once; what waits for it fails with this."""
        if self._cut is None:
            self._cut = OperationalError(number, text)
        if self._writer is not None:
            self._writer.transport.abort()

    def close(self) -> None:
        """Let go of the socket; what waits for it fails."""
        if self._writer is not None:
            self._last_writer = self._writer
            self._writer.transport.abort()
        self._writer = self._reader = None

    async def query(self, sql: str | bytes, unbuffered: bool = False) -> int:
        """Run one or several statements. Raises an error that ends the connection, too."""
        with self._limited():
            return int(await super().query(sql, unbuffered))

    async def ping_within(self, limit_s: float) -> None:
        """Return when the server has answered. Raises when it has not in time."""
        usual_s, self.statement_s = self.statement_s, limit_s
        try:
            with self._limited():
                await self.ping(reconnect=False)
        finally:
            self.statement_s = usual_s

    async def end(self, word: str) -> None:
        """Run COMMIT or ROLLBACK."""
        with self._limited():
            await super().query(word)

    async def drop(self) -> None:
        """Let go of the socket without a word, and wait until it is closed."""
        self.close()
        if self._last_writer is not None:
            with suppress(OSError):
                await self._last_writer.wait_closed()

    def execute(self, sql: str, values: Values) -> Found:
        """Run a statement, from within a greenlet."""
        return await_(self._found(sql % self._written(values)))

    def executemany(self, sql: str, many: Iterator[Values]) -> Found:
        """Run a statement once for each set of values, in as few packets as it takes."""
        rowcount = 0
        for packet in self._packets(sql, many):
            rowcount += await_(self._changed(packet))
        return Found((), rowcount, 0)

    def _written(self, values: Values) -> tuple[str, ...]:
        return tuple([self.escape(value) for value in values])

    def _packets(self, sql: str, many: Iterator[Values]) -> Iterator[str]:
        """Yield one INSERT of many rows, or many statements after one another."""
        head, row, between, tail = "", sql, ";", ""
        if match := RE_INSERT_VALUES.match(sql):
            head, row, between, tail = match[1] % (), match[2], ",", (match[3] or "") % ()
        waiting: list[str] = []
        size = 0
        for values in many:
            text = row % self._written(values)
            if waiting and (
                size + len(text) > BATCH_BYTES_MAX or len(waiting) == BATCH_STATEMENTS_MAX
            ):
                yield head + between.join(waiting) + tail
                waiting, size = [], 0
            waiting.append(text)
            size += len(text)
        if waiting:
            yield head + between.join(waiting) + tail

    async def _found(self, sql: str) -> Found:
        await self.query(sql)
        result = self._result
        return Found(result.rows or (), result.affected_rows, result.insert_id or 0)

    async def _changed(self, sql: str) -> int:
        """Run statements sent together; return how many rows all of them changed."""
        with self._limited():
            rowcount = int(await super().query(sql))
            while self._result.has_next:
                rowcount += int(await self.next_result())
        return rowcount

    @contextmanager
    def _limited(self) -> Iterator[None]:
        if not self.is_alive:
            raise self._cut or OperationalError(GONE, "the server has closed the connection")
        text = f"the server did not answer within {self.statement_s:g} s"
        timer = self._loop.call_later(self.statement_s, self.cut, TOO_SLOW, text)
        try:
            yield
        except MySQLError as error:
            if not self.is_alive or number_of(error) in TOOK_BACK_ALL:
                self.fault = error if self._cut is None else self._cut
            if self._cut is not None:
                raise self._cut from error
            raise
        finally:
            timer.cancel()


async def connect(statement_s: float, **options: Any) -> Link:
    """Return an open link."""
    link = Link(statement_s, **options)
    try:
        await link._connect()
    except BaseException:
        await link.drop()
        raise
    return link
