"""One connection to a MySQL or MariaDB server, on which nothing takes for ever.

aiomysql leaves three things to be done here: statements have a limit in time, a connection
that was given up says why, and what only changes rows travels with the next question, or with
the COMMIT, in one packet: most transactions are one round trip. The server stops at the first
statement of a packet that it refuses, so it never commits what follows.
"""

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from aiomysql import Connection, OperationalError  # type: ignore[import-untyped]
from pymysql.err import MySQLError  # type: ignore[import-untyped]
from sqlalchemy.util import await_

from runtime.stores.errors import LOST, TOO_SLOW, number_of
from runtime.stores.mysql_later import Later, Waiting, Wrap, statements

GONE = 2006
SNAPSHOT = "START TRANSACTION READ ONLY"
BACK_TO = "ROLLBACK TO SAVEPOINT"
TOOK_BACK_ALL = frozenset((1213, 1020, *LOST))  # After these the transaction is no more.

Values = Sequence[Any]


class AskedTwice(Exception):
    """A second question was asked where only one sees what is right."""


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
        self.is_lazy = False  # Whether statements may wait for the next one.
        self.asked = 0  # Packets sent since somebody began to count.
        self.asks_once = False  # Whether no second packet may follow.
        self.fault: Exception | None = None  # Why its transaction must not be committed.
        self.refused: BaseException | None = None  # What a statement that had waited met.
        self._waiting = Waiting()
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

    async def query(self, sql: str | bytes) -> int:
        """Run one or several statements. Raises an error that ends the connection, too."""
        words = sql if isinstance(sql, str) else sql.decode(self.encoding, "surrogateescape")
        if words.startswith(BACK_TO):
            self._forget()
        await self._send(words)
        return int(self._affected_rows)

    async def ping_within(self, limit_s: float) -> None:
        """Return when the server has answered. Raises when it has not in time."""
        usual_s, self.statement_s = self.statement_s, limit_s
        try:
            with self._limited():
                await self.ping(reconnect=False)
        finally:
            self.statement_s = usual_s

    def begin_reading(self, *, asks_once: bool) -> None:
        """Let all that is asked until `roll_back` see one snapshot, or let there be no second."""
        self.asked, self.asks_once = 0, asks_once
        if not asks_once:
            self._waiting.add(SNAPSHOT, Later(self, lambda error: error, 1))

    async def commit(self) -> None:
        """Run what waits, and COMMIT. Raises an error of the driver if that failed, or is lost.

        Raises what a statement that had waited was refused for, wrapped, before COMMIT was run.
        """
        if self.refused is not None:
            raise self.refused
        await self._send("COMMIT")

    async def roll_back(self) -> None:
        """Run ROLLBACK; what waits is never run."""
        self._forget()
        await self._send("ROLLBACK")

    def _forget(self) -> None:
        self._waiting.clear()
        self.refused = None

    async def drop(self) -> None:
        """Let go of the socket without a word, and wait until it is closed."""
        self.close()
        if self._last_writer is not None:
            with suppress(OSError):
                await self._last_writer.wait_closed()

    def execute(self, sql: str, values: Values) -> Found:
        """Run a statement, from within a greenlet."""
        return await_(self._found(sql % self._written(values)))

    def later(self, sql: str, many: Iterable[Values], wrap: Wrap) -> Later:
        """Run a statement once for each set of values, at the latest before COMMIT.

        When it fails, `wrap` makes of the driver's error what is raised then.
        """
        texts = list(statements(sql, map(self._written, many)))
        later = Later(self, wrap, len(texts))
        for text in texts:
            if not self._waiting.has_room(text):
                self.flush()
            self._waiting.add(text, later)
        if not self.is_lazy:
            self.flush(later)
        return later

    def flush(self, asked: Later | None = None) -> None:
        """Run what waits, from within a greenlet. Raises what one of it was refused for.

        Unless it is `asked` that was, by one who may know what to do then, the transaction
        can only be taken back: what came after it was not run.
        """
        if self._waiting:
            await_(self._send("", asked))
        if self.refused is not None:
            raise self.refused

    def _written(self, values: Values) -> tuple[str, ...]:
        return tuple([self.escape(value) for value in values])

    async def _found(self, sql: str) -> Found:
        await self._send(sql)
        result = self._result
        return Found(result.rows or (), result.affected_rows, result.insert_id or 0)

    async def _send(self, last: str, asked: Later | None = None) -> None:
        """Send what waits, and `last`, in one packet; the answer to `last` is `_result` then."""
        self.asked += 1
        if self.asks_once and self.asked > 1:
            raise AskedTwice
        packet, unanswered = self._waiting.take(last)
        try:
            with self._limited():
                await self._exchange(packet, unanswered)
        except MySQLError as error:
            if not unanswered or not self.is_alive or number_of(error) in LOST:
                raise
            later = unanswered[0]
            later.error = later.wrap(error)
            if later is not asked or len(unanswered) > 1:
                self.refused = later.error
            raise later.error from error

    async def _exchange(self, packet: str, unanswered: deque[Later]) -> None:
        await super().query(packet)
        while unanswered:
            unanswered[0].take(self._result)
            unanswered.popleft()
            if self._result.has_next:
                await self.next_result()

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


async def take_back(link: Link) -> None:
    """Run ROLLBACK. When it fails, the link has a fault."""
    try:
        await link.roll_back()
    except MySQLError as error:
        link.fault = error
        return
    if link.is_alive:
        link.fault = None


async def connect(statement_s: float, **options: Any) -> Link:
    """Return an open link."""
    link = Link(statement_s, **options)
    try:
        await link._connect()
    except BaseException:
        await link.drop()
        raise
    return link
