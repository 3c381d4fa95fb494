"""Tells quickly that a message keeps all rules of its contract: most do.

The rules of a message type are written once as a Python function. It knows the common ones, and
says of a message that it is surely valid or nothing at all: then protovalidate judges, whose
violations callers are shown. What is said here protovalidate says, too (`test_surely_valid.py`).
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from keyword import iskeyword
from typing import Any

from google.protobuf import descriptor_pool
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from runtime.guards.cel import Unsure, in_python, searching

Look = Callable[[Any], bool]
UUID = "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"
DURATION = "google.protobuf.Duration"
IF_ZERO = 1  # buf.validate.IGNORE_IF_ZERO_VALUE
NUMBERS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
OF_NUMBERS = ("int32", "int64", "uint32", "uint64", "sint32", "sint64", "double")


def is_surely_valid(message: Message) -> bool:
    """Return whether no rule of its contract refuses `message`, nor an enum value in it.

    False says nothing.
    """
    look = _look(message.DESCRIPTOR)
    try:
        return look is not None and look(message)
    except (ArithmeticError, TypeError, ValueError):  # A rule about what is no number, say.
        return False


@cache
def _look(descriptor: Descriptor) -> Look | None:
    """Return what looks at messages of a type; None when it could not say anything."""
    try:
        return _Writer(descriptor, ()).look()
    except Unsure:
        return None


def _stated(options: Any, kind: str) -> Any:
    """Return the rules that options state; None where no contract that is loaded has any."""
    try:
        extension: Any = descriptor_pool.Default().FindExtensionByName(f"buf.validate.{kind}")
    except KeyError:
        return None
    return options.Extensions[extension]


class _Writer:
    """Writes the function for one message type."""

    def __init__(self, descriptor: Descriptor, above: tuple[str, ...]) -> None:
        self._descriptor = descriptor
        self._above = (*above, descriptor.full_name)
        self._lines: list[str] = []
        self._names: dict[str, object] = {}
        self._depth = 1

    def look(self) -> Look:
        """Return the function. Raises Unsure when it would never say anything."""
        for oneof in self._descriptor.oneofs:
            rules = _stated(oneof.GetOptions(), "oneof")
            if rules is not None and rules.required:
                self._demand(f"m.WhichOneof({oneof.name!r})")
        for field in self._descriptor.fields:
            self._field(field)
        rules = _stated(self._descriptor.GetOptions(), "message")
        if rules is not None:
            known = {"cel"}
            if any(stated.name not in known for stated, _ in rules.ListFields()):
                raise Unsure(self._descriptor.full_name)
            for rule in rules.cel:
                self._demand(in_python(rule.expression, "m", self._descriptor, self._name))
        source = "\n".join(["def look(m):", *self._lines, "    return True"])
        exec(source, self._names)
        look: Look = self._names["look"]  # type: ignore[assignment]
        return look

    @property
    def is_empty(self) -> bool:
        """Whether nothing is demanded."""
        return not self._lines

    def _field(self, field: FieldDescriptor) -> None:
        rules = _stated(field.GetOptions(), "field")
        if iskeyword(field.name):
            raise Unsure(field.full_name)
        try:
            mark = len(self._lines), self._depth
            if field.is_repeated:
                self._many(field, rules)
            else:
                self._one(field, rules)
        except Unsure:  # Messages without it can still be judged.
            del self._lines[mark[0] :]
            self._depth = mark[1]
            if field.is_repeated:
                self._demand(f"not m.{field.name}")
            elif field.has_presence and not (rules is not None and rules.required):
                self._demand(f"not m.HasField({field.name!r})")
            else:
                raise

    def _one(self, field: FieldDescriptor, rules: Any) -> None:
        asked = self._demands(field, rules, "v")
        must = rules is not None and rules.required
        ignored = rules.ignore if rules is not None else 0
        if ignored not in (0, IF_ZERO) or (ignored and (field.has_presence or _is_float(field))):
            raise Unsure(field.full_name)
        if field.has_presence:
            if must:
                self._demand(f"m.HasField({field.name!r})")
            if asked:
                with self._block(None if must else f"if m.HasField({field.name!r}):"):
                    self._write(f"v = m.{field.name}")
                    self._demand(*asked)
            return
        if must or asked:
            self._write(f"v = m.{field.name}")
        if must:
            self._demand("v")
        if asked:
            with self._block("if v:" if ignored else None):
                self._demand(*asked)

    def _many(self, field: FieldDescriptor, rules: Any) -> None:
        entry: Any = field.message_type
        is_map = entry is not None and entry.GetOptions().map_entry
        if rules is not None:
            whole = [*_unknown(rules, {"required", "map" if is_map else "repeated"})]
            if whole:
                raise Unsure(field.full_name)
        of_kind = rules and (rules.map if is_map else rules.repeated)
        self._write(f"r = m.{field.name}")
        if of_kind:
            self._sizes(field, rules, of_kind)
        if is_map:
            keys = self._demands(entry.fields_by_name["key"], of_kind and of_kind.keys, "k")
            values = self._demands(
                entry.fields_by_name["value"], of_kind and of_kind.values, "r[k]"
            )
            if keys or values:
                with self._block("for k in r:"):
                    self._demand(*keys, *values)
            return
        items = of_kind and of_kind.items
        if items and (items.required or items.ignore):
            raise Unsure(field.full_name)
        if asked := self._demands(field, items, "v"):
            with self._block("for v in r:"):
                self._demand(*asked)

    def _sizes(self, field: FieldDescriptor, rules: Any, of_kind: Any) -> None:
        known = {"items", "keys", "values", "min_items", "max_items", "min_pairs", "max_pairs"}
        if [*_unknown(of_kind, {*known, "unique"})]:
            raise Unsure(field.full_name)
        if rules.required:
            self._demand("r")
        for stated, value in of_kind.ListFields():
            if stated.name.startswith(("min_", "max_")):
                self._demand(f"len(r) {'>=' if stated.name.startswith('min') else '<='} {value}")
            elif stated.name == "unique" and value:
                if field.message_type is not None or _is_float(field):
                    raise Unsure(field.full_name)
                self._demand("len(set(r)) == len(r)")

    def _demands(self, field: FieldDescriptor, rules: Any, value: str) -> list[str]:
        """Return what must be true of one value, as expressions."""
        demands = []
        if rules:
            if [*_unknown(rules, {"required", "ignore", "cel", rules.WhichOneof("type")})]:
                raise Unsure(field.full_name)
            if field.message_type is None or field.message_type.full_name == DURATION:
                demands = self._of_type(field, rules, value)
            elif rules.WhichOneof("type"):
                raise Unsure(field.full_name)
        if field.enum_type is not None and not (rules and rules.HasField("enum")):
            demands.append(f"{value} in {self._name(frozenset(field.enum_type.values_by_number))}")
        if field.message_type is not None:
            demands += self._inner(field.message_type, value)
        if rules:
            demands += [
                in_python(rule.expression, value, field.message_type, self._name)
                for rule in rules.cel
            ]
        return demands

    def _inner(self, descriptor: Descriptor, value: str) -> list[str]:
        if descriptor.full_name in self._above:
            raise Unsure(descriptor.full_name)
        inner = _Writer(descriptor, self._above)
        look = inner.look()
        return [] if inner.is_empty else [f"{self._name(look)}({value})"]

    def _of_type(self, field: FieldDescriptor, rules: Any, value: str) -> list[str]:
        kind = rules.WhichOneof("type")
        if kind is None:
            return []
        stated = {one.name: limit for one, limit in getattr(rules, kind).ListFields()}
        if kind == "enum":
            return [self._of_enum(field, stated, value)]
        if kind == "duration":
            return _of_duration(stated, value)
        low, high = (stated.get(a, stated.get(b)) for a, b in (("gt", "gte"), ("lt", "lte")))
        if low is not None and high is not None and low >= high:  # Means what is outside of them.
            raise Unsure(field.full_name)
        return [self._of_scalar(kind, name, limit, value) for name, limit in stated.items()]

    def _of_scalar(self, kind: str, name: str, limit: Any, value: str) -> str:
        if kind in OF_NUMBERS and name in NUMBERS:
            return f"{value} {NUMBERS[name]} {limit!r}"
        if kind == "double" and name == "finite" and limit:
            return f"{self._name(math.isfinite)}({value})"
        if kind in ("string", "bytes") and name in ("min_len", "max_len"):
            return f"len({value}) {'>=' if name == 'min_len' else '<='} {limit}"
        if kind == "string" and name == "pattern":
            return f"{self._name(searching(limit))}({value})"
        if kind == "string" and name == "uuid" and limit:
            return f"{self._name(searching(UUID))}({value})"
        raise Unsure(name)

    def _of_enum(self, field: FieldDescriptor, stated: dict[str, Any], value: str) -> str:
        if stated.keys() - {"defined_only", "in", "not_in"} or field.enum_type is None:
            raise Unsure(field.full_name)
        known = frozenset(field.enum_type.values_by_number)
        if "in" in stated:
            known &= frozenset(stated["in"])
        return f"{value} in {self._name(known - frozenset(stated.get('not_in', ())))}"

    def _name(self, thing: object) -> str:
        name = f"_{len(self._names)}"
        self._names[name] = thing
        return name

    def _demand(self, *demands: str) -> None:
        if demands:
            self._write(f"if not ({' and '.join(demands)}): return False")

    def _write(self, line: str) -> None:
        self._lines.append("    " * self._depth + line)

    @contextmanager
    def _block(self, head: str | None) -> Iterator[None]:
        if head is None:
            yield
            return
        self._write(head)
        self._depth += 1
        yield
        self._depth -= 1


def _unknown(rules: Any, known: set[str | None]) -> Iterator[str]:
    return (one.name for one, _ in rules.ListFields() if one.is_extension or one.name not in known)


def _is_float(field: FieldDescriptor) -> bool:
    return field.type in (field.TYPE_DOUBLE, field.TYPE_FLOAT)


def _of_duration(stated: dict[str, Any], value: str) -> list[str]:
    """Return what to demand of a proper duration; one below zero is left to protovalidate."""
    if len(stated) > 2 or stated.keys() - {"gte", "lte"}:
        raise Unsure("duration")
    return [
        f"0 <= {value}.nanos < 1_000_000_000 and 0 <= {value}.seconds < 315_576_000_000",
        *(
            f"({value}.seconds, {value}.nanos) {NUMBERS[name]} ({limit.seconds}, {limit.nanos})"
            for name, limit in stated.items()
        ),
    ]
