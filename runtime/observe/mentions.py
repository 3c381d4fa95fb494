"""What a message says of the trace it came from: its `traceparent`, and the orders it is about.

Found by the names of fields, whatever the message: contracts name them alike everywhere.
"""

from collections.abc import Iterable
from functools import cache
from typing import Any, NamedTuple

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

TRACEPARENT = "traceparent"
NAMES = ("client_order_id", "signal_id")  # What ties a report from outside to its cause.
DEPTH_MAX = 4  # Deeper nothing of the platform hides a header, and messages may nest for ever.
MESSAGES_MAX = 256


class Plan(NamedTuple):
    """Which fields of a message type to read."""

    has_parent: bool
    names: tuple[str, ...]
    branches: tuple[tuple[str, bool, "Plan"], ...]  # Field, whether it is repeated, what is in it.


class Mentions(NamedTuple):
    """What was found; both without repeats, in the order of the messages."""

    parents: dict[str, None]
    names: dict[tuple[str, str], None]  # ("client_order_id", "ana-1").

    def attributes(self) -> dict[str, str]:
        """Return the names that are the only ones of their kind."""
        values: dict[str, list[str]] = {}
        for kind, name in self.names:
            values.setdefault(kind, []).append(name)
        return {kind: found[0] for kind, found in values.items() if len(found) == 1}


NOTHING_MENTIONED = Mentions({}, {})


def read(messages: Iterable[Message]) -> Mentions:
    """Return what `messages` mention."""
    found = NOTHING_MENTIONED
    for message in messages:
        plan = _plan(message.DESCRIPTOR)
        if plan is not None:
            found = Mentions({}, {}) if found is NOTHING_MENTIONED else found
            _collect(message, plan, found)
    return found


def _collect(message: Any, plan: Plan, found: Mentions) -> None:
    if plan.has_parent and (parent := message.traceparent):
        found.parents[parent] = None
    for name in plan.names:
        if value := getattr(message, name):
            found.names[name, value] = None
    for name, is_repeated, inner in plan.branches:
        if is_repeated:
            for one in getattr(message, name)[:MESSAGES_MAX]:
                _collect(one, inner, found)
        elif message.HasField(name):
            _collect(getattr(message, name), inner, found)


@cache
def _plan(descriptor: Descriptor) -> Plan | None:
    """Return how to read messages of a type, None when they never mention anything."""
    return _plan_within(descriptor, DEPTH_MAX)


def _plan_within(descriptor: Descriptor, depth: int) -> Plan | None:
    if not depth:
        return None
    branches = []
    for field in descriptor.fields:
        of_type = field.message_type
        if of_type is None or of_type.GetOptions().map_entry:
            continue
        if inner := _plan_within(of_type, depth - 1):
            branches.append((field.name, field.is_repeated, inner))
    texts = {
        field.name
        for field in descriptor.fields
        if field.type == field.TYPE_STRING and not field.is_repeated
    }
    names = tuple(name for name in NAMES if name in texts)
    if not (branches or names or TRACEPARENT in texts):
        return None
    return Plan(TRACEPARENT in texts, names, tuple(branches))
