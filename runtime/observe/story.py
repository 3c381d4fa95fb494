"""Finished spans as trees: each trace, with what other traces did because of it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from runtime.observe.spans import Span


@dataclass
class Node:
    """A span and what came of it, the earliest first."""

    span: Span
    is_linked: bool = False  # Of another trace, or of this one by way of a stream.
    children: list["Node"] = field(default_factory=list)

    def walk(self) -> Iterator["Node"]:
        """Yield this node and all below it."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True)
class Summary:
    """One trace in a line."""

    trace_id: str
    name: str  # Of its first span.
    service: str
    spans: int
    services: int
    start_ns: int
    duration_ns: int  # From the first beginning to the last end.
    code: str  # The first that is not OK, or OK.


class Stories:
    """Traces, found by id."""

    def __init__(self, spans: Iterable[Span]) -> None:
        self._by_trace: dict[str, list[Span]] = {}
        self._children: dict[str, list[Span]] = {}
        self._linked: dict[str, list[Span]] = {}  # Work of other traces, by what it is linked to.
        for span in sorted(spans, key=lambda span: (span.start_ns, span.context.span_id)):
            self._by_trace.setdefault(span.context.trace_id, []).append(span)
            if span.parent_id:
                self._children.setdefault(span.parent_id, []).append(span)
            for link in span.links:
                if link.span_id != span.parent_id:
                    self._linked.setdefault(link.span_id, []).append(span)

    def summaries(self) -> list[Summary]:
        """Return every trace, the longest first: most spans, then most time."""
        found = [_summary(trace_id, spans) for trace_id, spans in self._by_trace.items()]
        return sorted(found, key=lambda one: (-one.spans, -one.duration_ns, one.trace_id))

    def named(self, prefix: str) -> list[str]:
        """Return the ids of traces that begin with `prefix`."""
        return [trace_id for trace_id in self._by_trace if trace_id.startswith(prefix.lower())]

    def tree(self, trace_id: str) -> list[Node]:
        """Return the roots of a trace: one, unless spans are missing.

        Work of other traces stands under the first span that it is linked to.
        """
        spans = self._by_trace[trace_id]
        known = {span.context.span_id for span in spans}
        seen: set[str] = set()
        roots = [span for span in spans if span.parent_id not in known]
        return [self._node(root, seen, is_linked=False) for root in roots]

    def _node(self, span: Span, seen: set[str], *, is_linked: bool) -> Node:
        own = span.context.span_id
        seen.add(own)
        node = Node(span, is_linked)
        below = [(child, bool(child.links)) for child in self._children.get(own, ())]
        below += [(child, True) for child in self._linked.get(own, ())]
        for child, is_by_stream in sorted(below, key=lambda pair: pair[0].start_ns):
            if child.context.span_id not in seen:
                node.children.append(self._node(child, seen, is_linked=is_by_stream))
        return node


def _summary(trace_id: str, spans: Sequence[Span]) -> Summary:
    start_ns = spans[0].start_ns
    return Summary(
        trace_id=trace_id,
        name=spans[0].name,
        service=spans[0].service,
        spans=len(spans),
        services=len({span.service for span in spans}),
        start_ns=start_ns,
        duration_ns=max(span.start_ns + span.duration_ns for span in spans) - start_ns,
        code=next((span.code for span in spans if span.code != "OK"), "OK"),
    )
