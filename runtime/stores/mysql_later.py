"""Statements that wait for the next one whose answer somebody needs, and travel with it."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any, Protocol

from aiomysql.cursors import RE_INSERT_VALUES  # type: ignore[import-untyped]

from runtime.stores.errors import StoreError

BATCH_BYTES_MAX = 1_000_000  # Of one packet; servers take 16 MiB at least.
BATCH_STATEMENTS_MAX = 256
Wrap = Callable[[Exception], BaseException]  # What an error of the driver is to its caller.


class Sender(Protocol):
    """What sends statements that wait."""

    def flush(self, asked: "Later | None" = None) -> None:
        """Send what waits, from within a greenlet; `asked` is who wants to know."""


class Later:
    """What a statement brings, which may not have been sent yet: looking at it sends it."""

    def __init__(self, sender: Sender, wrap: Wrap, count: int) -> None:
        self.wrap = wrap
        self.error: BaseException | None = None
        self._sender = sender
        self._left = count  # Statements that are not answered.
        self._rowcount = 0
        self._lastrowid = 0

    @property
    def rowcount(self) -> int:
        """How many rows it changed."""
        self._look()
        return self._rowcount

    @property
    def lastrowid(self) -> int:
        """The number that the last row was given."""
        self._look()
        return self._lastrowid

    def take(self, result: Any) -> None:
        """Take the answer to the next of its statements."""
        self._rowcount += result.affected_rows
        self._lastrowid = result.insert_id or 0
        self._left -= 1

    def _look(self) -> None:
        if self._left and self.error is None:
            self._sender.flush(self)
        if self.error is not None:
            raise self.error
        if self._left:
            raise StoreError("the statement was taken back before it was sent")


class Waiting:
    """The statements that wait, in order; there is room for one packet of them."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._laters: deque[Later] = deque()
        self._bytes = 0

    def __bool__(self) -> bool:
        """Whether anything waits."""
        return bool(self._texts)

    def has_room(self, text: str) -> bool:
        """Whether the packet takes one more, as it always takes the first."""
        size = self._bytes + len(text)
        return not self or (size <= BATCH_BYTES_MAX and len(self._texts) < BATCH_STATEMENTS_MAX)

    def add(self, text: str, later: Later) -> None:
        """Let a statement wait behind the others."""
        self._texts.append(text)
        self._laters.append(later)
        self._bytes += len(text) + 1

    def take(self, last: str) -> tuple[str, deque[Later]]:
        """Return the packet of all that waited and of `last`, and whose answers come first."""
        packet = ";".join([*self._texts, last] if last else self._texts)
        laters = self._laters
        self.clear()
        return packet, laters

    def clear(self) -> None:
        """Forget them all: what they belong to is taken back."""
        self._texts, self._laters, self._bytes = [], deque(), 0


def statements(sql: str, many: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """Yield few INSERTs of many rows, or any other statement once for each set of literals."""
    parts = _parts(sql)
    if parts is None:
        yield from (sql % literals for literals in many)
        return
    head, row, tail = parts
    rows: list[str] = []
    size = 0
    for literals in many:
        text = row % literals
        if rows and (size + len(text) > BATCH_BYTES_MAX or len(rows) == BATCH_STATEMENTS_MAX):
            yield head + ",".join(rows) + tail
            rows, size = [], 0
        rows.append(text)
        size += len(text)
    if rows:
        yield head + ",".join(rows) + tail


@lru_cache(maxsize=1_024)
def _parts(sql: str) -> tuple[str, str, str] | None:
    """Return what is before the values of an INSERT, the values, and what comes after them."""
    match = RE_INSERT_VALUES.match(sql)
    return None if match is None else (match[1] % (), match[2], (match[3] or "") % ())
