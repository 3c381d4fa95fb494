"""One piece of work in a trace: what it was, how long it took, what it is part of."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

FORMAT = "plimsoll-spans/1"
# Version 00 of https://www.w3.org/TR/trace-context/; ids of zeros only are not ids.
_PROPER = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})").fullmatch
Value = str | int | float | bool


class SpanContext(NamedTuple):
    """The name of a span, as it travels."""

    trace_id: str  # 32 hexadecimal digits.
    span_id: str  # 16 hexadecimal digits.
    is_sampled: bool = True

    def header(self) -> str:
        """Return the W3C `traceparent`."""
        return f"00-{self.trace_id}-{self.span_id}-{'01' if self.is_sampled else '00'}"


def parse(header: str) -> SpanContext | None:
    """Return the span that a `traceparent` names; None for one that is foreign or malformed."""
    match = _PROPER(header)
    if match is None:
        return None
    return SpanContext(match[1], match[2], bool(int(match[3], 16) & 1))


class Kind(StrEnum):
    """Which part of an exchange a span is."""

    CLIENT = "client"
    SERVER = "server"
    PRODUCER = "producer"
    CONSUMER = "consumer"


@dataclass(slots=True)
class Span:
    """A piece of work. `parent_id` is "" for the first of its trace."""

    name: str  # "OrderService/SubmitOrder", or "signals process".
    kind: Kind
    service: str
    instance_name: str
    context: SpanContext
    parent_id: str
    start_ns: int  # UTC, by the service's clock.
    duration_ns: int = 0
    code: str = "OK"
    attributes: dict[str, Value] = field(default_factory=dict)
    links: tuple[SpanContext, ...] = ()
    events: list[tuple[int, str]] = field(default_factory=list)  # When (UTC ns), and what.
    began_s: float = field(default=0.0, repr=False, compare=False)  # In the loop's time.


class SpanSink(Protocol):
    """Where finished spans go. `take` must not wait, nor fail: who is traced must not notice."""

    def take(self, span: Span) -> None:
        """Keep or send `span`."""


def encode(span: Span) -> str:
    """Return the canonical line of `span`: sorted keys, no spaces."""
    values = {
        "name": span.name,
        "kind": str(span.kind),
        "service": span.service,
        "instance_name": span.instance_name,
        "trace_id": span.context.trace_id,
        "span_id": span.context.span_id,
        "parent_id": span.parent_id,
        "start_ns": span.start_ns,
        "duration_ns": span.duration_ns,
        "code": span.code,
        "attributes": span.attributes,
        "links": [[link.trace_id, link.span_id] for link in span.links],
        "events": span.events,
    }
    return json.dumps(values, sort_keys=True, separators=(",", ":"))


def decode(values: Mapping[str, Any]) -> Span:
    """Return the span of a parsed line. Raises ValueError that says what is wrong with it."""
    try:
        return Span(
            name=str(values["name"]),
            kind=Kind(values["kind"]),
            service=str(values["service"]),
            instance_name=str(values["instance_name"]),
            context=SpanContext(str(values["trace_id"]), str(values["span_id"])),
            parent_id=str(values["parent_id"]),
            start_ns=int(values["start_ns"]),
            duration_ns=int(values["duration_ns"]),
            code=str(values["code"]),
            attributes=dict(values["attributes"]),
            links=tuple(SpanContext(trace, span) for trace, span in values["links"]),
            events=[(int(at_ns), str(text)) for at_ns, text in values["events"]],
        )
    except KeyError as error:
        raise ValueError(f"a span has no {error}, must have it") from error
    except TypeError as error:
        raise ValueError(f"not a span: {error}") from error
