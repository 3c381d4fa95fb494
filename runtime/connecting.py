"""Whether a call that failed was ever sent: the one case in which any call may go another way."""

from collections.abc import Iterable

from google.protobuf.message import Message
from grpc import StatusCode, aio

from runtime.errors import ErrorInfo, ServiceError

# What gRPC says when it has no connection to send over, and asks nobody.
# Source: pick_first_lb_policy and dns_resolver of grpc core 1.x.
_NO_CONNECTION = ("failed to connect to all addresses", "errors resolving", "DNS resolution")

OF_GUARDS = (
    StatusCode.RESOURCE_EXHAUSTED,
    StatusCode.UNAUTHENTICATED,
    StatusCode.PERMISSION_DENIED,
    StatusCode.UNIMPLEMENTED,
)


class Unconnected(ServiceError):
    """No connection could be made, so the call was not sent.

    Like gRPC's error of this kind it is not definite: it crosses processes without its class,
    and then says nothing of what its sender did before.
    """

    def __init__(self, message: str, details: Iterable[Message] = (), *, service: str) -> None:
        info = ErrorInfo(reason="UNAVAILABLE", domain=f"plimsoll.{service}")
        super().__init__(StatusCode.UNAVAILABLE, message, (info, *details))


def was_never_sent(error: ServiceError) -> bool:
    """Return whether a transport of this process certainly did not send the call."""
    return error.is_unsent or isinstance(error, Unconnected) or _lacked_connection(error.__cause__)


def tells(second: ServiceError, *, of: ServiceError) -> bool:
    """Return whether `second` tells what became of a call that had ended with `of` before.

    What a repeat certainly did not do, the call before it may have done.
    """
    is_silent = was_never_sent(second) or second.code in OF_GUARDS
    return of.definite or was_never_sent(of) or not is_silent


def _lacked_connection(cause: BaseException | None) -> bool:
    if not isinstance(cause, aio.AioRpcError) or cause.code() is not StatusCode.UNAVAILABLE:
        return False
    if cause.initial_metadata() or cause.trailing_metadata():
        return False  # A server said it, of a call of its own.
    return (cause.details() or "").startswith(_NO_CONNECTION)
