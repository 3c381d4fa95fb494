"""What the running work belongs to: a service, a span, a call. Contextvars carry it along.

Tasks that are begun inside inherit it; a scope is entered and left around awaits only, never
across the `yield` of a generator, whose reader would inherit it.
"""

from collections.abc import Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, NamedTuple

from runtime.rpc import NOTHING

if TYPE_CHECKING:
    from runtime.observe.spans import SpanContext
    from runtime.observe.tracer import Tracer


class Scope(NamedTuple):
    """Whose work is running, and as part of what."""

    tracer: "Tracer"
    span: "SpanContext | None" = None
    metadata: Mapping[str, str] = NOTHING  # Of the call being answered: who asks, which request.


SCOPE: ContextVar[Scope | None] = ContextVar("plimsoll_scope", default=None)


class within:
    """Have everything in the block belong to a scope."""

    __slots__ = ("_scope", "_token")

    def __init__(self, scope: Scope | None) -> None:
        self._scope = scope

    def __enter__(self) -> None:
        """Enter the scope."""
        self._token = SCOPE.set(self._scope)

    def __exit__(self, *_: object) -> None:
        """Return to what was before."""
        SCOPE.reset(self._token)


def work_of(tracer: "Tracer | None") -> within:
    """Have everything that is begun in the block be traced by `tracer`, as part of nothing yet."""
    return within(None if tracer is None else Scope(tracer))


def detach() -> None:
    """Let this task's work from here on be part of nothing: it outlives what began it."""
    scope = SCOPE.get()
    if scope is not None:
        SCOPE.set(Scope(scope.tracer))


def traceparent() -> str:
    """Return the header that continues the present span, "" when nothing is traced.

    Read it before the work is handed to another task: a group commit runs in whichever task
    came first.
    """
    scope = SCOPE.get()
    return scope.span.header() if scope is not None and scope.span is not None else ""


def sampled_trace_id() -> str:
    """Return the id of the present trace if it is recorded, else ""."""
    scope = SCOPE.get()
    if scope is None or scope.span is None or not scope.span.is_sampled:
        return ""
    return scope.span.trace_id
