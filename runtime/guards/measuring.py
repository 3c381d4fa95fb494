"""Counts every call with its code and duration, and gives it a trace if it brings none."""

from collections.abc import AsyncIterator

from google.protobuf.message import Message

from runtime.errors import ServiceError
from runtime.measurements import Measurements
from runtime.observe.counted import Counted
from runtime.rpc import Call, Method, Transport
from runtime.single import Answer, Messages
from runtime.trace import Traces


class Measuring(Counted):
    """Counts the calls that reach the service, however they end."""

    def __init__(self, inner: Transport, measurements: Measurements, traces: Traces) -> None:
        super().__init__(inner, measurements)
        self._traces = traces

    def call(self, method: Method, requests: AsyncIterator[Message], call: Call) -> Messages:
        """Pass the call on and count it when it has ended."""
        call = self._traces.traced(call)
        if method.streams_responses:
            return self._stream(method, requests, call)
        return Answer(self._unary(method, requests, call))


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
            self._measurements.refuse(method, error.code.name, error.reason)
            raise
