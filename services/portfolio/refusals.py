"""What this service refuses before anything happens, with a stable reason."""

from collections.abc import Iterator
from contextlib import contextmanager

from grpc import StatusCode
from trading.portfolio.v1 import portfolio_pb2 as pb

from runtime.errors import ServiceError, refusal
from runtime.paging import ForeignToken

_PREFIX = "PORTFOLIO_REFUSAL_REASON_"
_CODES = {
    pb.PORTFOLIO_REFUSAL_REASON_EVENT_GAP: StatusCode.ABORTED,
    pb.PORTFOLIO_REFUSAL_REASON_CASH_INSUFFICIENT: StatusCode.FAILED_PRECONDITION,
    pb.PORTFOLIO_REFUSAL_REASON_CURRENCY_UNSUPPORTED: StatusCode.FAILED_PRECONDITION,
    pb.PORTFOLIO_REFUSAL_REASON_ACCOUNT_UNKNOWN: StatusCode.NOT_FOUND,
    pb.PORTFOLIO_REFUSAL_REASON_BEFORE_FIRST_JOURNAL: StatusCode.OUT_OF_RANGE,
    pb.PORTFOLIO_REFUSAL_REASON_PAGE_TOKEN_FOREIGN: StatusCode.INVALID_ARGUMENT,
    pb.PORTFOLIO_REFUSAL_REASON_VENUE_UNKNOWN: StatusCode.NOT_FOUND,
}


class PortfolioRefused(Exception):
    """A request is refused; nothing of it has happened."""

    def __init__(
        self, reason: pb.PortfolioRefusalReason.ValueType, message: str, **metadata: str
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
    except PortfolioRefused as refused:
        raise as_status(refused) from None
    except ForeignToken as foreign:
        reason = pb.PORTFOLIO_REFUSAL_REASON_PAGE_TOKEN_FOREIGN
        raise as_status(PortfolioRefused(reason, str(foreign))) from None


def as_status(refused: PortfolioRefused) -> ServiceError:
    """Return the error that `refused` travels as."""
    name = pb.PortfolioRefusalReason.Name(refused.reason).removeprefix(_PREFIX)
    code = _CODES[refused.reason]
    return refusal(code, name, refused.message, service="portfolio", **refused.metadata)
