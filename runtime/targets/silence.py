"""What the end of a call tells about its target: that it is silent, that it answers, nothing."""

import asyncio
from enum import Enum

from grpc import StatusCode

from runtime.errors import ErrorInfo, ServiceError
from runtime.rpc import Method

# Reasons that UNAVAILABLE has when no service said it: gRPC's own, or a transport's.
OF_TRANSPORTS = frozenset({"", "UNAVAILABLE", "CONNECTION_BROKEN", "CHANNEL_CLOSED", "DRAINING"})


class Sign(Enum):
    """What one call tells about its target."""

    ANSWERED = "it answers, whatever it says"
    SILENT = "it is silent, or broken"
    NOTHING = "nothing: the call was given up, or never sent"


def sign_of(error: BaseException, method: Method, began_s: float) -> Sign:
    """Return what it tells about the target that a call begun then failed with `error`.

    Only what leaves the outcome unknown can be a silence. A target that says itself why it is
    UNAVAILABLE (its store is away, or a peer of its own) is there, and may well answer another
    method. A caller that gave less time than the contract's p99 has learnt nothing.
    """
    if not isinstance(error, ServiceError):
        given_up = isinstance(error, asyncio.CancelledError | GeneratorExit)
        return Sign.NOTHING if given_up else Sign.SILENT
    if error.is_unsent or error.code is StatusCode.CANCELLED:
        return Sign.NOTHING
    if error.definite:
        return Sign.ANSWERED
    if error.code is StatusCode.UNAVAILABLE:
        return Sign.SILENT if _is_unsaid(error, method) else Sign.ANSWERED
    if error.code is StatusCode.DEADLINE_EXCEEDED:
        took_s = asyncio.get_running_loop().time() - began_s
        return Sign.NOTHING if took_s * 1000 < method.policy.p99_ms else Sign.SILENT
    return Sign.SILENT


def is_broken_off(error: BaseException, method: Method) -> bool:
    """Whether a call ended UNAVAILABLE, and not because the service said so."""
    return (
        isinstance(error, ServiceError)
        and error.code is StatusCode.UNAVAILABLE
        and not error.is_unsent
        and _is_unsaid(error, method)
    )


def _is_unsaid(error: ServiceError, method: Method) -> bool:
    info = error.detail(ErrorInfo)
    if info is None:
        return True
    return info.domain == f"plimsoll.{method.service}" and info.reason in OF_TRANSPORTS
