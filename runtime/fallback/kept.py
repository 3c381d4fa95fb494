"""The requests of a call, so kept that another way can begin with the first one."""

import asyncio
from collections.abc import AsyncIterator
from typing import Protocol

from google.protobuf.message import Message

from runtime.single import Only

KEPT_MAX = 4  # A way without a connection takes one or two before it says so.


class Source(Protocol):
    """The requests of one call, for one reader after another."""

    @property
    def is_whole(self) -> bool:
        """Whether the next reader would miss nothing."""

    def reader(self) -> AsyncIterator[Message]:
        """Return the requests from the first on."""

    def settle(self) -> None:
        """Keep no more: the way that is taken will do."""

    def close(self) -> None:
        """Let the caller's stream go."""


def kept(requests: AsyncIterator[Message]) -> Source:
    """Return `requests` as a source; a stream stays whole only while little of it is taken."""
    return _Single(requests.message) if isinstance(requests, Only) else Kept(requests)


class _Single:
    is_whole = True

    def __init__(self, message: Message) -> None:
        self._message = message

    def reader(self) -> AsyncIterator[Message]:
        return Only(self._message)

    def settle(self) -> None:
        """Nothing is kept."""

    def close(self) -> None:
        """Nothing is open."""


class Kept:
    """Lends a stream of requests to one reader after another, while little of it is taken.

    A reader that is cancelled while it waits for a request must not end the stream for the
    next one, so a task of its own does the waiting; no longer once the stream cannot begin anew.
    """

    def __init__(self, source: AsyncIterator[Message]) -> None:
        self.is_whole = True  # Whether the next reader would miss nothing.
        self._source = source
        self._taken: list[Message] = []
        self._next: asyncio.Task[Message] | None = None

    def reader(self) -> AsyncIterator[Message]:
        """Return the requests from the first on."""
        assert self.is_whole, "what was taken is not kept any more"
        return _Reader(self)

    async def at(self, index: int) -> Message:
        """Return a request, taking it from the caller if it is not kept."""
        if index < len(self._taken):
            return self._taken[index]
        if not self.is_whole and self._next is None:
            return await anext(self._source)
        if self._next is None:
            self._next = asyncio.ensure_future(_taken(self._source))
        taking = self._next
        message = await asyncio.shield(taking)
        self._next = None
        self._keep(message)
        return message

    def settle(self) -> None:
        """Keep no more: the way that is taken will do."""
        self.is_whole = False

    def close(self) -> None:
        """Let the caller's stream go."""
        self.is_whole = False
        if self._next is not None:
            self._next.add_done_callback(_heard)
            self._next.cancel()

    def _keep(self, message: Message) -> None:
        if self.is_whole and len(self._taken) < KEPT_MAX:
            self._taken.append(message)
        else:
            self.is_whole = False


class _Reader(AsyncIterator[Message]):
    def __init__(self, kept: Kept) -> None:
        self._kept = kept
        self._at = 0

    async def __anext__(self) -> Message:
        message = await self._kept.at(self._at)
        self._at += 1
        return message


async def _taken(source: AsyncIterator[Message]) -> Message:
    return await anext(source)


def _heard(task: "asyncio.Task[Message]") -> None:
    """Take note of how the caller's stream ended: nobody else asks."""
    if not task.cancelled():
        task.exception()
