"""The one place where this service's refusals become transport errors."""

from collections.abc import Iterator
from contextlib import contextmanager

from grpc import StatusCode

from runtime.errors import BadRequest, ErrorInfo, ServiceError
from runtime.paging import ForeignToken
from services.indicators.series import IndicatorRefused

SERVICE = "indicators"

CODES = {
    "KIND_NOT_BUILT": StatusCode.UNIMPLEMENTED,
    "CANDLE_KIND_INSUFFICIENT": StatusCode.FAILED_PRECONDITION,
    "NO_CANDLES": StatusCode.NOT_FOUND,
    "TOO_MANY_POINTS": StatusCode.RESOURCE_EXHAUSTED,
}
"""Every other reason is INVALID_ARGUMENT."""


@contextmanager
def refusals_as_status() -> Iterator[None]:
    """Raise what the block refuses as a ServiceError with its reason and field."""
    try:
        yield
    except IndicatorRefused as refused:
        raise _status(refused) from refused
    except ForeignToken as foreign:
        raise _status(IndicatorRefused("PAGE_TOKEN_FOREIGN", str(foreign))) from foreign


def _status(refused: IndicatorRefused) -> ServiceError:
    info = ErrorInfo(reason=refused.reason, domain=f"plimsoll.{SERVICE}", metadata=refused.metadata)
    violation = BadRequest.FieldViolation(field=refused.field, description=str(refused))
    details = (info, BadRequest(field_violations=[violation])) if refused.field else (info,)
    return ServiceError(
        CODES.get(refused.reason, StatusCode.INVALID_ARGUMENT), str(refused), details
    )
