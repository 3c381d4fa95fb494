"""How a server answers calls: so many at a time, each in its time, its failure sent."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from grpc import StatusCode, aio

from runtime.deadline import until
from runtime.door import Door, abort
from runtime.errors import ErrorInfo, RetryInfo, ServiceError, refusal, unsent
from runtime.limits import RETRY_AFTER_S, response_bytes
from runtime.local import failure, timely
from runtime.network import kind
from runtime.rpc import Call, Method, Transport
from runtime.single import Only, one

if TYPE_CHECKING:
    Context = aio.ServicerContext[Any, Any]
    Handler = grpc.RpcMethodHandler[Any, Any]  # Generic in the type stubs only.


class Answering:
    """Has `transport` answer what `door` lets in, `in_flight_max` calls at a time.

    Once `is_draining`, no call is begun any more.
    """

    def __init__(self, transport: Transport, door: Door, in_flight_max: int) -> None:
        self.is_draining = False
        self._transport = transport
        self._door = door
        self._in_flight_max = in_flight_max
        self._in_flight = 0
        self._endless: dict[asyncio.Task[Any], None] = {}
        self._quiet = asyncio.Event()  # Nothing is in flight.
        self._quiet.set()

    def end_streams(self) -> None:
        """Tell endless streams to leave; do so once, when draining."""
        for task in list(self._endless):
            task.cancel()

    async def quiet(self, within_s: float) -> None:
        """Return when nothing is in flight, or when that takes longer than it may."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._quiet.wait()

    def handler(self, method: Method) -> "Handler":
        """Return what gRPC calls for each call of `method`."""

        async def unary(request: Any, context: "Context") -> bytes | None:
            if self.is_draining:
                await self._turn_away(method, context)
            call = Call()
            self._begin()
            try:
                call = self._received(method, context)
                work = one(self._transport.call(method, _requests(method, request), call))
                answer = await (work if call.deadline_s is None else until(call.deadline_s, work))
                return response_bytes(method, answer)
            except (Exception, asyncio.CancelledError) as error:
                await self._send(error, method, context, call)
                raise
            finally:
                self._end()

        async def stream(request: Any, context: "Context") -> None:
            if self.is_draining:
                await self._turn_away(method, context)
            call, task = Call(), asyncio.current_task()
            self._begin()
            try:
                call = self._received(method, context)
                if task is not None and method.policy.deadline_s is None:
                    self._endless[task] = None
                answers = self._transport.call(method, _requests(method, request), call)
                async with aclosing(answers):
                    async for answer in timely(answers, call):
                        await context.write(response_bytes(method, answer))
            except (Exception, asyncio.CancelledError) as error:
                await self._send(error, method, context, call)
                raise
            finally:
                if task is not None:
                    self._endless.pop(task, None)
                self._end()

        make: Callable[..., Handler] = getattr(grpc, f"{kind(method)}_rpc_method_handler")
        return make(
            stream if method.streams_responses else unary,
            request_deserializer=method.request.FromString,
        )

    def _begin(self) -> None:
        self._in_flight += 1
        self._quiet.clear()

    def _end(self) -> None:
        self._in_flight -= 1
        if not self._in_flight:
            self._quiet.set()

    def _received(self, method: Method, context: "Context") -> Call:
        """Return the call that arrives; refuses it where too many are in flight."""
        call = self._door.received(context)
        if self._in_flight > self._in_flight_max and not method.policy.urgent:
            raise self._busy(method)
        return call

    async def _turn_away(self, method: Method, context: "Context") -> None:
        await self._door.admit(context)
        await abort(context, _refused(method))

    async def _send(
        self, error: BaseException, method: Method, context: "Context", call: Call
    ) -> None:
        """Send what a call fails with; returns where nobody is there to be told."""
        if isinstance(error, ServiceError):
            await abort(context, error)
        elif isinstance(error, asyncio.CancelledError):
            task = asyncio.current_task()
            if task is not None and self.is_draining and task in self._endless:
                task.uncancel()
                await abort(context, _leaving(method))
        elif isinstance(error, Exception) and not isinstance(error, aio.AbortError):
            await abort(context, failure(method, call, error))

    def _busy(self, method: Method) -> ServiceError:
        return ServiceError(
            StatusCode.RESOURCE_EXHAUSTED,
            f"{self._in_flight_max} calls are in flight, the most this server answers at a time: "
            f"nothing was done; call again in {RETRY_AFTER_S} s",
            (
                ErrorInfo(reason="TOO_MANY_IN_FLIGHT", domain=f"plimsoll.{method.service}"),
                RetryInfo(retry_delay=Duration(nanos=int(RETRY_AFTER_S * 1e9))),
            ),
        )


def _refused(method: Method) -> ServiceError:
    return unsent(
        StatusCode.UNAVAILABLE,
        "DRAINING",
        f"the server of {method.path} is stopping: nothing was done; call again in {RETRY_AFTER_S} "
        "s, where the service is then",
        service=method.service,
        retry_after_s=RETRY_AFTER_S,
    )


def _leaving(method: Method) -> ServiceError:
    return refusal(
        StatusCode.UNAVAILABLE,
        "DRAINING",
        f"the server of {method.path} is stopping: resume where the stream ended",
        service=method.service,
    )


def _requests(method: Method, received: Any) -> AsyncIterator[Message]:
    requests: AsyncIterator[Message] = received if method.streams_requests else Only(received)
    return requests
