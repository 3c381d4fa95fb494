"""What a server says that has no room, or no time left, in the words of the gRPC one."""

from google.protobuf.duration_pb2 import Duration
from grpc import StatusCode

from runtime.errors import ErrorInfo, RetryInfo, ServiceError, refusal
from runtime.limits import RETRY_AFTER_S
from runtime.rpc import Method


def busy(method: Method, in_flight_max: int) -> ServiceError:
    """Return the refusal of a call that is one too many; nothing was done."""
    return ServiceError(
        StatusCode.RESOURCE_EXHAUSTED,
        f"{in_flight_max} calls are in flight, the most this server answers at a time: "
        f"nothing was done; call again in {RETRY_AFTER_S} s",
        (
            ErrorInfo(reason="TOO_MANY_IN_FLIGHT", domain=f"plimsoll.{method.service}"),
            RetryInfo(retry_delay=Duration(nanos=int(RETRY_AFTER_S * 1e9))),
        ),
    )


def leaving(method: Method) -> ServiceError:
    """Return what ends an endless stream, and refuses a new call, when the server stops."""
    return refusal(
        StatusCode.UNAVAILABLE,
        "DRAINING",
        f"the server of {method.path} is stopping: resume where the stream ended",
        service=method.service,
    )
