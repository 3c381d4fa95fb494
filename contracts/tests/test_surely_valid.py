"""What is said to be surely valid is valid: tried on requests of every method of the contracts.

Messages are made from the rules themselves, so that most fields keep them, and some do not.
"""

import importlib
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from buf.validate import validate_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.struct_pb2 import Struct
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from protovalidate import EvaluationError

from contracts import mothers
from runtime.guards.cel import Unsure, in_python, searching
from runtime.guards.enums import unknown_values
from runtime.guards.sure import is_surely_valid
from runtime.guards.validation import VALIDATOR

PYTHON = Path(__file__).resolve().parents[1] / "python"
TEXTS = ("", "main", "o-1", "o/1", "a b", "main ", "main\n", "ALPHA.XSIM", "USD", "é", "x" * 70)
DECIMALS = ("1", "0", "12.5", "0.30", "-1", "-0", "1e5", "1.", "nan", "1\n", "", "007", "0.2")
UUIDS = ("6f1c2d34-0000-5000-8000-0123456789ab", "6f1c2d34-0000-5000-8000-0123456789ab\n")
WHOLE = (0, 1, 2, 3, 5, 100, -1, 65_536, 10**6, 2**31 - 1)
DOUBLES = (0.0, -0.0, 0.5, 1.0, 2.0, -1.0, 1e300, float("inf"), float("nan"))


def requests() -> dict[str, Descriptor]:
    """Return the types of all requests of the contracts, by name."""
    found: dict[str, Descriptor] = {}
    for path in sorted(PYTHON.glob("trading/*/v1/*_pb2.py")):
        name = ".".join(path.relative_to(PYTHON).with_suffix("").parts)
        for service in importlib.import_module(name).DESCRIPTOR.services_by_name.values():
            found |= {method.input_type.full_name: method.input_type for method in service.methods}
    return found


REQUESTS = requests()
MADE = {
    "trading.types.v1.OrderSpec": mothers.order,
    "trading.types.v1.Candle": mothers.candle,
    "google.protobuf.Duration": lambda: Duration(seconds=1),
}
BEYOND = {"trading.discovery.v1.RegisterInstanceRequest"}  # Its rules are sentences in CEL.
Draw = Callable[[Any], Any]


@cache
def values_of(field: FieldDescriptor) -> st.SearchStrategy[Any]:
    """Return values of one field, or of one of its items, that keep most rules."""
    rules: Any = field.GetOptions().Extensions[validate_pb2.field]
    if field.is_repeated:
        rules = rules.repeated.items
    if field.message_type is not None:
        return messages_of(field.message_type)
    if field.enum_type is not None:
        known = list(field.enum_type.values_by_number)
        return st.sampled_from([number for number in known if number] or known)
    if field.type == field.TYPE_STRING:
        return _texts(field, rules)
    if field.type == field.TYPE_BYTES:
        return st.binary(max_size=40)
    if field.type == field.TYPE_BOOL:
        return st.booleans()
    is_double = field.type in (field.TYPE_DOUBLE, field.TYPE_FLOAT)
    return st.sampled_from(DOUBLES[2:4] if is_double else WHOLE[1:3])


def _texts(field: FieldDescriptor, rules: Any) -> st.SearchStrategy[str]:
    if field.full_name == "google.type.Decimal.value":
        return st.sampled_from(DECIMALS[:3])
    if rules.string.uuid:
        return st.just(UUIDS[0])
    if rules.string.pattern:
        return st.from_regex(rules.string.pattern.removesuffix("$") + r"\Z").map(lambda t: t[:200])
    return st.sampled_from(TEXTS[1:3])


def messages_of(descriptor: Descriptor) -> st.SearchStrategy[Message]:
    if made := MADE.get(descriptor.full_name):
        return st.one_of(st.builds(made), _messages_of(descriptor))
    return _messages_of(descriptor)


@st.composite
def _messages_of(draw: Draw, descriptor: Descriptor) -> Message:
    message: Any = GetMessageClass(descriptor)()
    chosen = {one.name: draw(st.sampled_from(list(one.fields))) for one in descriptor.oneofs}
    for field in descriptor.fields:
        oneof = field.containing_oneof
        if oneof is not None and chosen[oneof.name] is not field:
            continue
        rules: Any = field.GetOptions().Extensions[validate_pb2.field]
        has_presence = field.has_presence or field.is_repeated
        is_free = has_presence and not (rules.required or rules.repeated.min_items or oneof)
        if not is_free or draw(st.booleans()):
            fill(draw, message, field)
    return message  # type: ignore[no-any-return]


def fill(draw: Draw, message: Any, field: FieldDescriptor) -> None:
    entry = field.message_type
    if entry is not None and entry.GetOptions().map_entry:
        key, value = entry.fields_by_name["key"], entry.fields_by_name["value"]
        for one in draw(st.lists(values_of(key), max_size=2)):
            if value.message_type is None:
                getattr(message, field.name)[one] = draw(values_of(value))
            else:
                getattr(message, field.name)[one].CopyFrom(draw(values_of(value)))
    elif field.is_repeated:
        getattr(message, field.name).extend(
            draw(st.lists(values_of(field), min_size=1, max_size=3))
        )
    elif entry is not None:
        getattr(message, field.name).CopyFrom(draw(values_of(field)))
    else:
        setattr(message, field.name, draw(values_of(field)))


def spoil(draw: Draw, message: Any) -> None:
    """Change one field of a message, or of one within it, to any value at all."""
    field = draw(st.sampled_from(list(message.DESCRIPTOR.fields)))
    entry, value = field.message_type, getattr(message, field.name)
    if draw(st.integers(0, 9)) == 0:
        message.ClearField(field.name)
    elif entry is not None and entry.GetOptions().map_entry:
        fill(draw, message, field)
    elif entry is not None and field.is_repeated:
        spoil(draw, draw(st.sampled_from(list(value))) if value else value.add())
    elif entry is not None:
        if entry.fields:
            value.SetInParent()
            spoil(draw, value)
    elif field.is_repeated:
        value.extend(draw(st.lists(any_of(field), max_size=3)))
    else:
        setattr(message, field.name, draw(any_of(field)))


def any_of(field: FieldDescriptor) -> st.SearchStrategy[Any]:
    if field.enum_type is not None:
        return st.sampled_from([0, 1, 2, 3, 5, 99])
    if field.type == field.TYPE_STRING:
        return st.sampled_from([*TEXTS, *DECIMALS, *UUIDS])
    if field.type in (field.TYPE_DOUBLE, field.TYPE_FLOAT):
        return st.sampled_from(DOUBLES)
    is_whole = field.type not in (field.TYPE_BYTES, field.TYPE_BOOL)
    return st.sampled_from(WHOLE) if is_whole else values_of(field)


@st.composite
def nearly_valid(draw: Draw, descriptor: Descriptor) -> Message:
    """Return a request that keeps most rules of its contract, often all."""
    message: Message = draw(messages_of(descriptor))
    for _ in range(draw(st.integers(0, 2)) if descriptor.fields else 0):
        spoil(draw, message)
    return message


def is_valid(message: Message) -> bool:
    """Return what protovalidate says, which raises for what some rules cannot be asked of."""
    try:
        return not VALIDATOR.collect_violations(message) and not unknown_values(message)
    except EvaluationError:
        return False


def holds_its_like(message: Message, above: tuple[str, ...] = ()) -> bool:
    """Return whether a message stands in one of its own type, as a struct in a struct does."""
    name = message.DESCRIPTOR.full_name
    if name in above:
        return True
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        held = value.values() if isinstance(value, Mapping) else value
        for one in held if field.is_repeated else [value]:
            if isinstance(one, Message) and holds_its_like(one, (*above, name)):
                return True
    return False


def test_a_message_that_stands_in_one_of_its_own_type_is_left_to_protovalidate() -> None:
    inner = Struct()
    inner.update({"a": 1})
    assert is_surely_valid(inner)
    outer = Struct()
    outer.update({"a": {"b": 1}})
    assert (is_surely_valid(outer), is_valid(outer)) == (False, True)
    assert (holds_its_like(inner), holds_its_like(outer)) == (False, True)


@pytest.mark.parametrize("name", sorted(REQUESTS))
def test_what_is_surely_valid_breaks_no_rule(name: str) -> None:
    """And what breaks none is said to be surely valid, but where rules are beyond it."""

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(message=nearly_valid(REQUESTS[name]))
    def holds(message: Message) -> None:
        if is_surely_valid(message):
            assert is_valid(message)
        elif name not in BEYOND and not holds_its_like(message):
            assert not is_valid(message)

    holds()


@pytest.mark.parametrize(
    "pattern", ["a$b", r"\d+", "(?i)a", "[[:alpha:]]", "a$$", "[$]"], ids=lambda text: str(text)
)
def test_a_pattern_that_might_mean_something_else_to_python_is_left_alone(pattern: str) -> None:
    with pytest.raises(Unsure):
        searching(pattern)


def test_the_end_of_a_text_is_behind_its_last_newline() -> None:
    assert searching("^a$")("a")
    assert not searching("^a$")("a\n")


@pytest.mark.parametrize(
    "rule",
    [
        "!this.reduce_only == true",
        "!(this.side == 1) == (this.type == 1)",
        "this.side == this.type == this.time_in_force",
        "this.side == 1 ? this.type == 1 : true",
        "has(this.side)",
        "this.nothing == 1",
        "this.account.size() > 1",
        "this.account == 'it\\'s'",
    ],
)
def test_a_rule_that_might_mean_something_else_in_python_is_left_alone(rule: str) -> None:
    with pytest.raises(Unsure):
        in_python(rule, "m", mothers.order().DESCRIPTOR, lambda _: "_0")


@pytest.mark.parametrize(
    ("rule", "python"),
    [
        ("!(this.type in [2, 4]) || has(this.limit_price)", "(not ( m.type in [ 2 , 4 ] ) or "),
        ("!this.account.contains('/') && size(this.account) > 1", "(not ('/' in m.account) and "),
    ],
    ids=["has", "contains"],
)
def test_a_rule_that_is_plainly_the_same_is_said_in_python(rule: str, python: str) -> None:
    order: Any = mothers.order().DESCRIPTOR
    assert in_python(rule, "m", order, lambda _: "_0").startswith(python)
