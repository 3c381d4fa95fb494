"""The calling side of REST: a session and the transport that uses it."""

import math
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import aiohttp
from aiohttp.abc import AbstractCookieJar
from google.protobuf.message import Message
from grpc import StatusCode
from yarl import URL

from runtime.connecting import Unconnected
from runtime.deadline import until
from runtime.errors import ServiceError, refusal
from runtime.limits import KEEPALIVE_ANSWER_S, KEEPALIVE_S
from runtime.local import failure, timely
from runtime.rest.codec import Unreadable, from_json, from_value, parsed
from runtime.rest.lines import TooLarge, lines, pieces, whole
from runtime.rest.metadata import to_headers
from runtime.rest.problems import from_answer, from_document
from runtime.rest.sending import Outgoing, body
from runtime.rest.wire import (
    ANSWER_MS,
    CHUNK_BYTES,
    JSON,
    NDJSON,
    PREFIX,
    TIMEOUT_MS,
    with_small_buffers,
)
from runtime.rpc import Call, Method
from runtime.single import Answer, Messages, one
from runtime.virtual import require_real_time

if TYPE_CHECKING:
    from runtime.tls import ClientTls  # Only who uses it pays for what reads certificates.

IDLE_S = 15.0  # An unused connection is kept so long: less than servers keep it.
# A stream gives a sign of life in every silence; without any for this long, its end is dead.
SILENCE_S = KEEPALIVE_S + KEEPALIVE_ANSWER_S
AT_ONCE_BYTES = 512 * 1024  # A longer body is sent in pieces.


def open_session() -> aiohttp.ClientSession:
    """Return a session for any number of calls at once; close it when its transports rest."""
    require_real_time("a REST session")
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=IDLE_S, socket_factory=_socket)
    cookies: AbstractCookieJar = aiohttp.DummyCookieJar()
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=cookies,
        auto_decompress=False,
        skip_auto_headers=("User-Agent", "Accept"),
        read_bufsize=CHUNK_BYTES,
    )


class RestTransport:
    """Carries calls as JSON to one address, over a session which it does not own.

    With `tls` it shows a certificate, and the server must prove that it is `server_name`, or
    the host of the address.
    """

    def __init__(
        self,
        base_url: str,
        session: aiohttp.ClientSession,
        *,
        tls: "ClientTls | None" = None,
        server_name: str = "",
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._session = session
        self._tls = tls
        self._server_name = server_name or None
        self._urls: dict[str, URL] = {}

    def call(self, method: Method, requests: AsyncIterator[Message], call: Call) -> Messages:
        """Return what the server answers."""
        require_real_time("REST")
        source = Outgoing(method, requests)
        if method.streams_responses:
            return self._stream(method, requests, call.started(), source)
        return Answer(self._unary(method, requests, call.started(), source))

    async def _unary(
        self, method: Method, requests: AsyncIterator[Message], call: Call, source: Outgoing
    ) -> Message:
        work = self._ask(method, requests, call, source)
        try:
            return await (work if call.deadline_s is None else until(call.deadline_s, work))
        except Exception as error:
            raise self._meaning(error, method, call, source) from error

    async def _stream(
        self, method: Method, requests: AsyncIterator[Message], call: Call, source: Outgoing
    ) -> Messages:
        try:
            async with aclosing(self._follow(method, requests, call, source)) as answers:
                async for answer in timely(answers, call):
                    yield answer
        except Exception as error:
            raise self._meaning(error, method, call, source) from error

    async def _ask(
        self, method: Method, requests: AsyncIterator[Message], call: Call, source: Outgoing
    ) -> Message:
        response = await self._post(method, requests, call, source)
        try:
            data = await whole(response.content)
        finally:
            response.close()  # Does nothing to a connection whose answer was read to its end.
        if response.status != 200:
            raise from_answer(response.status, data, method.service)
        return from_json(method.response, data, is_strict=False)

    async def _follow(
        self, method: Method, requests: AsyncIterator[Message], call: Call, source: Outgoing
    ) -> Messages:
        response = await self._post(method, requests, call, source)
        source.on_break(response.close)
        try:
            if response.status != 200:
                data = await whole(response.content)
                raise from_answer(response.status, data, method.service)
            async for line in lines(response.content):
                document = parsed(line).value
                if "message" not in document:
                    _check_end(document, method)
                    return
                yield from_value(method.response, document["message"], is_strict=False)
        finally:
            response.close()  # A caller that leaves early frees the server at once.
        raise _broken(method, "the stream was cut before its end")

    async def _post(
        self, method: Method, requests: AsyncIterator[Message], call: Call, source: Outgoing
    ) -> aiohttp.ClientResponse:
        headers = to_headers(method, call.metadata)
        headers["Content-Type"] = NDJSON if method.streams_requests else JSON
        headers["Accept-Encoding"] = "identity"
        data: Any = source
        if not method.streams_requests:
            data = body(method, await one(requests))
            if len(data) > AT_ONCE_BYTES:
                headers["Content-Length"] = str(len(data))
                data = pieces(data)
        left_s = call.remaining_s()
        if left_s is not None:
            # The server keeps some of the time for its answer; we keep the deadline ourselves.
            headers[TIMEOUT_MS] = str(math.ceil(left_s * 1000) + ANSWER_MS)
        return await self._session.post(
            self._url(method),
            data=data,
            headers=headers,
            allow_redirects=False,
            timeout=_STREAMING if method.streams_responses else _SINGLE,
            **self._security(),
        )

    def _url(self, method: Method) -> URL:
        url = self._urls.get(method.path)
        if url is None:
            url = self._urls[method.path] = URL(self._base_url + PREFIX + method.path)
        return url

    def _security(self) -> Mapping[str, Any]:
        if self._tls is None:
            return {}
        return {"ssl": self._tls.http_context(), "server_hostname": self._server_name}

    def _meaning(
        self, error: Exception, method: Method, call: Call, source: Outgoing
    ) -> ServiceError:
        """Return what really ended the call."""
        if (broke := source.cause()) is not None:
            return broke
        if isinstance(error, ServiceError):
            return error
        if self._session.closed:
            text = (
                f"the session for {method.path} is closed: keep it open while its clients are used"
            )
            return _down(method, "CHANNEL_CLOSED", text)
        if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
            text = f"{method.path} was not sent: nothing answers at {self._base_url} ({error})"
            return Unconnected(text, service=method.service)
        if isinstance(error, aiohttp.ClientError | ConnectionError):
            return _broken(method, f"the connection broke ({error!r})")
        if isinstance(error, Unreadable | TooLarge):
            return _unreadable(method, error)
        return failure(method, call, error)


_SINGLE = aiohttp.ClientTimeout(total=None, sock_connect=KEEPALIVE_ANSWER_S)
_STREAMING = aiohttp.ClientTimeout(total=None, sock_connect=KEEPALIVE_ANSWER_S, sock_read=SILENCE_S)


def _socket(address: tuple[Any, ...]) -> socket.socket:
    family, kind, protocol, _, _ = address
    return with_small_buffers(socket.socket(family, kind, protocol))


def _check_end(document: Any, method: Method) -> None:
    """Raise what a stream's last line says, unless it says that all is well."""
    if "end" in document:
        return
    error = from_document(document.get("error"), method.service)
    raise error or _unreadable(method, f"{str(document)[:200]!r} is no line of a stream")


def _broken(method: Method, text: str) -> ServiceError:
    return _down(method, "CONNECTION_BROKEN", f"{method.path}: {text}")


def _down(method: Method, reason: str, text: str) -> ServiceError:
    return refusal(StatusCode.UNAVAILABLE, reason, text, service=method.service)


def _unreadable(method: Method, why: object) -> ServiceError:
    return refusal(
        StatusCode.INTERNAL,
        "UNREADABLE_ANSWER",
        f"the answer of {method.path} cannot be read: {why!r}; read back what it did",
        service=method.service,
    )
