"""Keeps the deadline on the serving side: the caller's or the contract's, whichever is less."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

from google.protobuf.message import Message
from grpc import StatusCode

from runtime.deadline import until
from runtime.errors import refusal
from runtime.local import failure, timely
from runtime.rpc import Call, Method, Transport
from runtime.single import Answer, Messages, one

LEAST_S = 0.005  # With less left no answer would arrive in time, so nothing is begun (O2).


class Expiry:
    """Refuses a call that comes too late and ends one that takes longer than its contract.

    The caller's own deadline is kept by the transport that carried the call here.
    """

    def __init__(self, inner: Transport) -> None:
        self._inner = inner

    def call(self, method: Method, requests: AsyncIterator[Message], call: Call) -> Messages:
        """Pass the call on within its time, or raise DEADLINE_EXCEEDED before any effect."""
        bounded = call.started(method.policy.deadline_s)
        if bounded.deadline_s is None:
            return self._inner.call(method, requests, bounded)
        left_s = bounded.deadline_s - asyncio.get_running_loop().time()
        if left_s < LEAST_S:
            raise refusal(
                StatusCode.DEADLINE_EXCEEDED,
                "TOO_LATE",
                f"{method.path} has {left_s * 1000:.1f} ms left, must have {LEAST_S * 1000:.0f} ms"
                ": nothing was done; allow more time",
                service=method.service,
            )
        if bounded is call:
            return self._inner.call(method, requests, call)
        if method.streams_responses:
            return self._stream(method, requests, bounded)
        return Answer(self._unary(method, requests, bounded))

    async def _unary(self, method: Method, requests: AsyncIterator[Message], call: Call) -> Message:
        assert call.deadline_s is not None
        try:
            return await until(call.deadline_s, one(self._inner.call(method, requests, call)))
        except TimeoutError as error:
            raise failure(method, call, error) from error

    async def _stream(
        self, method: Method, requests: AsyncIterator[Message], call: Call
    ) -> Messages:
        try:
            async with aclosing(self._inner.call(method, requests, call)) as answers:
                async for answer in timely(answers, call):
                    yield answer
        except TimeoutError as error:
            raise failure(method, call, error) from error
