"""The serving side of REST: ports on a socket, with pages beside them and a bounded end."""

import asyncio
import random
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from aiohttp import web
from grpc import StatusCode

from runtime.deadline import until
from runtime.door import check_plain_text
from runtime.errors import ServiceError
from runtime.guards import guarded
from runtime.limits import DRAIN_S, IN_FLIGHT_MAX
from runtime.local import failure, timely
from runtime.measurements import CAME_BY
from runtime.rest.asking import arrived, requests
from runtime.rest.listening import Listening, url_too_long
from runtime.rest.pages import Pages
from runtime.rest.problems import HttpRefusal
from runtime.rest.refusals import busy, leaving
from runtime.rest.reply import Reply
from runtime.rest.wire import HEADERS_BYTES_MAX, PREFIX, URL_BYTES_MAX, with_small_buffers
from runtime.rpc import Call, Method, Port, Transport, methods
from runtime.single import one
from runtime.trace import Traces
from runtime.virtual import require_real_time

if TYPE_CHECKING:
    from runtime.tls import ServerTls  # Only who uses it pays for what reads certificates.

T = TypeVar("T")

# Told the HTTP method, the route, the status, and how long it took, in seconds.
OnAnswer = Callable[[str, str, int, float], None]
VERBS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
NO_STATUS = 499  # The caller left before there was an answer.
KEEPALIVE_S = 75.0  # Longer than clients keep theirs: none is closed just as it is used.
LINGER_S = 1.0  # So long is read on, unheard, that a caller may hear why it was refused.
HEADERS_MAX = 256


class RestServer:
    """Serves ports as JSON over HTTP, each call through the guards.

    As with `runtime.server.Server`, where `through` knows the way to services that are built
    later, their port classes do; `rng` makes the trace ids of callers that bring none.
    """

    def __init__(
        self,
        ports: Sequence[Port | type[Port]],
        *,
        through: Callable[[Sequence[Port]], Transport] = guarded,
        pages: Pages | None = None,
        in_flight_max: int = IN_FLIGHT_MAX,
        drain_s: float = DRAIN_S,
    ) -> None:
        require_real_time("a REST server")
        self.tcp_port = 0  # Once it listens: where.
        self._transport = through(ports)  # type: ignore[arg-type]
        self._pages = pages or Pages()
        self.on_answer: OnAnswer | None = None  # Told of every answer.
        self._in_flight_max = in_flight_max
        self._drain_s = drain_s
        self._in_flight: dict[asyncio.Task[Any], Method] = {}
        self._is_draining = False
        self._tls: ServerTls | None = None
        self._traces = Traces(random.SystemRandom())
        self._methods = {
            PREFIX + method.path: method
            for port in ports
            for method in methods(port if isinstance(port, type) else type(port))
        }
        self._http = Listening(
            self._answer,
            handler_cancellation=True,
            keepalive_timeout=KEEPALIVE_S,
            lingering_time=LINGER_S,
            max_line_size=URL_BYTES_MAX,
            max_field_size=HEADERS_BYTES_MAX,
            max_headers=HEADERS_MAX,
            auto_decompress=False,
            access_log=None,
        )
        self._socket: asyncio.Server | None = None

    async def start(
        self,
        address: str = "127.0.0.1:0",
        credentials: "ServerTls | None" = None,
        *,
        is_plain_text_allowed: bool = False,
    ) -> int:
        """Listen on `address`; returns the TCP port, chosen by the system if `address` says 0.

        With credentials every client must show a certificate of the platform. Without, raises
        ValueError for an address that others reach, unless plain text is allowed there.
        """
        context = None
        if credentials is None:
            check_plain_text(address, is_allowed=is_plain_text_allowed)
        else:
            self._tls, context = credentials, credentials.http_context()
        host, _, tcp_port = address.rpartition(":")
        listening = with_small_buffers(socket.create_server((host, int(tcp_port))))
        loop = asyncio.get_running_loop()
        self._socket = await loop.create_server(self._http, sock=listening, ssl=context)
        self.tcp_port = listening.getsockname()[1]
        return self.tcp_port

    async def drain(self) -> None:
        """Begin no call any more, finish those in flight, the drain time at most.

        Endless streams are told to leave. Pages are answered to the end.
        """
        if not self._is_draining:
            self._is_draining = True
            for task, method in self._in_flight.items():
                if _is_endless(method):
                    task.cancel()
        if self._in_flight:
            await asyncio.wait(list(self._in_flight), timeout=self._drain_s)

    async def stop(self) -> None:
        """Drain, end what is still in flight, and listen no more."""
        if self._socket is not None:
            self._socket.close()
        await self.drain()
        for task in self._in_flight:
            task.cancel()
        if self._in_flight:
            await asyncio.wait(list(self._in_flight), timeout=1.0)
        self._http.pre_shutdown()
        await self._http.shutdown(1.0)

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        if (on_answer := self.on_answer) is None:
            return await self._answered(request)
        loop, status = asyncio.get_running_loop(), NO_STATUS
        began_s = loop.time()
        try:
            response = await self._answered(request)
            status = response.status
            return response
        finally:
            verb = request.method if request.method in VERBS else "other"
            on_answer(verb, self._route(request), status, loop.time() - began_s)

    async def _answered(self, request: web.BaseRequest) -> web.StreamResponse:
        method = self._methods.get(request.raw_path)
        if method is not None and request.method == "POST":
            return await self._call(method, request)
        page = self._pages.at(request.raw_path)
        if page is not None and request.method in ("GET", "HEAD"):
            return await page()
        return await Reply(request).fail(self._lost(request))

    async def _call(self, method: Method, request: web.BaseRequest) -> web.StreamResponse:
        CAME_BY.set("rest")
        reply, call = Reply(request, method), Call()
        task = asyncio.current_task()
        assert task is not None
        with self._counted(task, method):
            try:
                call = arrived(method, request, reply, self._traces, self._tls)
                self._check_room(method)
                if method.streams_responses:
                    return await self._stream(method, request, reply, call)
                return await _timed(call, self._unary(method, request, reply, call))
            except ServiceError as error:
                return await reply.fail(error)
            except asyncio.CancelledError:
                if not (self._is_draining and _is_endless(method)):
                    raise
                task.uncancel()
                return await reply.fail(leaving(method))
            except ConnectionError:
                raise
            except Exception as error:  # noqa: BLE001 - As over every transport: UNKNOWN, logged.
                return await reply.fail(failure(method, call, error))

    async def _unary(
        self, method: Method, request: web.BaseRequest, reply: Reply, call: Call
    ) -> web.StreamResponse:
        arriving = await requests(method, request, reply)
        return reply.answer(await one(self._transport.call(method, arriving, call)))

    async def _stream(
        self, method: Method, request: web.BaseRequest, reply: Reply, call: Call
    ) -> web.StreamResponse:
        arriving = await _timed(call, requests(method, request, reply))
        async with reply.beating(), aclosing(self._transport.call(method, arriving, call)) as said:
            async for message in timely(said, call):
                await reply.say(message)
            return await reply.end()

    @contextmanager
    def _counted(self, task: asyncio.Task[Any], method: Method) -> Iterator[None]:
        self._in_flight[task] = method
        try:
            yield
        finally:
            del self._in_flight[task]

    def _route(self, request: web.BaseRequest) -> str:
        """Return the path, if something is served there: others would be without number."""
        path = request.raw_path
        return path if path in self._methods or self._pages.at(path) else "unmatched"

    def _check_room(self, method: Method) -> None:
        if self._is_draining:
            raise leaving(method)
        if len(self._in_flight) > self._in_flight_max:
            raise busy(method, self._in_flight_max)

    def _lost(self, request: web.BaseRequest) -> HttpRefusal:
        path, _, query = request.raw_path.partition("?")
        if len(request.raw_path) > URL_BYTES_MAX:
            return url_too_long()
        if path in self._methods and query:
            text = f"{path} has a query, must have none: what is asked belongs into the body"
            return HttpRefusal(400, StatusCode.INVALID_ARGUMENT, "UNKNOWN_QUERY", text)
        if path in self._methods:
            text = f"{path} is called with POST, not {request.method[:20]}"
            return HttpRefusal(405, StatusCode.UNIMPLEMENTED, "WRONG_HTTP_METHOD", text)
        text = f"nothing is served at {path[:200]}: calls go to {PREFIX}/<package>.<Service>/<Rpc>"
        return HttpRefusal(404, StatusCode.UNIMPLEMENTED, "NO_SUCH_PATH", text)


def _is_endless(method: Method) -> bool:
    return method.streams_responses and method.policy.deadline_s is None


async def _timed(call: Call, work: Coroutine[Any, Any, T]) -> T:
    return await (work if call.deadline_s is None else until(call.deadline_s, work))


@asynccontextmanager
async def serve_rest(
    ports: Sequence[Port],
    *,
    through: Callable[[Sequence[Port]], Transport] = guarded,
    pages: Pages | None = None,
    credentials: "ServerTls | None" = None,
) -> AsyncIterator[int]:
    """Serve `ports` on 127.0.0.1 until the block ends; yields the bound TCP port."""
    server = RestServer(ports, through=through, pages=pages)
    tcp_port = await server.start(credentials=credentials)
    try:
        yield tcp_port
    finally:
        await server.stop()
