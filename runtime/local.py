"""Calls to objects in this process: no network, but the same rules.

Each message crosses as bytes: neither side ever sees the other change what it holds.
"""

import logging
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import aclosing

from google.protobuf.message import Message
from grpc import StatusCode

from runtime.deadline import DeadlinePassed, until
from runtime.errors import ServiceError, Unsent, refusal
from runtime.limits import request_bytes, response_bytes
from runtime.rpc import Call, Method, Port, Transport, invoke, methods
from runtime.single import Answer, Messages, Only, one

log = logging.getLogger(__name__)


class Direct:
    """Hands each call to the port object that serves it: no copies, no deadline, no guard."""

    def __init__(self, ports: Iterable[Port]) -> None:
        self._routes = {m.path: port for port in ports for m in methods(type(port))}

    def call(self, method: Method, requests: AsyncIterator[Message], call: Call) -> Messages:
        """Return what the service answers."""
        port = self._routes.get(method.path)
        if port is None:
            raise refusal(
                StatusCode.UNIMPLEMENTED,
                "NO_SUCH_SERVICE",
                f"no service for {method.path}: add one to the ports of this transport",
                service=method.service,
            )
        return invoke(method, port, requests, call)


class LocalTransport:
    """Carries calls to ports of this process; both sides get their own copy of each message."""

    def __init__(
        self, ports: Sequence[Port], through: Callable[[Sequence[Port]], Transport] = Direct
    ) -> None:
        self._inner = through(ports)

    def call(self, method: Method, requests: AsyncIterator[Message], call: Call) -> Messages:
        """Return copies of what the service answers."""
        if method.is_unary and type(requests) is Only:
            return Answer(self._unary(method, requests.message, call.started()))
        return self._stream(method, requests, call.started())

    async def _unary(self, method: Method, request: Message, call: Call) -> Message:
        try:
            received = method.request.FromString(request_bytes(method, request))
            work = one(self._inner.call(method, Only(received), call))
            answer = await (work if call.deadline_s is None else until(call.deadline_s, work))
            return method.response.FromString(response_bytes(method, answer))
        except Unsent as error:  # What the service could not send: its own business.
            raise error.passed_on() from error
        except ServiceError:
            raise
        except Exception as error:
            raise failure(method, call, error) from error

    async def _stream(
        self, method: Method, requests: AsyncIterator[Message], call: Call
    ) -> Messages:
        try:
            received = _Received(method, requests)
            async with aclosing(self._inner.call(method, received, call)) as answers:
                async for answer in timely(answers, call):
                    yield method.response.FromString(response_bytes(method, answer))
        except Unsent as error:  # What the service could not send: its own business.
            raise error.passed_on() from error
        except ServiceError:
            raise
        except Exception as error:
            raise failure(method, call, error) from error


async def timely(messages: Messages, call: Call) -> Messages:
    """Relay `messages`; raises TimeoutError when the next one is not there by the deadline."""
    while True:
        step = anext(messages)
        try:
            yield await (step if call.deadline_s is None else until(call.deadline_s, step))
        except StopAsyncIteration:
            return


def failure(method: Method, call: Call, error: Exception) -> ServiceError:
    """Return what the caller sees of a deadline that passed, or of a bug, which is logged."""
    is_late = isinstance(error, TimeoutError) and call.remaining_s() == 0
    if is_late or isinstance(error, DeadlinePassed):
        return refusal(
            StatusCode.DEADLINE_EXCEEDED,
            "DEADLINE_EXCEEDED",
            f"{method.path} took over {call.timeout_s} s: read back whether it happened",
            service=method.service,
        )
    log.error("bug in %s", method.path, exc_info=error)
    return refusal(StatusCode.UNKNOWN, "BUG", f"{method.path}: {error!r}", service=method.service)


class _Received(AsyncIterator[Message]):
    """The service's own copies of the requests of a stream."""

    def __init__(self, method: Method, requests: AsyncIterator[Message]) -> None:
        self._method = method
        self._requests = requests

    async def __anext__(self) -> Message:
        request = await anext(self._requests)
        return self._method.request.FromString(request_bytes(self._method, request))
