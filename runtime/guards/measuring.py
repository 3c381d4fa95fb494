"""Counts every call with its code and duration, and gives it a trace if it brings none."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, contextmanager

from google.protobuf.message import Message

from runtime.errors import ServiceError
from runtime.measurements import Measurements
from runtime.rpc import Call, Method, Transport
from runtime.single import Answer, Messages, one
from runtime.trace import traced


class Measuring:
    """Counts the calls that reach the service, however they end."""

    def __init__(self, inner: Transport, measurements: Measurements, rng: random.Random) -> None:
        self._inner = inner
        self._measurements = measurements
        self._rng = rng

    def call(self, method: Method, requests: AsyncIterator[Message], call: Call) -> Messages:
        """Pass the call on and count it when it has ended."""
        call = traced(call, self._rng)
        if method.streams_responses:
            return self._stream(method, requests, call)
        return Answer(self._unary(method, requests, call))

    async def _unary(self, method: Method, requests: AsyncIterator[Message], call: Call) -> Message:
        with counted(self._measurements, method, call):
            return await one(self._inner.call(method, requests, call))

    async def _stream(
        self, method: Method, requests: AsyncIterator[Message], call: Call
    ) -> Messages:
        with counted(self._measurements, method, call):
            async with aclosing(self._inner.call(method, requests, call)) as answers:
                async for answer in answers:
                    yield answer


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
            self._measurements.add(method.path, error.code.name, 0.0)
            raise


@contextmanager
def counted(measurements: Measurements, method: Method, call: Call) -> Iterator[None]:
    """Count what happens inside the block as one call of `method`."""
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    measurements.in_flight[method.path] += 1
    code = "OK"
    try:
        yield
    except ServiceError as error:
        code = error.code.name
        raise
    except (asyncio.CancelledError, GeneratorExit):  # Left early, or out of time.
        code = "DEADLINE_EXCEEDED" if call.remaining_s() == 0 else "CANCELLED"
        raise
    except BaseException:
        code = "UNKNOWN"
        raise
    finally:
        measurements.in_flight[method.path] -= 1
        measurements.add(method.path, code, loop.time() - began_s)
