"""Validation rules and meanings of fields in words, for the reference."""

from collections.abc import Iterator
from typing import Any

from google.protobuf.message import Message

SIGNS = {"gt": ">", "gte": "≥", "lt": "<", "lte": "≤"}  # Bounds of numbers and durations.
COUNTS = {
    "string": ("len", "characters"),
    "bytes": ("len", "bytes"),
    "repeated": ("items", "items"),
    "map": ("pairs", "entries"),
}
FLAGS = {"finite", "unique", "uuid"}


def rule_words(rules: Any) -> str:
    """Return what protovalidate checks about a field: "required, 1–64 characters"."""
    return ", ".join(_words(rules)) if rules is not None else ""


def _words(rules: Any) -> Iterator[str]:
    if rules.required:
        yield "required"
    if rules.ignore:
        yield "if given"
    kind = rules.WhichOneof("type")
    if kind:
        yield from _type_words(kind, getattr(rules, kind))
    for rule in rules.cel:
        yield rule.message.removeprefix("must be a ").partition(", such as")[0]


def _type_words(kind: str, rules: Any) -> Iterator[str]:
    stated = {field.name: value for field, value in rules.ListFields()}
    if kind in COUNTS:
        noun, unit = COUNTS[kind]
        yield from _count(stated.pop(f"min_{noun}", None), stated.pop(f"max_{noun}", None), unit)
    if kind == "enum" and list(stated.pop("not_in", ())) == [0]:
        yield "stated"
    stated.pop("defined_only", None)  # Every enum of the contracts is closed.
    for name, value in stated.items():
        yield _phrase(name, value)


def _phrase(name: str, value: Any) -> str:
    if name in SIGNS:
        return f"{SIGNS[name]} {_literal(value)}"
    if name == "pattern":
        return f"matches `{value}`"
    if name in ("items", "keys", "values"):
        words = rule_words(value)
        return f"{'each' if name == 'items' else name}: {words}" if words else ""
    return name if name in FLAGS else f"{name.replace('_', ' ')} {_literal(value)}"


def _count(least: int | None, most: int | None, unit: str) -> Iterator[str]:
    if least == 1 and most is None:
        yield "not empty"
    elif least is not None and most is not None:
        yield f"{least}–{most} {unit}" if least != most else f"{least} {unit}"
    elif least is not None or most is not None:
        yield f"at least {least} {unit}" if most is None else f"at most {most} {unit}"


def _literal(value: Any) -> str:
    if isinstance(value, Message):
        return f"{seconds(value):g} s"
    return f"{value:g}" if isinstance(value, float) else str(value)


def seconds(duration: Any) -> float:
    """Return the length of a `google.protobuf.Duration` of any descriptor pool."""
    return float(duration.seconds + duration.nanos / 1e9)


def meaning_words(meaning: Any) -> str:
    """Return what the options of a field say it means: "price", "personal, redacted"."""
    if meaning is None:
        return ""
    names = meaning.DESCRIPTOR.fields_by_name["semantics"].enum_type.values_by_number
    semantics = names[meaning.semantics].name.removeprefix("SEMANTICS_").lower()
    words = [
        semantics if meaning.semantics else "",
        meaning.unit and f"in {meaning.unit}",
        "redacted" if meaning.is_redacted else "",
    ]
    return ", ".join(word for word in words if word)
