"""Traces across streams: what is published says where it comes from, who consumes it goes on.

The work on messages of one cause is part of that cause's trace; the work on several at once
begins a trace of its own, with a link to each. Where nothing is traced, all of this does nothing.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from runtime.observe.scope import SCOPE, Scope, within
from runtime.observe.spans import Kind, Span, SpanContext, parse
from runtime.observe.tracer import only


@contextmanager
def producing(stream: str) -> Iterator[None]:
    """Trace the block as what puts something on `stream`; read `traceparent()` in it."""
    scope = SCOPE.get()
    if scope is None:
        yield
        return
    span = scope.tracer.begin(f"{stream} publish", Kind.PRODUCER, scope.span)
    with _working(scope, span, stream):
        yield


@contextmanager
def consuming(stream: str, messages: Sequence[Any]) -> Iterator[None]:
    """Trace the block as the work on protobuf `messages` of `stream`, if any of them is traced."""
    scope = SCOPE.get()
    if scope is None:
        yield
        return
    mentions, causes = scope.tracer.consider(messages)
    if not causes:
        yield
        return
    span = scope.tracer.begin(f"{stream} process", Kind.CONSUMER, only(causes), causes)
    span.attributes |= mentions.attributes()
    scope.tracer.remember(mentions, span.context)
    with _working(scope, span, stream):
        yield


@contextmanager
def continuing(stream: str, headers: Iterable[str]) -> Iterator[None]:
    """Trace the block as the work on entries of `stream` with these headers."""
    scope = SCOPE.get()
    causes: tuple[SpanContext, ...] = ()
    if scope is not None:
        causes = tuple(dict.fromkeys(filter(None, map(parse, headers))))
    if scope is None or not causes:
        yield
        return
    span = scope.tracer.begin(f"{stream} process", Kind.CONSUMER, only(causes), causes)
    with _working(scope, span, stream):
        yield


@contextmanager
def _working(scope: Scope, span: Span, stream: str) -> Iterator[None]:
    span.attributes["messaging.destination.name"] = stream
    code = "UNKNOWN"
    try:
        with within(Scope(scope.tracer, span.context)):
            yield
        code = "OK"
    finally:
        if scope.tracer.end(span, code):
            scope.tracer.keep(span)
