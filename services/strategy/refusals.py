"""The one place where this service's refusals become transport errors."""

from collections.abc import Iterator
from contextlib import contextmanager

from grpc import StatusCode

from runtime.errors import BadRequest, ErrorInfo, ServiceError
from runtime.paging import ForeignToken
from services.strategy.terms import StrategyRefused

SERVICE = "strategy"

CODES = {
    "STRATEGY_UNKNOWN": StatusCode.NOT_FOUND,
    "INSTRUMENT_UNKNOWN": StatusCode.NOT_FOUND,
    "KIND_NOT_BUILT": StatusCode.UNIMPLEMENTED,
    "PARAMETER_INVALID": StatusCode.INVALID_ARGUMENT,
    "SIZING_INVALID": StatusCode.INVALID_ARGUMENT,
    "PAGE_TOKEN_FOREIGN": StatusCode.INVALID_ARGUMENT,
    "CANDLES_MIXED": StatusCode.INVALID_ARGUMENT,
    "ETAG_MISMATCH": StatusCode.ABORTED,
    "EVENT_GAP": StatusCode.ABORTED,
}
"""Every other reason is FAILED_PRECONDITION."""


@contextmanager
def refusals_as_status() -> Iterator[None]:
    """Raise what the block refuses as a ServiceError with its reason and field."""
    try:
        yield
    except StrategyRefused as refused:
        raise _status(refused) from refused
    except ForeignToken as foreign:
        raise _status(StrategyRefused("PAGE_TOKEN_FOREIGN", str(foreign))) from foreign


def _status(refused: StrategyRefused) -> ServiceError:
    info = ErrorInfo(reason=refused.reason, domain=f"plimsoll.{SERVICE}", metadata=refused.metadata)
    violation = BadRequest.FieldViolation(field=refused.field, description=str(refused))
    details = (info, BadRequest(field_violations=[violation])) if refused.field else (info,)
    code = CODES.get(refused.reason, StatusCode.FAILED_PRECONDITION)
    return ServiceError(code, str(refused), details)
