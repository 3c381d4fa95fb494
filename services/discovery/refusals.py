"""What this service refuses before anything happens, with a stable reason."""

from collections.abc import Iterator
from contextlib import contextmanager

from grpc import StatusCode
from trading.discovery.v1 import discovery_pb2 as pb

from runtime.errors import ServiceError, refusal
from runtime.paging import ForeignToken

_PREFIX = "DISCOVERY_REFUSAL_REASON_"
_CODES = {
    pb.DISCOVERY_REFUSAL_REASON_IDENTITY_TAKEN: StatusCode.ALREADY_EXISTS,
    pb.DISCOVERY_REFUSAL_REASON_FENCED: StatusCode.ABORTED,
    pb.DISCOVERY_REFUSAL_REASON_LEASE_UNKNOWN: StatusCode.NOT_FOUND,
    pb.DISCOVERY_REFUSAL_REASON_INSTANCE_UNKNOWN: StatusCode.NOT_FOUND,
    pb.DISCOVERY_REFUSAL_REASON_INSTANCE_ENDED: StatusCode.FAILED_PRECONDITION,
    pb.DISCOVERY_REFUSAL_REASON_SERVICE_UNKNOWN: StatusCode.INVALID_ARGUMENT,
    pb.DISCOVERY_REFUSAL_REASON_NAME_INVALID: StatusCode.INVALID_ARGUMENT,
    pb.DISCOVERY_REFUSAL_REASON_ADDRESS_UNROUTABLE: StatusCode.INVALID_ARGUMENT,
    pb.DISCOVERY_REFUSAL_REASON_SERVICE_FOREIGN: StatusCode.PERMISSION_DENIED,
    pb.DISCOVERY_REFUSAL_REASON_PAGE_TOKEN_FOREIGN: StatusCode.INVALID_ARGUMENT,
}


class DiscoveryRefused(Exception):
    """A request is refused; nothing of it has happened."""

    def __init__(
        self, reason: pb.DiscoveryRefusalReason.ValueType, message: str, **metadata: str
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
    except DiscoveryRefused as refused:
        raise as_status(refused) from None
    except ForeignToken as foreign:
        reason = pb.DISCOVERY_REFUSAL_REASON_PAGE_TOKEN_FOREIGN
        raise as_status(DiscoveryRefused(reason, str(foreign))) from None


def as_status(refused: DiscoveryRefused) -> ServiceError:
    """Return the error that `refused` travels as."""
    name = pb.DiscoveryRefusalReason.Name(refused.reason).removeprefix(_PREFIX)
    code = _CODES[refused.reason]
    return refusal(code, name, refused.message, service="discovery", **refused.metadata)
