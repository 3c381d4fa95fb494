"""Makes the spans of one service, and decides which are worth keeping."""

import asyncio
import random
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

from google.protobuf.message import Message

from runtime.clock import Clock
from runtime.observe.mentions import NOTHING_MENTIONED, Mentions, read
from runtime.observe.spans import Kind, Span, SpanContext, SpanSink, parse
from runtime.times import NS_PER_S

LINKS_MAX = 32
ORIGINS_MAX = 8_192
SHARE = 0.1  # Of the traces that begin here; all of them in tests.
SHARE_BITS = 32
UNREMARKABLE = ("OK", "CANCELLED")  # A reader who leaves its stream is no failure.


@dataclass(frozen=True)
class Source:
    """Whose spans these are."""

    service: str
    instance_name: str


class Tracer:
    """Begins and ends the spans of one service.

    Ids come from `rng` and times from `clock`, so that a seed gives the same trace twice.
    `share` of the traces that begin here is kept, and what is part of another's trace as that
    other has decided. A span that fails, or takes longer than its target, is kept anyway.
    """

    def __init__(
        self,
        source: Source,
        sink: SpanSink,
        clock: Clock,
        rng: random.Random,
        share: float = SHARE,
    ) -> None:
        self.source = source
        self._names = (source.service, source.instance_name)
        self._sink = sink
        self._clock = clock
        self._rng = rng
        self._limit = int(share * 2**SHARE_BITS)
        self._origins: OrderedDict[str, SpanContext] = OrderedDict()  # By order or signal.
        self._loop_s = self._first_loop_s

    def begin(
        self,
        name: str,
        kind: Kind,
        parent: SpanContext | None = None,
        links: tuple[SpanContext, ...] = (),
    ) -> Span:
        """Return a new span: part of `parent`'s trace, or the first of a new one."""
        if parent is None or parent.trace_id.endswith(parent.span_id):  # It is nobody's.
            parent_id = ""
            trace_id = f"{self._rng.getrandbits(128) or 1:032x}"
            is_sampled = self._is_chosen(trace_id) or any(link.is_sampled for link in links)
        else:
            trace_id, parent_id, is_sampled = parent
        span_id = f"{self._rng.getrandbits(64) or 1:016x}"
        context = SpanContext(trace_id, span_id, is_sampled)
        service, instance_name = self._names
        start_ns, began_s = self._clock.now_ns(), self._loop_s()
        span = Span(name, kind, service, instance_name, context, parent_id, start_ns)
        span.began_s = began_s
        if links:
            span.links = links
        return span

    def end(self, span: Span, code: str = "OK", target_s: float = 0.0) -> bool:
        """Note how a span ended; returns whether it is to be kept: complete it, then `keep` it.

        `target_s` is how long it may take, 0 for as long as it likes.
        """
        duration_s = self._loop_s() - span.began_s
        span.duration_ns = round(duration_s * NS_PER_S)
        span.code = code
        is_slow = 0 < target_s < duration_s
        return span.context.is_sampled or code not in UNREMARKABLE or is_slow

    def keep(self, span: Span) -> None:
        """Hand a finished span on."""
        self._sink.take(span)

    def note(self, span: Span, text: str) -> None:
        """Add what happened now to a span."""
        span.events.append((self._clock.now_ns(), text))

    def consider(self, messages: Iterable[Message]) -> tuple[Mentions, tuple[SpanContext, ...]]:
        """Return what messages mention, and which spans caused them, as far as that is known.

        A message that names no trace is traced by the order or signal it is about: the venue
        repeats our ids, not our headers.
        """
        found = read(messages)
        return found, self.causes(found)

    def causes(self, found: Mentions) -> tuple[SpanContext, ...]:
        """Return which spans caused messages that mention this, as far as that is known."""
        if found is NOTHING_MENTIONED:
            return ()
        causes = dict.fromkeys(filter(None, map(parse, found.parents)))
        if not causes:
            causes = dict.fromkeys(filter(None, map(self._origin, (n for _, n in found.names))))
        return tuple(causes)[:LINKS_MAX]

    def remember(self, mentions: Mentions, origin: SpanContext) -> None:
        """Remember where orders and signals were first heard of, the latest 8,192."""
        if not mentions.names:
            return
        for _, name in mentions.names:
            self._origins.setdefault(name, origin)
        while len(self._origins) > ORIGINS_MAX:
            self._origins.popitem(last=False)

    def _first_loop_s(self) -> float:
        """Return the loop's time. One loop runs a service: asking which costs more than a span."""
        self._loop_s = asyncio.get_running_loop().time
        return self._loop_s()

    def _origin(self, name: str) -> SpanContext | None:
        return self._origins.get(name) or self._origins.get(name.partition("/")[0])

    def _is_chosen(self, trace_id: str) -> bool:
        return int(trace_id[-8:], 16) < self._limit


def is_nobodys(context: SpanContext) -> bool:
    """Return whether no span of that name exists, because its maker records none.

    It repeats the second half of its trace id (`runtime.trace.Traces`).
    """
    return context.trace_id.endswith(context.span_id)


def only(causes: tuple[SpanContext, ...]) -> SpanContext | None:
    """Return the one cause that there is: then the work is part of its trace, not linked alone."""
    return causes[0] if len(causes) == 1 else None
