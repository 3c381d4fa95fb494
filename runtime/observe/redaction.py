"""Removes from log values what may be a secret: by its name, its form, its contract, or known."""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from google.protobuf import text_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

REMOVED = "***"
SECRET_MIN = 6  # Shorter secrets are words that occur by themselves.
_NAMES = r"(?:password|passwd|secret|token|authorization|cookie)"
_NAMED = re.compile(_NAMES, re.IGNORECASE)
_ASSIGNED = re.compile(
    rf"(\b[\w-]*{_NAMES}[\w-]*[\"']?\s*[=:]\s*)(?:bearer\s+|basic\s+)?[\"']?[^\s\"',;&)}}\]]+",
    re.IGNORECASE,
)
_BEARER = re.compile(r"\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}", re.IGNORECASE)
_IN_URL = re.compile(r"(://[^/\s:@]*:)[^@\s/]+@")


class Redaction:
    """Knows the secrets of a process by value, and others by how they look."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = sorted({s for s in secrets if len(s) >= SECRET_MIN}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    def clean(self, value: Any) -> Any:
        """Return `value` without secrets; what is no plain value becomes text."""
        if isinstance(value, str):
            return self.text(value)
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, Message):
            return self.text(shown(value))
        if isinstance(value, Mapping):
            return self.fields({str(key): one for key, one in value.items()})
        if isinstance(value, list | tuple):
            return [self.clean(one) for one in value]
        return self.text(_repr(value))

    def fields(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Return named values without those whose names say that they are secret."""
        return {
            key: REMOVED if _NAMED.search(key) else self.clean(value)
            for key, value in fields.items()
        }

    def text(self, text: str) -> str:
        """Return `text` without what looks like a secret in it."""
        if self._known is not None:
            text = self._known.sub(REMOVED, text)
        text = _IN_URL.sub(rf"\1{REMOVED}@", text)
        text = _ASSIGNED.sub(rf"\1{REMOVED}", text)
        return _BEARER.sub(rf"\1 {REMOVED}", text)


def shown(message: Message) -> str:
    """Return a message as text, without the fields that its contract marks as redacted."""
    copy = type(message)()
    copy.CopyFrom(message)
    _strip(copy)
    return str(text_format.MessageToString(copy, as_one_line=True))


def _strip(message: Message) -> None:
    for name in _redacted(message.DESCRIPTOR):
        message.ClearField(name)
    for field, value in message.ListFields():
        if field.message_type is None or field.message_type.GetOptions().map_entry:
            continue
        for one in value if field.is_repeated else (value,):
            _strip(one)


@cache
def _redacted(descriptor: Descriptor) -> tuple[str, ...]:
    return tuple(field.name for field in descriptor.fields if _is_redacted(field))


def _is_redacted(field: FieldDescriptor) -> bool:
    """Return whether an option says so, whichever: contracts have theirs, we know its name."""
    for option, value in field.GetOptions().ListFields():
        if not option.is_extension or option.message_type is None:
            continue
        semantics = option.message_type.fields_by_name.get("semantics")
        if getattr(value, "is_redacted", False):
            return True
        if semantics is not None and semantics.enum_type is not None:
            named = semantics.enum_type.values_by_number.get(value.semantics)
            if named is not None and named.name.endswith("_PERSONAL"):
                return True
    return False


def _repr(value: Any) -> str:
    try:
        return repr(value)
    except Exception:  # noqa: BLE001 - a value that cannot even be shown must not cost the line.
        return f"<{type(value).__name__}>"
