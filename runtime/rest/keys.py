"""`Idempotency-Key`: the contract's key of a request, said once more in a header."""

from typing import Any

from google.protobuf.message import Message
from grpc import StatusCode

from runtime.request_key import key_of
from runtime.rest.problems import HttpRefusal
from runtime.rpc import Idempotency, Method


def keyed(method: Method, request: Message, header: str | None) -> str:
    """Return the key that makes a repeat of `request` a repeat; "" when it has none.

    A request without a key of its own gets the header's. Raises INVALID_ARGUMENT when the two
    differ, and when the method has no key: its caller would think that repeats are harmless.
    """
    idempotency = method.policy.idempotency
    if header is not None and idempotency is Idempotency.NOT_IDEMPOTENT:
        raise _refused(f"{method.path} has no key: a repeat would be done again; leave it out")
    if idempotency is not Idempotency.IDEMPOTENT_BY_KEY or not method.policy.key:
        return ""
    own = key_of(method, request)
    if header is None or header == own:
        return own
    if not own and _fill(request, method.policy.key, header):
        return header
    raise _refused(
        f"Idempotency-Key is {header[:80]!r}, the request's {method.policy.key} is {own[:80]!r}, "
        "must be the same: send one of them"
    )


def _fill(request: Message, path: str, value: str) -> bool:
    """Set the field at `path` and return True, if it is one text that stands alone."""
    *outer, last = path.split(".")
    if "+" in path:
        return False
    kind: Any = request.DESCRIPTOR
    for name in outer:
        field = kind.fields_by_name[name]
        if field.is_repeated:
            return False
        kind = field.message_type
    field = kind.fields_by_name[last]
    if field.is_repeated or field.cpp_type != field.CPPTYPE_STRING:
        return False
    holder: Any = request
    for name in outer:
        holder = getattr(holder, name)
    setattr(holder, last, value)
    return True


def _refused(message: str) -> HttpRefusal:
    return HttpRefusal(400, StatusCode.INVALID_ARGUMENT, "WRONG_IDEMPOTENCY_KEY", message)
