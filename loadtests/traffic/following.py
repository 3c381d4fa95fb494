"""Streams that never end: what breaks one off, goes on where it was."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import Protocol, TypeVar

from runtime.errors import ServiceError

PAUSE_S = 0.1


class Sequenced(Protocol):
    """A message of a watch, with its place in the stream."""

    @property
    def sequence(self) -> int:
        """The sequence up to which everything has been sent."""


M = TypeVar("M", bound=Sequenced)
Watch = Callable[[int], AsyncGenerator[M, None]]


async def follow(watch: Watch[M], after: int = 0) -> AsyncIterator[M]:
    """Yield what `watch` opens behind a sequence, heartbeats too, again and again without a gap."""
    while True:
        try:
            async for message in _each(watch(after)):
                after = message.sequence
                yield message
        except ServiceError:
            pass  # Too slow, or away for a while: both begin again behind the last one.
        await asyncio.sleep(PAUSE_S)


async def present(stream: AsyncGenerator[M, None]) -> int:
    """Return the last sequence there is: a stream begins by saying it."""
    async with aclosing(stream) as messages:
        return (await anext(messages)).sequence


async def _each(stream: AsyncGenerator[M, None]) -> AsyncIterator[M]:
    async with aclosing(stream) as messages:
        async for message in messages:
            yield message
