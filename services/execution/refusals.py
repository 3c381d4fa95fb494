"""What execution refuses before any effect, and what it must leave open."""

from collections.abc import Iterator
from contextlib import contextmanager

from grpc import StatusCode
from trading.execution.v1.execution_pb2 import ExecutionRefusalReason as Reason

from runtime.errors import ServiceError, refusal

SERVICE = "execution"
PREFIX = "EXECUTION_REFUSAL_REASON_"
CODES = {
    Reason.EXECUTION_REFUSAL_REASON_EPOCH_SUPERSEDED: StatusCode.ABORTED,
    Reason.EXECUTION_REFUSAL_REASON_ORDER_DIFFERS: StatusCode.ALREADY_EXISTS,
    Reason.EXECUTION_REFUSAL_REASON_VENUE_UNKNOWN: StatusCode.NOT_FOUND,
    Reason.EXECUTION_REFUSAL_REASON_EXECUTION_UNKNOWN: StatusCode.NOT_FOUND,
    Reason.EXECUTION_REFUSAL_REASON_ALGORITHM_INVALID: StatusCode.INVALID_ARGUMENT,
    Reason.EXECUTION_REFUSAL_REASON_INSTRUMENT_UNKNOWN: StatusCode.NOT_FOUND,
    Reason.EXECUTION_REFUSAL_REASON_IN_DOUBT: StatusCode.UNAVAILABLE,
}


class ExecutionRefused(Exception):
    """A call is refused for a stable reason; `facts` travel as metadata."""

    def __init__(self, reason: "Reason.ValueType", message: str, **facts: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.facts = facts


@contextmanager
def refusals_as_status() -> Iterator[None]:
    """Turn refusals into statuses: the one place where they are mapped."""
    try:
        yield
    except ExecutionRefused as refused:
        raise as_error(refused) from refused


def as_error(refused: ExecutionRefused) -> ServiceError:
    """Return the status of a refusal; all but IN_DOUBT are definite."""
    code = CODES.get(refused.reason, StatusCode.FAILED_PRECONDITION)
    name = Reason.Name(refused.reason).removeprefix(PREFIX)
    return refusal(code, name, refused.message, service=SERVICE, **refused.facts)


def in_doubt(client_order_id: str) -> ExecutionRefused:
    """Return the indefinite error of an order that may or may not be at the venue."""
    return ExecutionRefused(
        Reason.EXECUTION_REFUSAL_REASON_IN_DOUBT,
        f"{client_order_id} was sent and the venue's answer is missing: ask QueryOrder, or wait "
        "for a report",
    )


def differs(client_order_id: str) -> ExecutionRefused:
    """Return the refusal of an id that is taken."""
    return ExecutionRefused(
        Reason.EXECUTION_REFUSAL_REASON_ORDER_DIFFERS,
        f"{client_order_id} is another order here: take a new id",
    )


def superseded(epoch: int, current: int) -> ExecutionRefused:
    """Return the refusal of a writer of orders that a newer one has replaced (X12)."""
    return ExecutionRefused(
        Reason.EXECUTION_REFUSAL_REASON_EPOCH_SUPERSEDED,
        f"epoch {epoch} of orders is over, epoch {current} writes now: stop sending",
        current=str(current),
    )


def blocked(why: str) -> ExecutionRefused:
    """Return the refusal of an order that nothing may be sent for now."""
    return ExecutionRefused(
        Reason.EXECUTION_REFUSAL_REASON_MODE_BLOCKED,
        f"nothing is sent: {why}; try again when that is over",
    )


def unhealthy(venue: str, why: str) -> ExecutionRefused:
    """Return the refusal of an order to a venue that is not well."""
    return ExecutionRefused(
        Reason.EXECUTION_REFUSAL_REASON_VENUE_UNHEALTHY,
        f"nothing is sent to {venue}: {why}; it is being probed",
    )
