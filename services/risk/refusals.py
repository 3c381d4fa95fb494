"""What this service refuses before anything happens, with a stable reason."""

from collections.abc import Iterator
from contextlib import contextmanager

from grpc import StatusCode
from trading.risk.v1 import risk_pb2 as pb

from runtime.errors import ServiceError, refusal
from runtime.paging import ForeignToken

_PREFIX = "RISK_REFUSAL_REASON_"
_CODES = {
    pb.RISK_REFUSAL_REASON_CATCHING_UP: StatusCode.UNAVAILABLE,
    pb.RISK_REFUSAL_REASON_EVENT_GAP: StatusCode.ABORTED,
    pb.RISK_REFUSAL_REASON_ORDER_RELEASED: StatusCode.FAILED_PRECONDITION,
    pb.RISK_REFUSAL_REASON_EPOCH_PASSED: StatusCode.ABORTED,
    pb.RISK_REFUSAL_REASON_LIMITS_CHANGED: StatusCode.ABORTED,
    pb.RISK_REFUSAL_REASON_NOT_STRICTER: StatusCode.PERMISSION_DENIED,
    pb.RISK_REFUSAL_REASON_DECISION_UNKNOWN: StatusCode.NOT_FOUND,
    pb.RISK_REFUSAL_REASON_ACCOUNT_UNKNOWN: StatusCode.NOT_FOUND,
    pb.RISK_REFUSAL_REASON_PAGE_TOKEN_FOREIGN: StatusCode.INVALID_ARGUMENT,
    pb.RISK_REFUSAL_REASON_BODY_DIFFERS: StatusCode.ALREADY_EXISTS,
}


class RiskRefused(Exception):
    """A request is refused; nothing of it has happened."""

    def __init__(
        self, reason: "pb.RiskRefusalReason.ValueType", message: str, **metadata: str
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.metadata = metadata


@contextmanager
def refusals_as_status() -> Iterator[None]:
    """Turn refusals of the block into the errors that the contract names."""
    try:
        yield
    except RiskRefused as refused:
        raise as_status(refused) from None
    except ForeignToken as foreign:
        reason = pb.RISK_REFUSAL_REASON_PAGE_TOKEN_FOREIGN
        raise as_status(RiskRefused(reason, str(foreign))) from None


def as_status(refused: RiskRefused) -> ServiceError:
    """Return the error that `refused` travels as."""
    name = pb.RiskRefusalReason.Name(refused.reason).removeprefix(_PREFIX)
    code = _CODES[refused.reason]
    return refusal(code, name, refused.message, service="risk", **refused.metadata)
