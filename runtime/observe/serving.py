"""The span of a call where it is served, and what its log lines and its own calls belong to."""

import logging
from collections.abc import AsyncIterator
from contextlib import aclosing
from urllib.parse import unquote

from google.protobuf.message import Message

from runtime.identity import principal_of
from runtime.observe.calling import ATTEMPT, failed
from runtime.observe.mentions import NOTHING_MENTIONED, read
from runtime.observe.scope import SCOPE, Scope, within
from runtime.observe.spans import Kind, Value, parse
from runtime.observe.tracer import Tracer
from runtime.rpc import Call, Method, Transport
from runtime.single import Answer, Messages, Only, one
from runtime.trace import BAGGAGE, TRACEPARENT, Traces

log = logging.getLogger(__name__)
BAGGAGE_KEPT = ("correlation_id", "scenario_id")


class Served:
    """Stands outside all guards: a call that they refuse has its span, too.

    A foreign or malformed `traceparent` begins a new trace; it is never an error.
    """

    def __init__(self, inner: Transport, tracer: Tracer, traces: Traces) -> None:
        self._inner = inner
        self._tracer = tracer
        self._traces = traces

    def call(self, method: Method, requests: AsyncIterator[Message], call: Call) -> Messages:
        """Pass the call on as part of a new span."""
        if method.streams_responses:
            return self._stream(method, requests, call)
        return Answer(self._unary(method, requests, call))

    async def _unary(self, method: Method, requests: AsyncIterator[Message], call: Call) -> Message:
        visit = Visit(self._tracer, self._traces, method, requests, call)
        code, token = "OK", SCOPE.set(visit.scope)
        try:
            return await one(self._inner.call(method, requests, visit.call))
        except BaseException as error:
            code = failed(visit.span, error, call)
            raise
        finally:
            SCOPE.reset(token)
            visit.end(code, method.policy.p99_ms / 1000)

    async def _stream(
        self, method: Method, requests: AsyncIterator[Message], call: Call
    ) -> Messages:
        visit = Visit(self._tracer, self._traces, method, requests, call)
        code = "OK"
        try:
            with within(visit.scope):
                answers = self._inner.call(method, requests, visit.call)
            async with aclosing(answers):
                async for answer in _each_within(visit.scope, answers):
                    yield answer
        except BaseException as error:
            code = failed(visit.span, error, call)
            raise
        finally:
            visit.end(code)


class Visit:
    """One call that is being served, and its span."""

    def __init__(
        self,
        tracer: Tracer,
        traces: Traces,
        method: Method,
        requests: AsyncIterator[Message],
        call: Call,
    ) -> None:
        metadata = dict(call.metadata)
        traces.complete_request(metadata)
        self.span = tracer.begin(method.label, Kind.SERVER, parse(metadata.get(TRACEPARENT, "")))
        metadata[TRACEPARENT] = self.span.context.header()
        self.call = call.with_metadata(metadata)
        self.scope = Scope(tracer, self.span.context, metadata)
        self._method = method
        self._mentions = NOTHING_MENTIONED
        if type(requests) is Only:
            self._mentions = read((requests.message,))
            tracer.remember(self._mentions, self.span.context)

    def end(self, code: str, target_s: float = 0.0) -> None:
        """End the span, and say so in the log: refusals at INFO, the rest at DEBUG."""
        span, tracer = self.span, self.scope.tracer
        if tracer.end(span, code, target_s):
            span.attributes |= {
                **_attributes(self._method, self.call),
                **self._mentions.attributes(),
            }
            tracer.keep(span)
        level = logging.INFO if span.attributes.get("definite") else logging.DEBUG
        if log.isEnabledFor(level):
            reason = span.attributes.get("reason", "")
            facts = {"method": span.name, "code": code, "duration_ms": span.duration_ns / 1e6}
            text = "call refused" if level == logging.INFO else "call answered"
            with within(self.scope):
                log.log(level, text, extra={**facts, "reason": reason} if reason else facts)


async def _each_within(scope: Scope, answers: Messages) -> Messages:
    """Relay `answers`; each is made within `scope`, and handed out without it."""
    while True:
        token = SCOPE.set(scope)
        try:
            answer = await anext(answers)
        except StopAsyncIteration:
            return
        finally:
            SCOPE.reset(token)
        yield answer


def _attributes(method: Method, call: Call) -> dict[str, Value]:
    found: dict[str, Value] = {"rpc.method": method.path}
    principal = principal_of(call)
    if principal is not None:
        found["caller"] = principal.service or principal.name
    attempt = call.metadata.get(ATTEMPT, "")
    if attempt.isdigit():
        found["attempt"] = int(attempt)
    if baggage := call.metadata.get(BAGGAGE):
        found |= _baggage(baggage)
    return found


def _baggage(text: str) -> dict[str, Value]:
    """Return what a W3C `baggage` header says of the conversation; what is not ours is left."""
    pairs = (member.partition("=")[::2] for member in text.split(","))
    return {
        key.strip(): unquote(value.partition(";")[0].strip())[:128]
        for key, value in pairs
        if key.strip() in BAGGAGE_KEPT
    }
