"""Errors as gRPC carries them: `google.rpc.Status` in the trailing metadata."""

from collections.abc import Iterable

from google.protobuf import descriptor_pool
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc.status_pb2 import Status
from grpc import StatusCode, aio

from runtime.errors import ErrorInfo, ServiceError
from runtime.limits import DETAILS_BYTES_MAX

KEY = "grpc-status-details-bin"
MESSAGE_CHARS_MAX = 1024
CODES = {code.value[0]: code for code in StatusCode}


def to_trailing(error: ServiceError) -> tuple[tuple[str, bytes], ...]:
    """Return the trailing metadata that carries `error`; details too big to travel stay out."""
    return ((KEY, to_status(error).SerializeToString()),)


def to_status(error: ServiceError) -> Status:
    """Return `error` as it travels; details too big to travel stay out."""
    status = Status(code=error.code.value[0], message=short(error.message))
    for detail in error.details:
        status.details.add().Pack(detail)
    if status.ByteSize() > DETAILS_BYTES_MAX:
        del status.details[:]
        for detail in error.details:
            if isinstance(detail, ErrorInfo):
                status.details.add().Pack(detail)
    return status


def short(message: str) -> str:
    """Return `message` in a length that every peer accepts."""
    return message if len(message) <= MESSAGE_CHARS_MAX else message[:MESSAGE_CHARS_MAX] + "…"


def from_rpc_error(error: aio.AioRpcError, service: str) -> ServiceError:
    """Return what a gRPC call ended with; `service` owns it if the error does not say."""
    details = _details(error.trailing_metadata() or ())
    return from_parts(error.code(), error.details() or "", details, service)


def from_parts(
    code: StatusCode, message: str, packed: Iterable[AnyMessage], service: str
) -> ServiceError:
    """Return the error that travelled as `code`, `message` and `packed` details."""
    try:
        details = tuple(map(_unpacked, packed))
    except DecodeError:
        details = ()
    if not any(isinstance(d, ErrorInfo) for d in details):  # Made by gRPC, not by a service.
        details = (*details, ErrorInfo(reason=code.name, domain=f"plimsoll.{service}"))
    return ServiceError(code, message or code.name, details)


def _details(trailing: Iterable[tuple[str, str | bytes]]) -> Iterable[AnyMessage]:
    for key, value in trailing:
        if key == KEY and isinstance(value, bytes):
            try:
                return Status.FromString(value).details
            except DecodeError:
                return ()
    return ()


def _unpacked(packed: AnyMessage) -> Message:
    name = packed.type_url.rpartition("/")[2]
    try:
        kind = GetMessageClass(descriptor_pool.Default().FindMessageTypeByName(name))
    except KeyError:  # A detail of a contract that this process does not know.
        return packed
    return kind.FromString(packed.value)
