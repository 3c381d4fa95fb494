"""Messages of any contract, made up by Hypothesis from their descriptors."""

from typing import Any

from google.protobuf.descriptor import FieldDescriptor as Field
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.struct_pb2 import Struct
from hypothesis import strategies as st

DEPTH_MAX = 4
CHARACTERS = st.characters(exclude_categories=["Cs"])
TEXTS = st.text(CHARACTERS, max_size=8)
SCALARS: dict[int, st.SearchStrategy[Any]] = {
    Field.CPPTYPE_INT32: st.integers(-(2**31), 2**31 - 1),
    Field.CPPTYPE_INT64: st.integers(-(2**63), 2**63 - 1),
    Field.CPPTYPE_UINT32: st.integers(0, 2**32 - 1),
    Field.CPPTYPE_UINT64: st.integers(0, 2**64 - 1),
    Field.CPPTYPE_DOUBLE: st.floats(allow_nan=False),
    Field.CPPTYPE_FLOAT: st.floats(width=32, allow_nan=False),
    Field.CPPTYPE_BOOL: st.booleans(),
}
# What JSON can say of these: years 1 to 9999, and 10,000 years.
BOUNDS = {
    "google.protobuf.Timestamp": (-62_135_596_800, 253_402_300_799),
    "google.protobuf.Duration": (-315_576_000_000, 315_576_000_000),
}


@st.composite
def messages(draw: st.DrawFn, kind: type[Message], depth: int = 0) -> Message:
    """Return a message of `kind` with any of its fields set to anything."""
    message = kind()
    name = kind.DESCRIPTOR.full_name
    if name in BOUNDS:
        _draw_time(draw, message, BOUNDS[name])
    elif isinstance(message, Struct):
        message.update(draw(st.dictionaries(TEXTS, TEXTS | st.booleans(), max_size=2)))
    elif depth < DEPTH_MAX:
        fields = list(kind.DESCRIPTOR.fields)
        for field in draw(st.lists(st.sampled_from(fields), max_size=6)) if fields else ():
            _draw_field(draw, message, field, depth)
    return message


def _draw_time(draw: st.DrawFn, message: Any, bounds: tuple[int, int]) -> None:
    message.seconds = draw(st.integers(*bounds))
    nanos = draw(st.integers(0, 999_999_999))
    is_duration = bounds[0] == -bounds[1]
    message.nanos = -nanos if is_duration and message.seconds < 0 else nanos
    if is_duration and abs(message.seconds) == bounds[1]:
        message.nanos = 0


def _draw_field(draw: st.DrawFn, message: Any, field: Any, depth: int) -> None:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        _draw_map(draw, message, field, depth)
        return
    count = draw(st.integers(1, 2)) if field.is_repeated else 1
    values = [draw(_values(field, depth)) for _ in range(count)]
    if field.is_repeated:
        getattr(message, field.name).extend(values)
    elif field.message_type is not None:
        getattr(message, field.name).CopyFrom(values[0])
    else:
        setattr(message, field.name, values[0])


def _draw_map(draw: st.DrawFn, message: Any, field: Any, depth: int) -> None:
    key, value = (field.message_type.fields_by_name[name] for name in ("key", "value"))
    for text in draw(st.lists(_values(key, depth), max_size=2)):
        drawn = draw(_values(value, depth))
        if value.message_type is not None:
            getattr(message, field.name)[text].CopyFrom(drawn)
        else:
            getattr(message, field.name)[text] = drawn


def _values(field: Any, depth: int) -> st.SearchStrategy[Any]:
    if field.message_type is not None:
        return messages(GetMessageClass(field.message_type), depth + 1)
    if field.enum_type is not None:
        known = [value.number for value in field.enum_type.values]
        return st.sampled_from(known) | st.integers(0, 2**31 - 1)
    if field.cpp_type == Field.CPPTYPE_STRING:
        return st.binary(max_size=8) if field.type == Field.TYPE_BYTES else TEXTS
    return SCALARS[field.cpp_type]
