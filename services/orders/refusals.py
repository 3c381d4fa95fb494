"""Refusals before any effect: one exception, and the one place where it becomes a status."""

from collections.abc import Iterator
from contextlib import contextmanager

from grpc import StatusCode
from trading.orders.v1.orders_pb2 import OrderRefusalReason

from runtime.errors import ServiceError, refusal

PREFIX = "ORDER_REFUSAL_REASON_"
CODES = {
    OrderRefusalReason.ORDER_REFUSAL_REASON_ORDER_UNKNOWN: StatusCode.NOT_FOUND,
    OrderRefusalReason.ORDER_REFUSAL_REASON_ETAG_STALE: StatusCode.ABORTED,
    OrderRefusalReason.ORDER_REFUSAL_REASON_RECONCILING: StatusCode.UNAVAILABLE,
    OrderRefusalReason.ORDER_REFUSAL_REASON_TOO_MANY_IN_FLIGHT: StatusCode.RESOURCE_EXHAUSTED,
    OrderRefusalReason.ORDER_REFUSAL_REASON_PAGE_TOKEN_FOREIGN: StatusCode.INVALID_ARGUMENT,
}


@contextmanager
def refusals_as_status() -> Iterator[None]:
    """Turn refusals of the block into the errors that callers get."""
    try:
        yield
    except OrderRefused as refused:
        raise refused.as_status() from None


class OrderRefused(Exception):
    """A request that is refused before anything happened, with its stable reason."""

    def __init__(
        self, reason: "OrderRefusalReason.ValueType", message: str, **metadata: str
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.metadata = metadata

    def as_status(self) -> ServiceError:
        """Return the error that the caller gets."""
        name = OrderRefusalReason.Name(self.reason).removeprefix(PREFIX)
        code = CODES.get(self.reason, StatusCode.FAILED_PRECONDITION)
        return refusal(code, name, str(self), service="orders", **self.metadata)


def id_reused(client_order_id: str, first: bytes, this: bytes) -> ServiceError:
    """Return the error of a client_order_id that names another order already (O4)."""
    return refusal(
        StatusCode.ALREADY_EXISTS,
        "KEY_REUSED",
        f"client_order_id {client_order_id!r} names another order: repeat that order unchanged, "
        "or take a new id",
        service="orders",
        first_digest=first.hex(),
        this_digest=this.hex(),
    )
