"""Counts calls at either end of the wire, each exactly once, however it ends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

from google.protobuf.message import Message

from runtime.errors import ServiceError
from runtime.measurements import Measurements, MethodCalls
from runtime.observe.scope import sampled_trace_id
from runtime.rpc import Call, Method, Transport
from runtime.single import Answer, Messages, Only, one


class Counted:
    """A transport whose calls are counted with code, duration, messages and sizes.

    Give it to `client_for` to count what a process calls: a repeat is a call of its own, as
    it is for the server. A call that is never awaited, or a stream that is never read, did
    not begin and is not counted.
    """

    def __init__(self, inner: Transport, measurements: Measurements) -> None:
        self._inner = inner
        self._measurements = measurements

    def call(self, method: Method, requests: AsyncIterator[Message], call: Call) -> Messages:
        """Pass the call on and count it when it has ended."""
        if method.streams_responses:
            return self._stream(method, requests, call)
        return Answer(self._unary(method, requests, call))

    async def _unary(self, method: Method, requests: AsyncIterator[Message], call: Call) -> Message:
        calls, time = self._measurements.at(method), asyncio.get_running_loop().time
        calls.in_flight += 1
        began_s, code = time(), "OK"
        try:
            if not self._measurements.has_sizes:
                return await one(self._inner.call(method, requests, call))
            if type(requests) is Only:
                calls.sizes.add(requests.message.ByteSize())
            else:
                requests = _Sized(requests, calls)
            answer = await one(self._inner.call(method, requests, call))
            calls.sizes.add(answer.ByteSize())
            return answer
        except BaseException as error:
            code = outcome(error, call)
            raise
        finally:
            calls.in_flight -= 1
            calls.add(code, time() - began_s, sampled_trace_id())

    async def _stream(
        self, method: Method, requests: AsyncIterator[Message], call: Call
    ) -> Messages:
        calls, loop = self._measurements.at(method), asyncio.get_running_loop()
        calls.in_flight += 1
        began_s, code = loop.time(), "OK"
        last_s = began_s
        note = _noted
        if self._measurements.has_sizes:
            requests, note = _sized(requests, calls), _noted_with_size
        try:
            async with aclosing(self._inner.call(method, requests, call)) as answers:
                async for answer in answers:
                    note(calls, answer, loop.time() - last_s)
                    yield answer
                    last_s = loop.time()  # What the reader takes its time for is no gap.
        except BaseException as error:
            code = outcome(error, call)
            raise
        finally:
            calls.in_flight -= 1
            calls.add(code, loop.time() - began_s, sampled_trace_id())


def _noted(calls: MethodCalls, answer: Message, gap_s: float) -> None:
    """Count a message of a response stream, and how long it was waited for."""
    calls.messages += 1
    if gap_s > calls.longest_gap_s:
        calls.longest_gap_s = gap_s


def _noted_with_size(calls: MethodCalls, answer: Message, gap_s: float) -> None:
    _noted(calls, answer, gap_s)
    calls.sizes.add(answer.ByteSize())


def _sized(requests: AsyncIterator[Message], calls: MethodCalls) -> AsyncIterator[Message]:
    """Return the requests, each sized as it is sent."""
    if type(requests) is not Only:
        return _Sized(requests, calls)
    calls.sizes.add(requests.message.ByteSize())
    return requests


class _Sized(AsyncIterator[Message]):
    """The same messages, sized one by one."""

    def __init__(self, messages: AsyncIterator[Message], calls: MethodCalls) -> None:
        self._messages = messages
        self._calls = calls

    async def __anext__(self) -> Message:
        message = await anext(self._messages)
        self._calls.sizes.add(message.ByteSize())
        return message


def outcome(error: BaseException, call: Call) -> str:
    """Return the code to count for a call that ended with `error`."""
    if isinstance(error, ServiceError):
        return error.code.name
    if isinstance(error, asyncio.CancelledError | GeneratorExit):  # Left early, or out of time.
        return "DEADLINE_EXCEEDED" if call.remaining_s() == 0 else "CANCELLED"
    return "UNKNOWN"
