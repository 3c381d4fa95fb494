"""One call as it arrives over HTTP: what is refused of it, and its messages."""

from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any

from aiohttp import HttpVersion11, web
from google.protobuf.message import Message
from grpc import StatusCode

from runtime.errors import ServiceError, refusal
from runtime.identity import received
from runtime.limits import MESSAGE_BYTES_MAX, request_bytes
from runtime.rest.codec import Unreadable, from_json
from runtime.rest.keys import keyed
from runtime.rest.lines import TooLarge, lines, whole
from runtime.rest.metadata import from_headers, timeout_s
from runtime.rest.problems import HttpRefusal
from runtime.rest.reply import Reply
from runtime.rest.wire import ANSWER_S, IDEMPOTENCY_KEY, JSON, JSON_BYTES_MAX, NDJSON, TIMEOUT_MS
from runtime.rpc import Call, Method
from runtime.single import Only
from runtime.trace import Traces, is_traced

if TYPE_CHECKING:
    from runtime.tls import ServerTls  # Only who uses it pays for what reads certificates.


def arrived(
    method: Method,
    request: web.BaseRequest,
    reply: Reply,
    traces: Traces,
    tls: "ServerTls | None",
) -> Call:
    """Return the call that `request` makes, its time running. Raises before reading a body.

    With `tls` its peer must have an identity, which the guards are told.
    """
    peer = None if tls is None else tls.peer_of(_certificate(request))
    metadata = received(from_headers(request.raw_headers).items(), peer)
    if not is_traced(metadata):
        traces.complete(metadata)
    reply.metadata = metadata
    _check_body(method, request)
    allowed_s = timeout_s(request.headers.get(TIMEOUT_MS))
    return Call(None if allowed_s is None else max(0.0, allowed_s - ANSWER_S), metadata).started()


async def requests(
    method: Method, request: web.BaseRequest, reply: Reply
) -> AsyncIterator[Message]:
    """Return the messages of `request`: the only one, which is read first, or a stream."""
    if request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # Nothing of the answer itself is out yet.
    header = request.headers.get(IDEMPOTENCY_KEY)
    if method.streams_requests:
        if header is not None:
            keyed(method, method.request(), header)
        return Incoming(method, request)
    message = read(method, await _whole(request))
    reply.key = keyed(method, message, header)
    return Only(message)


class Incoming(AsyncIterator[Message]):
    """The messages of a request that streams, read no faster than the service takes them."""

    def __init__(self, method: Method, request: web.BaseRequest) -> None:
        self._method = method
        self._lines = lines(request.content)

    async def __anext__(self) -> Message:
        try:
            line = await anext(self._lines)
        except StopAsyncIteration:
            raise
        except TooLarge:
            raise too_large() from None
        except Exception as error:
            raise _cut(self._method) from error
        return read(self._method, line)


def read(method: Method, data: bytes) -> Message:
    """Return the request that `data` is. Raises INVALID_ARGUMENT, RESOURCE_EXHAUSTED."""
    try:
        message = from_json(method.request, data, is_strict=True)
    except Unreadable as error:
        raise HttpRefusal(
            400,
            StatusCode.INVALID_ARGUMENT,
            "UNREADABLE_JSON",
            f"the body is no {method.request.DESCRIPTOR.full_name}: {error}; see its contract",
        ) from error
    if message.ByteSize() > MESSAGE_BYTES_MAX:
        request_bytes(method, message)  # Says so, in the words of every transport.
    return message


def too_large() -> HttpRefusal:
    """Return the refusal of a body that is too long."""
    return HttpRefusal(
        413,
        StatusCode.RESOURCE_EXHAUSTED,
        "MESSAGE_TOO_LARGE",
        f"the body has more than {JSON_BYTES_MAX} bytes: send less at a time, or page",
    )


def _check_body(method: Method, request: web.BaseRequest) -> None:
    if method.streams_responses and request.version < HttpVersion11:
        text = f"{method.path} streams, which HTTP/1.0 cannot: use HTTP/1.1"
        raise HttpRefusal(505, StatusCode.UNIMPLEMENTED, "OLD_HTTP", text)
    expected = NDJSON if method.streams_requests else JSON
    encoding = request.headers.get("Content-Encoding", "identity").lower()
    charset = (request.charset or "utf-8").lower()
    if request.content_type != expected or encoding != "identity" or charset != "utf-8":
        sent = request.headers.get("Content-Type", "nothing")
        raise HttpRefusal(
            415,
            StatusCode.INVALID_ARGUMENT,
            "WRONG_MEDIA_TYPE",
            f"the body of {method.path} is {sent[:80]!r} in encoding {encoding[:20]!r}, must be "
            f"{expected} in UTF-8, not compressed: send it so",
        )
    if not method.streams_requests and (request.content_length or 0) > JSON_BYTES_MAX:
        raise too_large()


async def _whole(request: web.BaseRequest) -> bytes:
    try:
        return await whole(request.content)
    except TooLarge:
        raise too_large() from None


def _cut(method: Method) -> ServiceError:
    return refusal(
        StatusCode.CANCELLED,
        "CUT",
        f"the requests to {method.path} were cut before their end: send them again",
        service=method.service,
    )


def _certificate(request: web.BaseRequest) -> Mapping[str, Any] | None:
    """Return the certificate that the peer has shown, as `getpeercert()` tells it."""
    shown: Mapping[str, Any] | None = request.get_extra_info("peercert")
    return shown
