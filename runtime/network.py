"""The calling side of real gRPC: a channel and the transport that uses it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any

import grpc
from google.protobuf.message import Message
from grpc import StatusCode, aio

from runtime.errors import ServiceError, refusal
from runtime.limits import (
    CONNECT_S,
    KEEPALIVE_ANSWER_S,
    KEEPALIVE_S,
    MESSAGE_BYTES_MAX,
    METADATA_BYTES_MAX,
    RECONNECT_S_MAX,
    STREAM_WINDOW_BYTES,
    request_bytes,
)
from runtime.rpc import Call, Method
from runtime.single import Answer, Messages, one
from runtime.status import from_rpc_error
from runtime.virtual import require_real_time

SHARED_OPTIONS = (
    ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
    ("grpc.max_send_message_length", MESSAGE_BYTES_MAX),
    ("grpc.max_metadata_size", METADATA_BYTES_MAX),
    ("grpc.absolute_max_metadata_size", METADATA_BYTES_MAX),
    ("grpc.keepalive_time_ms", int(KEEPALIVE_S * 1000)),
    ("grpc.keepalive_timeout_ms", int(KEEPALIVE_ANSWER_S * 1000)),
    # The one of the two that gRPC acts upon when nothing at all comes back; a minute unless set.
    ("grpc.http2.ping_timeout_ms", int(KEEPALIVE_ANSWER_S * 1000)),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    # A fixed window per stream: a slow reader is felt by the service, not hidden in buffers.
    ("grpc.http2.bdp_probe", 0),
    ("grpc.http2.lookahead_bytes", STREAM_WINDOW_BYTES),
)
CLIENT_OPTIONS = (
    *SHARED_OPTIONS,
    ("grpc.enable_retries", 0),  # Repeats are the contract's business: see runtime.retry.
    ("grpc.initial_reconnect_backoff_ms", 100),
    # What gRPC calls the least backoff is how long one attempt may take, handshakes included.
    ("grpc.min_reconnect_backoff_ms", int(CONNECT_S * 1000)),
    ("grpc.max_reconnect_backoff_ms", int(RECONNECT_S_MAX * 1000)),
    ("grpc.use_local_subchannel_pool", 1),  # One connection each, so one fault each.
)


def open_channel(
    address: str, credentials: grpc.ChannelCredentials | None = None, *, server_name: str = ""
) -> aio.Channel:
    """Return a channel to `address` ("host:port"), in clear text if no credentials are given.

    With credentials the server must prove that it is `server_name`, or the host of `address`.
    """
    require_real_time("a gRPC channel")
    if credentials is None:
        return aio.insecure_channel(address, options=CLIENT_OPTIONS)
    name = (("grpc.ssl_target_name_override", server_name),) if server_name else ()
    return aio.secure_channel(address, credentials, options=(*CLIENT_OPTIONS, *name))


class GrpcTransport:
    """Carries calls over one channel, which it does not own."""

    def __init__(self, channel: aio.Channel) -> None:
        self._channel = channel
        self._stubs: dict[str, Callable[..., Any]] = {}

    def call(self, method: Method, requests: AsyncIterator[Message], call: Call) -> Messages:
        """Return what the server answers."""
        require_real_time("gRPC")
        if method.streams_responses:
            return self._stream(method, requests, call)
        return Answer(self._unary(method, requests, call))

    async def _unary(self, method: Method, requests: AsyncIterator[Message], call: Call) -> Message:
        source = _Outgoing(method, requests)
        argument = source if method.streams_requests else request_bytes(method, await one(requests))
        rpc = None
        try:
            rpc = self._open(method, argument, call)
            answer: Message = await rpc
            return answer
        except (Exception, asyncio.CancelledError) as error:
            if _is_own_cancellation(error, source):
                raise
            raise source.cause(error, method) from error
        finally:
            if rpc is not None:
                rpc.cancel()

    async def _stream(
        self, method: Method, requests: AsyncIterator[Message], call: Call
    ) -> Messages:
        source = _Outgoing(method, requests)
        argument = source if method.streams_requests else request_bytes(method, await one(requests))
        rpc = None
        try:
            rpc = self._open(method, argument, call)
            async for response in rpc:
                yield response
        except (Exception, asyncio.CancelledError) as error:
            if _is_own_cancellation(error, source):
                raise
            raise source.cause(error, method) from error
        finally:
            if rpc is not None:
                rpc.cancel()  # A caller that leaves early frees the server at once.

    def _open(self, method: Method, argument: object, call: Call) -> Any:
        stub = self._stubs.get(method.path)
        if stub is None:
            stub = self._stubs[method.path] = self._stub(method)
        rpc = stub(argument, timeout=call.remaining_s(), metadata=_Headers(call.metadata))
        if method.streams_requests:
            rpc._cython_call = _Patient(rpc._cython_call)
        return rpc

    def _stub(self, method: Method) -> Callable[..., Any]:
        make: Callable[..., Any] = getattr(self._channel, kind(method))
        stub: Callable[..., Any] = make(
            method.path, request_serializer=None, response_deserializer=method.response.FromString
        )
        return stub


class _Headers(aio.Metadata):
    """Metadata of a call as it is: gRPC only iterates over what is not looked up by name."""

    def __init__(self, metadata: Mapping[str, str]) -> None:
        self._items = tuple(metadata.items())

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)


class _Patient:
    """The inner side of one of gRPC's calls; it lets the server have the last word.

    Once a server has ended a call, the next request cannot be sent. gRPC then says INTERNAL,
    over a status (a refusal, or an answer) that is just about to arrive.
    """

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def set_internal_error(self, text: str) -> None:
        """Do nothing: the server's status follows, or that of a broken connection."""


class _Outgoing(AsyncIterator[bytes]):
    """The requests of a stream as bytes; remembers why it broke, which gRPC does not tell."""

    def __init__(self, method: Method, requests: AsyncIterator[Message]) -> None:
        self._method = method
        self._requests = requests
        self.broke: Exception | None = None

    async def __anext__(self) -> bytes:
        try:
            return request_bytes(self._method, await anext(self._requests))
        except StopAsyncIteration:
            raise
        except Exception as error:
            self.broke = error
            raise

    def cause(self, error: BaseException, method: Method) -> ServiceError:
        """Return what really ended the call that gRPC ended with `error`."""
        if isinstance(self.broke, ServiceError):
            return self.broke
        if self.broke is not None:
            text = f"the requests to {method.path} broke: {self.broke!r}"
            return refusal(StatusCode.UNKNOWN, "BUG", text, service=method.service)
        if isinstance(error, aio.AioRpcError):
            return from_rpc_error(error, method.service)
        return _transport_failure(error, method)


def _is_own_cancellation(error: BaseException, source: _Outgoing) -> bool:
    """Return whether the caller itself was cancelled.

    gRPC raises the same when a channel closes under a call or its requests break; were that
    passed on, a task that nobody cancelled would end in silence.
    """
    task = asyncio.current_task()
    was_cancelled = task is not None and task.cancelling() > 0
    return isinstance(error, asyncio.CancelledError) and was_cancelled and source.broke is None


def _transport_failure(error: BaseException, method: Method) -> ServiceError:
    if isinstance(error, aio.UsageError | asyncio.CancelledError):
        return refusal(
            StatusCode.UNAVAILABLE,
            "CHANNEL_CLOSED",
            f"the channel for {method.path} is closed: keep it open while its clients are used",
            service=method.service,
        )
    return refusal(
        StatusCode.INTERNAL,
        "NOT_SENT",
        f"gRPC could not send {method.path}: {error!r}; metadata must be text with lower-case "
        "keys and printable ASCII values",
        service=method.service,
    )


def kind(method: Method) -> str:
    """Return gRPC's word for the kind of `method`: "unary_unary" to "stream_stream"."""
    sides = (method.streams_requests, method.streams_responses)
    return "_".join("stream" if streams else "unary" for streams in sides)
