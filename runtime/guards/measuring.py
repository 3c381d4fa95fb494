"""Counts every call with its code and duration, and gives it a trace if it brings none."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import aclosing

from google.protobuf.message import Message

from runtime.errors import ServiceError
from runtime.measurements import Measurements
from runtime.rpc import Call, Method, Transport
from runtime.single import Answer, Messages, one
from runtime.trace import Traces


class Measuring:
    """Counts the calls that reach the service, however they end."""

    def __init__(self, inner: Transport, measurements: Measurements, rng: random.Random) -> None:
        self._inner = inner
        self._measurements = measurements
        self._traces = Traces(rng)

    def call(self, method: Method, requests: AsyncIterator[Message], call: Call) -> Messages:
        """Pass the call on and count it when it has ended."""
        call = self._traces.traced(call)
        if method.streams_responses:
            return self._stream(method, requests, call)
        return Answer(self._unary(method, requests, call))

    async def _unary(self, method: Method, requests: AsyncIterator[Message], call: Call) -> Message:
        calls, loop = self._measurements.of(method.path), asyncio.get_running_loop()
        calls.in_flight += 1
        began_s, code = loop.time(), "OK"
        try:
            return await one(self._inner.call(method, requests, call))
        except BaseException as error:
            code = outcome(error, call)
            raise
        finally:
            calls.in_flight -= 1
            calls.add(code, loop.time() - began_s)

    async def _stream(
        self, method: Method, requests: AsyncIterator[Message], call: Call
    ) -> Messages:
        calls, loop = self._measurements.of(method.path), asyncio.get_running_loop()
        calls.in_flight += 1
        began_s, code = loop.time(), "OK"
        try:
            async with aclosing(self._inner.call(method, requests, call)) as answers:
                async for answer in answers:
                    yield answer
        except BaseException as error:
            code = outcome(error, call)
            raise
        finally:
            calls.in_flight -= 1
            calls.add(code, loop.time() - began_s)


class Refusals:
    """Counts the calls that a guard refuses at once: they never reach `Measuring`."""

    def __init__(self, inner: Transport, measurements: Measurements) -> None:
        self._inner = inner
        self._measurements = measurements

    def call(self, method: Method, requests: AsyncIterator[Message], call: Call) -> Messages:
        """Pass the call on."""
        try:
            return self._inner.call(method, requests, call)
        except ServiceError as error:
            self._measurements.of(method.path).add(error.code.name, 0.0)
            raise


def outcome(error: BaseException, call: Call) -> str:
    """Return the code to count for a call that ended with `error`."""
    if isinstance(error, ServiceError):
        return error.code.name
    if isinstance(error, asyncio.CancelledError | GeneratorExit):  # Left early, or out of time.
        return "DEADLINE_EXCEEDED" if call.remaining_s() == 0 else "CANCELLED"
    return "UNKNOWN"
