"""The key that a contract gives a request: the same again is the same request."""

from typing import Any

from google.protobuf.message import Message

from runtime.rpc import Method


def key_of(method: Method, request: Message) -> str:
    """Return the values of the contract's key in `request`, joined by "+"; "" without any."""
    paths = [path.split(".") for path in method.policy.key.split("+") if path]
    values = ["+".join(_values(request, path)) for path in paths]
    return "+".join(values) if any(values) else ""


def _values(value: Any, path: list[str]) -> list[str]:
    if not path:
        return [str(value)] if value else []
    inner = getattr(value, path[0])
    if value.DESCRIPTOR.fields_by_name[path[0]].is_repeated:
        return [text for one in inner for text in _values(one, path[1:])]
    return _values(inner, path[1:])
