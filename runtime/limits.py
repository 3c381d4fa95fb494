"""How much the runtime carries before it refuses: the same over every transport."""

from google.protobuf.message import Message
from grpc import StatusCode

from runtime.errors import ServiceError, refusal
from runtime.rpc import Method

MESSAGE_BYTES_MAX = 16 * 1024 * 1024
STREAM_WINDOW_BYTES = 256 * 1024  # How far a gRPC service may run ahead of a slow reader.
IN_FLIGHT_MAX = 1_024  # Calls and open streams that one server answers at a time.
LINE_MAX = 256  # Calls of one method that wait to be received: gRPC itself ends the next ones.
RETRY_AFTER_S = 0.1  # What a server over that limit asks its callers to wait.
DRAIN_S = 5.0  # How long calls in flight may still take once a server stops.
KEEPALIVE_S = 30.0  # An idle connection is probed this often,
KEEPALIVE_ANSWER_S = 10.0  # and is dead if the probe is not answered within this time.
CONNECT_S = 4.0  # An attempt to connect: three round trips over TLS, on the slowest link.
RECONNECT_S_MAX = 1.6  # Between two attempts; gRPC adds a fifth at random, so below 2 s.
METADATA_BYTES_MAX = 1024 * 1024  # Errors travel in trailing metadata, with all their details.
DETAILS_BYTES_MAX = METADATA_BYTES_MAX // 2


def request_bytes(method: Method, request: Message) -> bytes:
    """Return `request` as it travels. Raises RESOURCE_EXHAUSTED, before any effect."""
    data = request.SerializeToString()
    if len(data) > MESSAGE_BYTES_MAX:
        raise _too_large(method, StatusCode.RESOURCE_EXHAUSTED, "request", len(data))
    return data


def response_bytes(method: Method, response: Message) -> bytes:
    """Return `response` as it travels.

    Raises INTERNAL: the call has had its effect, so the caller must not take it for refused.
    """
    data = response.SerializeToString()
    if len(data) > MESSAGE_BYTES_MAX:
        raise _too_large(method, StatusCode.INTERNAL, "response", len(data))
    return data


def _too_large(method: Method, code: StatusCode, side: str, size: int) -> ServiceError:
    return refusal(
        code,
        "MESSAGE_TOO_LARGE",
        f"a {side} of {method.path} has {size} bytes, must have at most {MESSAGE_BYTES_MAX}: "
        "send less at a time, or page",
        service=method.service,
    )
