"""The span of a call at its caller: one for all its attempts."""

from collections.abc import AsyncIterator
from contextlib import aclosing

from google.protobuf.message import Message

from runtime.errors import ServiceError
from runtime.observe.counted import outcome
from runtime.observe.mentions import read
from runtime.observe.scope import Scope
from runtime.observe.spans import Kind, Span, parse
from runtime.observe.tracer import is_nobodys, only
from runtime.rpc import Call, Method
from runtime.single import Messages, Only
from runtime.trace import BAGGAGE, REQUEST_ID, TRACEPARENT

ATTEMPT = "x-plimsoll-attempt"
PASSED_ON = (REQUEST_ID, BAGGAGE)  # Of the call being answered, to every call it leads to.


class Calling:
    """One call under way."""

    def __init__(
        self,
        scope: Scope,
        method: Method,
        requests: AsyncIterator[Message],
        metadata: dict[str, str],
    ) -> None:
        """Begin the span and write it into `metadata`."""
        self._tracer = scope.tracer
        self._method = method
        for key in PASSED_ON:
            if key in scope.metadata:
                metadata.setdefault(key, scope.metadata[key])
        messages = (requests.message,) if type(requests) is Only else ()
        mentions = read(messages)
        parent = parse(metadata.get(TRACEPARENT, "")) or scope.span
        if parent is not None and is_nobodys(parent):
            parent = scope.span
        causes = () if parent else self._tracer.causes(mentions)
        self.span = self._tracer.begin(method.label, Kind.CLIENT, parent or only(causes), causes)
        self._tracer.remember(mentions, parent or self.span.context)
        self._mentions = mentions
        metadata[TRACEPARENT] = self.span.context.header()

    def again(self, call: Call, attempt: int, why: str) -> Call:
        """Return the call as its attempt number `attempt` goes out, because of code `why`."""
        self._tracer.note(self.span, f"attempt {attempt} after {why}")
        self.span.attributes["attempts"] = attempt
        return call.with_metadata({**call.metadata, ATTEMPT: str(attempt)})

    def answered(self) -> None:
        """End the span of a call whose one answer has come."""
        self._end("OK", self._method.policy.p99_ms / 1000)

    def broken(self, error: BaseException, call: Call) -> None:
        """End the span of a call that ends with `error` instead of its one answer."""
        self._end(failed(self.span, error, call), self._method.policy.p99_ms / 1000)

    async def through(self, messages: Messages, call: Call) -> Messages:
        """Return a stream of `messages`, whose end is the end of the span."""
        code = "OK"
        try:
            async with aclosing(messages):
                async for message in messages:
                    yield message
        except BaseException as error:
            code = failed(self.span, error, call)
            raise
        finally:
            self._end(code)  # A stream may take as long as it likes.

    def _end(self, code: str, target_s: float = 0.0) -> None:
        if self._tracer.end(self.span, code, target_s):
            found = {"rpc.method": self._method.path, **self._mentions.attributes()}
            self.span.attributes |= found
            self._tracer.keep(self.span)


def failed(span: Span, error: BaseException, call: Call) -> str:
    """Note in the span of a call what it failed with; returns the code."""
    if isinstance(error, ServiceError):
        span.attributes["definite"] = error.definite
        if error.reason:
            span.attributes["reason"] = error.reason
    return outcome(error, call)
