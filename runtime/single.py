"""A unary side is a stream of exactly one message: here with a short way for the common case.

`Only` is a request already in hand, `Answer` a response that one coroutine returns. Both are
ordinary streams to whoever iterates; transports that recognise them skip the iteration.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Coroutine
from types import TracebackType
from typing import Any

from google.protobuf.message import Message
from grpc import StatusCode

from runtime.errors import ServiceError

Messages = AsyncGenerator[Message, None]


class Only(AsyncIterator[Message]):
    """A stream of the one message given."""

    __slots__ = ("_is_taken", "message")

    def __init__(self, message: Message) -> None:
        self.message = message
        self._is_taken = False

    async def __anext__(self) -> Message:
        """Return the message the first time it is asked for."""
        if self._is_taken:
            raise StopAsyncIteration
        self._is_taken = True
        return self.message


class Answer(AsyncGenerator[Message, None]):
    """A stream of the one message that `work` returns. `one` is the short way to it."""

    __slots__ = ("_work",)

    def __init__(self, work: Coroutine[Any, Any, Message]) -> None:
        self._work: Coroutine[Any, Any, Message] | None = work

    async def asend(self, value: None) -> Message:
        """Return the message the first time it is asked for."""
        if self._work is None:
            raise StopAsyncIteration
        return await one(self)

    async def athrow(
        self,
        typ: Any,
        val: BaseException | object = None,
        tb: TracebackType | None = None,
    ) -> Message:
        """End the stream with the error given."""
        await self.aclose()
        raise typ

    async def aclose(self) -> None:
        """End the work if it never began."""
        work, self._work = self._work, None
        if work is not None:
            work.close()


def one(messages: AsyncIterator[Message]) -> Awaitable[Message]:
    """Return what, awaited, is the only message of a unary side. Its stream is then ended."""
    if type(messages) is not Answer:
        return _first(messages)
    work, messages._work = messages._work, None  # Each layer of a call asks: no call for that.
    assert work is not None, "an answer can be awaited once"
    return work


async def _first(messages: AsyncIterator[Message]) -> Message:
    if type(messages) is Only:
        return messages.message
    try:
        async for message in messages:
            return message
    finally:
        if isinstance(messages, AsyncGenerator):
            await messages.aclose()
    raise ServiceError(
        StatusCode.INTERNAL, "the stream was empty, must hold one message: a transport lost it"
    )
