"""Finds enum values that the contract does not list: they are refused, never defaulted.

Where the contract itself says `defined_only`, protovalidate looks, and this module does not.
"""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from google.protobuf import descriptor_pool
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

Found = Iterator[tuple[str, int]]
Look = Callable[[Any, str], Found]  # (value of the field, its path) to what is unknown in it.


def unknown_values(message: Message) -> list[tuple[str, int]]:
    """Return path and number of each enum value in `message` that its contract does not list."""
    descriptor: Any = message.DESCRIPTOR
    return list(_in_message(descriptor, message, "")) if _fields(descriptor) else []


def _in_message(descriptor: Descriptor, message: Message, prefix: str) -> Found:
    for name, look, tracks_presence in _fields(descriptor):
        if tracks_presence and not message.HasField(name):
            continue
        yield from look(getattr(message, name), f"{prefix}{name}")


@cache
def _fields(descriptor: Descriptor) -> tuple[tuple[str, Look, bool], ...]:
    """Return the fields of a message type through which an enum can be reached."""
    return tuple(
        (field.name, look, field.has_presence)
        for field in descriptor.fields
        if (look := _look(field)) is not None
    )


def _look(field: FieldDescriptor) -> Look | None:
    if field.enum_type is not None and _is_defined_only(field):
        return None
    entry = field.message_type
    if entry is not None and entry.GetOptions().map_entry:
        inner = _look_at_one(entry.fields_by_name["value"])
        return _each_value(inner) if inner else None
    inner = _look_at_one(field)
    return _each_item(inner) if inner and field.is_repeated else inner


def _look_at_one(field: FieldDescriptor) -> Look | None:
    if field.enum_type is not None:
        return _number(frozenset(field.enum_type.values_by_number))
    inner = field.message_type
    if inner is None or not _reaches_enum(inner, ()):
        return None
    return lambda message, path: _in_message(inner, message, f"{path}.")


def _is_defined_only(field: FieldDescriptor) -> bool:
    try:
        extension: Any = descriptor_pool.Default().FindExtensionByName("buf.validate.field")
    except KeyError:  # No contract that is loaded states any rule.
        return False
    rules: Any = field.GetOptions().Extensions[extension]
    return bool((rules.repeated.items if field.is_repeated else rules).enum.defined_only)


def _reaches_enum(descriptor: Descriptor, above: tuple[str, ...]) -> bool:
    if descriptor.full_name in above:  # A message that contains itself adds nothing new.
        return False
    within = (*above, descriptor.full_name)
    return any(
        (field.enum_type is not None and not _is_defined_only(field))
        or (field.message_type is not None and _reaches_enum(field.message_type, within))
        for field in descriptor.fields
    )


def _number(known: frozenset[int]) -> Look:
    def look(number: int, path: str) -> Found:
        if number not in known:
            yield path, number

    return look


def _each_item(look: Look) -> Look:
    def look_at_each(items: Any, path: str) -> Found:
        for index, item in enumerate(items):
            yield from look(item, f"{path}[{index}]")

    return look_at_each


def _each_value(look: Look) -> Look:
    def look_at_each(items: Any, path: str) -> Found:
        for key in sorted(items):
            yield from look(
                items[key], f'{path}["{key}"]' if isinstance(key, str) else f"{path}[{key}]"
            )

    return look_at_each
