"""Reads of one snapshot each, in as few round trips as that takes."""

from collections.abc import Callable
from functools import partial
from types import CodeType
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.util import greenlet_spawn

from runtime.stores.mysql_link import take_back
from runtime.stores.mysql_links import Held, Links

T = TypeVar("T")
Ended = tuple[Exception | None, T | None]


class Reader:
    """Runs work that only reads.

    A single question sees one snapshot by itself. Work that has asked no more so far runs
    without a transaction; should it ask a second one, it runs again, in a transaction.
    """

    def __init__(self, links: Links) -> None:
        self._links = links
        self._asks_once: dict[CodeType, bool] = {}  # Work is known by what it is made of.

    async def read(self, body: Callable[[Connection], T]) -> T:
        """Return what `body` read."""
        code = _code(body)
        async with self._links.held() as held:
            failure, result = await self._run(held, body, code)
        if failure is not None:
            raise failure
        return result  # type: ignore[return-value]

    async def _run(
        self, held: Held, body: Callable[[Connection], T], code: CodeType | None
    ) -> Ended[T]:
        if code is not None and self._asks_once.get(code):
            ended, asked = await _look(held, body, asks_once=True)
            if asked <= 1:
                return ended
            self._asks_once[code] = False
        ended, asked = await _look(held, body, asks_once=False)
        if code is not None and ended[0] is None:
            self._asks_once.setdefault(code, asked <= 1)
        return ended


async def _look(
    held: Held, body: Callable[[Connection], T], *, asks_once: bool
) -> tuple[Ended[T], int]:
    """Return how `body` ended, and how often it asked; no transaction is open after it."""
    link = held.link
    link.begin_reading(asks_once=asks_once)
    failure: Exception | None = None
    result: T | None = None
    try:
        result = await greenlet_spawn(body, held.connection)
    except Exception as error:  # noqa: BLE001 - `read` raises it, once nothing is open.
        failure = error
    asked, link.asks_once = link.asked, False
    if link.is_alive and (failure is not None or not asks_once):
        await take_back(link)
    return (failure, result), asked


def _code(work: Callable[..., Any]) -> CodeType | None:
    while isinstance(work, partial):
        work = work.func
    code = getattr(work, "__code__", None)
    return code if isinstance(code, CodeType) else None
