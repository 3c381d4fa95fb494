"""Errors as HTTP carries them: RFC 9457, with everything that a gRPC status would carry."""

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from google.protobuf import json_format
from google.protobuf.any_pb2 import Any as AnyMessage
from grpc import StatusCode

from runtime.errors import DEFINITE, BadRequest, ServiceError, refusal
from runtime.status import from_parts, to_status

# Source: the comments of google/rpc/code.proto.
HTTP_STATUS = {
    StatusCode.CANCELLED: 499,
    StatusCode.UNKNOWN: 500,
    StatusCode.INVALID_ARGUMENT: 400,
    StatusCode.DEADLINE_EXCEEDED: 504,
    StatusCode.NOT_FOUND: 404,
    StatusCode.ALREADY_EXISTS: 409,
    StatusCode.PERMISSION_DENIED: 403,
    StatusCode.UNAUTHENTICATED: 401,
    StatusCode.RESOURCE_EXHAUSTED: 429,
    StatusCode.FAILED_PRECONDITION: 400,
    StatusCode.ABORTED: 409,
    StatusCode.OUT_OF_RANGE: 400,
    StatusCode.UNIMPLEMENTED: 501,
    StatusCode.INTERNAL: 500,
    StatusCode.UNAVAILABLE: 503,
    StatusCode.DATA_LOSS: 500,
}
# Of an answer that is no problem document: somebody between us and the service made it.
# Source: https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md.
CODE_OF_STRANGERS = {
    400: StatusCode.INTERNAL,
    401: StatusCode.UNAUTHENTICATED,
    403: StatusCode.PERMISSION_DENIED,
    404: StatusCode.UNIMPLEMENTED,
    429: StatusCode.UNAVAILABLE,
    502: StatusCode.UNAVAILABLE,
    503: StatusCode.UNAVAILABLE,
    504: StatusCode.UNAVAILABLE,
}
RETRY_AFTER_S = "1"  # The least that the header can say: whole seconds.


class HttpRefusal(ServiceError):
    """A call refused for how it was sent; HTTP has a number of its own for it."""

    def __init__(self, status: int, code: StatusCode, reason: str, message: str) -> None:
        error = refusal(code, reason, message, service="rest")
        super().__init__(code, message, error.details)
        self.status = status


def to_problem(error: ServiceError, request_id: str) -> dict[str, Any]:
    """Return the problem document of `error`: for people, and to rebuild the error from."""
    status = to_status(error)
    number = number_of(error)
    document: dict[str, Any] = {
        "type": "about:blank",
        "title": phrase(number),
        "status": number,
        "detail": status.message,
        "code": error.code.name,
        "reason": error.reason,
        "definite": error.code in DEFINITE,  # What the service itself could not send is its own.
        "request_id": request_id,
    }
    if (broken := error.detail(BadRequest)) is not None:
        document["violations"] = [
            {"field": v.field, "reason": v.reason, "description": v.description}
            for v in broken.field_violations
        ]
    document["details"] = [_to_document(detail) for detail in status.details]
    return document


def number_of(error: ServiceError) -> int:
    """Return the HTTP status of `error`."""
    return error.status if isinstance(error, HttpRefusal) else HTTP_STATUS.get(error.code, 500)


def phrase(number: int) -> str:
    """Return what HTTP calls a status."""
    try:
        return HTTPStatus(number).phrase
    except ValueError:
        return "Client Closed Request" if number == 499 else "Error"


def headers_of(error: ServiceError) -> Mapping[str, str]:
    """Return the headers that HTTP asks for beside the document."""
    number = number_of(error)
    if number == HTTPStatus.UNAUTHORIZED:
        return {"WWW-Authenticate": "Plimsoll"}
    if number in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        after_s = error.retry_after_s
        return {"Retry-After": str(max(1, round(after_s))) if after_s else RETRY_AFTER_S}
    if number == HTTPStatus.METHOD_NOT_ALLOWED:
        return {"Allow": "POST"}
    return {}


def from_document(document: Any, service: str) -> ServiceError | None:
    """Return the error that a problem document tells of; None when it is not one of ours."""
    if not isinstance(document, dict) or document.get("code") not in StatusCode.__members__:
        return None
    code = StatusCode[document["code"]]
    details = document.get("details")
    packed = list(_from_documents(details if isinstance(details, list) else []))
    return from_parts(code, str(document.get("detail", "")), packed, service)


def from_answer(number: int, body: bytes, service: str) -> ServiceError:
    """Return the error that an answer with the HTTP status `number` stands for."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    error = from_document(document, service)
    if error is not None:
        return error
    return refusal(
        CODE_OF_STRANGERS.get(number, StatusCode.UNKNOWN),
        "NOT_OURS",
        f"HTTP {number} {phrase(number)} without a problem document: something between here and "
        f"{service} answered; look at the address",
        service=service,
    )


def _to_document(packed: AnyMessage) -> dict[str, Any]:
    try:
        document: dict[str, Any] = json_format.MessageToDict(packed)
    except (TypeError, ValueError):  # Of a contract that this process does not know.
        return _as_bytes(packed)
    return document


def _as_bytes(packed: AnyMessage) -> dict[str, Any]:
    return {"@type": packed.type_url, "value": base64.b64encode(packed.value).decode()}


def _from_documents(documents: list[Any]) -> Iterator[AnyMessage]:
    for document in documents:
        try:
            yield json_format.ParseDict(document, AnyMessage(), ignore_unknown_fields=True)
        except (TypeError, ValueError, AttributeError, json_format.ParseError):
            packed = _from_bytes(document)
            if packed is not None:
                yield packed


def _from_bytes(document: Any) -> AnyMessage | None:
    try:
        value = base64.b64decode(document["value"], validate=True)
        return AnyMessage(type_url=document["@type"], value=value)
    except (TypeError, KeyError, binascii.Error, ValueError):
        return None
