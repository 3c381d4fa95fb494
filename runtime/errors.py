"""The one error a port raises, whichever transport carried the call."""

from collections.abc import Iterable
from typing import TypeVar

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import (
    BadRequest,
    ErrorInfo,
    RetryInfo,
)
from grpc import StatusCode

__all__ = [
    "BadRequest",
    "ErrorInfo",
    "RetryInfo",
    "ServiceError",
    "Unsent",
    "refusal",
    "unimplemented",
    "unsent",
]

M = TypeVar("M", bound=Message)

# Raised before any effect, by rule: the operation certainly did not happen (O6).
DEFINITE = (
    StatusCode.INVALID_ARGUMENT,
    StatusCode.NOT_FOUND,
    StatusCode.ALREADY_EXISTS,
    StatusCode.FAILED_PRECONDITION,
    StatusCode.ABORTED,
    StatusCode.OUT_OF_RANGE,
    StatusCode.RESOURCE_EXHAUSTED,
    StatusCode.PERMISSION_DENIED,
    StatusCode.UNAUTHENTICATED,
    StatusCode.UNIMPLEMENTED,
)


class ServiceError(Exception):
    """A call failed with a gRPC status and, as details, `google.rpc` messages.

    `definite` says whether the operation certainly did not happen. After an
    indefinite error the caller must read back, not retry blindly.
    """

    is_unsent = False  # Whether the request certainly never left this process.

    def __init__(self, code: StatusCode, message: str, details: Iterable[Message] = ()) -> None:
        super().__init__(f"{code.name}: {message}")
        self.code = code
        self.message = message
        self.details = tuple(details)

    @property
    def definite(self) -> bool:
        """Whether nothing happened, for certain."""
        return self.is_unsent or self.code in DEFINITE

    @property
    def reason(self) -> str:
        """The stable reason that programs may compare; "" when the error carries none."""
        info = self.detail(ErrorInfo)
        return info.reason if info else ""

    @property
    def retry_after_s(self) -> float | None:
        """How long the service asks to be left alone, if it says so."""
        info = self.detail(RetryInfo)
        return info.retry_delay.ToNanoseconds() / 1e9 if info else None

    def detail(self, kind: type[M]) -> M | None:
        """Return the first detail of `kind`."""
        return next((d for d in self.details if isinstance(d, kind)), None)


def refusal(
    code: StatusCode, reason: str, message: str, *, service: str, **metadata: str
) -> ServiceError:
    """Return the error of `service` for a stable `reason`, with facts as `metadata`."""
    info = ErrorInfo(reason=reason, domain=f"plimsoll.{service}", metadata=metadata)
    return ServiceError(code, message, (info,))


class Unsent(ServiceError):
    """A call that ended before its request left: definite, whatever its code.

    That is so for the one who made the call. A service that was making it for somebody else
    may have done other things before: what it passes on is `passed_on`, without that claim.
    """

    is_unsent = True

    def passed_on(self) -> ServiceError:
        """Return the error as the caller of the caller may know it."""
        return ServiceError(self.code, self.message, self.details)


def unsent(
    code: StatusCode, reason: str, message: str, *, service: str, retry_after_s: float
) -> Unsent:
    """Return the error of a call to `service` that was not sent, and may be in a while."""
    info = ErrorInfo(reason=reason, domain=f"plimsoll.{service}")
    delay = Duration()
    delay.FromNanoseconds(round(retry_after_s * 1e9))
    return Unsent(code, message, (info, RetryInfo(retry_delay=delay)))


def unimplemented(port: object) -> ServiceError:
    """Return the error of a method that a port does not override."""
    name = type(port).__name__
    return ServiceError(
        StatusCode.UNIMPLEMENTED,
        f"{name} does not offer this method: override it in {name} or call another service",
        (ErrorInfo(reason="UNIMPLEMENTED", domain="plimsoll.runtime"),),
    )
