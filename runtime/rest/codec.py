"""Messages as protobuf's JSON, and what is refused of it.

Source: https://protobuf.dev/programming-guides/json/.
"""

import json
import re
from typing import Any, NoReturn

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.json_format import MessageToDict, ParseDict, ParseError
from google.protobuf.message import Message

from runtime.rest.wire import DEPTH_MAX

_TOKENS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|([\[{])|([\]}])', re.DOTALL)
_EMPTY = re.compile(rb'\[\s*\]|""').search
_WELL_KNOWN = "google.protobuf."  # Whose JSON is not made of their fields.


class Unreadable(ValueError):
    """A text is not the JSON of the message that it must be; the text says why."""


def to_json(message: Message) -> bytes:
    """Return `message` as JSON on one line. Raises ValueError for what JSON cannot say."""
    return written(MessageToDict(message))


def written(document: Any) -> bytes:
    """Return a document as JSON on one line."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode()


def from_json(kind: type[Message], data: bytes, *, is_strict: bool) -> Message:
    """Return the message of `kind` that `data` is. Raises Unreadable.

    Strict is how requests are read: a misspelt limit must not become no limit. An answer
    may have fields that its reader does not know yet.
    """
    document = parsed(data)
    if is_strict and document.is_suspicious:
        _refuse_unclear(document.value, kind.DESCRIPTOR)
    return from_value(kind, document.value, is_strict=is_strict)


def from_value(kind: type[Message], value: Any, *, is_strict: bool) -> Message:
    """Return the message of `kind` that a parsed JSON text says. Raises Unreadable."""
    try:
        return ParseDict(value, kind(), ignore_unknown_fields=not is_strict)
    except (ParseError, ValueError, TypeError, AttributeError) as error:
        raise Unreadable(_short(str(error))) from error


class Parsed:
    """A JSON text's value, and whether it may hold what protobuf's own reader lets pass."""

    def __init__(self) -> None:
        self.value: Any = None
        self.is_suspicious = False

    def unique(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        """Return an object. Raises Unreadable when a key stands twice."""
        found = dict(pairs)
        if len(found) < len(pairs):
            keys = [key for key, _ in pairs]
            twice = next(key for key in keys if keys.count(key) > 1)
            raise Unreadable(f"the key {twice!r} stands twice, must stand once")
        if len({_plain(key) for key in found}) < len(found):
            self.is_suspicious = True
        return found


def parsed(data: bytes) -> Parsed:
    """Return what a JSON text says. Raises Unreadable."""
    _refuse_depth(data)
    document = Parsed()
    document.is_suspicious = _EMPTY(data) is not None
    try:
        document.value = json.loads(
            data.decode(), object_pairs_hook=document.unique, parse_constant=_refuse_constant
        )
    except Unreadable:
        raise
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"not JSON: {_short(str(error))}") from error
    return document


def _refuse_constant(name: str) -> NoReturn:
    raise Unreadable(f"{name} is not JSON, must be a number")


def _refuse_depth(data: bytes) -> None:
    if data.count(b"{") + data.count(b"[") <= DEPTH_MAX:
        return
    depth = 0
    for token in _TOKENS.finditer(data):
        if token.group(1):
            depth += 1
        elif token.group(2):
            depth -= 1
        if depth > DEPTH_MAX:
            raise Unreadable(f"nested deeper than {DEPTH_MAX} levels: no message needs that")


def _refuse_unclear(value: Any, kind: Any) -> None:
    """Raise Unreadable for what protobuf's own reader takes without a word.

    That is an object which names one field as `client_id` and as `clientId`, and an empty list
    or text in the place of an object.
    """
    if value is None or kind.full_name.startswith(_WELL_KNOWN):
        return
    if not isinstance(value, dict):  # An empty list would pass for an empty message.
        raise Unreadable(f"{value!r} is no {kind.full_name}, must be an object")
    names = {spelling: field for field in kind.fields for spelling in (field.name, field.json_name)}
    seen: set[str] = set()
    for key, inner in value.items():
        field = names.get(key)
        if field is None:
            continue
        if field.name in seen:
            raise Unreadable(f"the field {field.name!r} stands twice, must stand once")
        seen.add(field.name)
        for one, its_kind in _inside(field, inner):
            _refuse_unclear(one, its_kind)


def _inside(field: FieldDescriptor, value: Any) -> list[tuple[Any, Any]]:
    """Return the objects that are messages in the value of a field."""
    kind = field.message_type
    if kind is None:
        return []
    if kind.GetOptions().map_entry:
        inner = kind.fields_by_name["value"].message_type
        return [(one, inner) for one in value.values()] if inner and _is_object(value) else []
    if field.is_repeated:
        return [(one, kind) for one in value] if isinstance(value, list) else []
    return [(value, kind)]


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


def _plain(key: str) -> str:
    return key.replace("_", "").lower()


def _short(text: str) -> str:
    first, _, _ = text.partition("\n")
    return first if len(first) <= 300 else first[:300] + "…"
