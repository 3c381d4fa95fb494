"""Counts the calls on their way through one service, so that it can be ended between calls."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

from google.protobuf.message import Message

from runtime.limits import DRAIN_S
from runtime.rpc import Call, Method, Transport
from runtime.single import Answer, Messages, one


class InFlight:
    """A transport that knows how many calls are in flight; streams that never end do not count."""

    def __init__(self, inner: Transport) -> None:
        self.count = 0
        self._inner = inner
        self._quiet = asyncio.Event()
        self._quiet.set()

    def call(self, method: Method, requests: AsyncIterator[Message], call: Call) -> Messages:
        """Carry one call."""
        if method.streams_responses:
            return self._inner.call(method, requests, call)
        return Answer(self._counted(method, requests, call))

    async def quiet(self, within_s: float = DRAIN_S) -> None:
        """Return when no call is in flight any more, or when that takes longer than it may."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._quiet.wait()

    async def _counted(
        self, method: Method, requests: AsyncIterator[Message], call: Call
    ) -> Message:
        self.count += 1
        self._quiet.clear()
        try:
            return await one(self._inner.call(method, requests, call))
        finally:
            self.count -= 1
            if not self.count:
                self._quiet.set()
