"""The calling side: deadline, identity, trace and repeats, all as the contract allows."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import aclosing
from functools import lru_cache
from typing import TypeVar

from google.protobuf.message import Message
from grpc import StatusCode

from runtime.client_stats import ClientStats
from runtime.connecting import tells
from runtime.errors import ServiceError, refusal
from runtime.identity import HEADER, Principal, parse_header, to_header
from runtime.observe.calling import Calling
from runtime.observe.scope import SCOPE
from runtime.retry import attempts_max, is_retried, pause_s
from runtime.rpc import Call, Method, Port, Transport, connect
from runtime.single import Answer, Messages, Only, one
from runtime.trace import Traces, is_traced

__all__ = ["Client", "ClientStats", "client_for"]
P = TypeVar("P", bound=Port)


def client_for(
    port: type[P],
    transport: Transport,
    *,
    caller: Principal,
    rng: random.Random,
    stats: ClientStats | None = None,
) -> P:
    """Return a `port` that calls through `transport` as `caller`.

    Times are those of the running event loop. `rng` draws the jitter of repeats and the ids
    of new traces. A service that passes on the `call` it is answering acts on behalf of that
    call's person: the callee sees both, and `stats` shows how the calls ended. Clients of one
    target share its `stats`, and so its budget of repeats.
    """
    return connect(port, Client(transport, caller=caller, rng=rng, stats=stats))


class Client:
    """A transport that prepares each call and repeats what the contract lets it repeat."""

    def __init__(
        self,
        inner: Transport,
        *,
        caller: Principal,
        rng: random.Random,
        stats: ClientStats | None = None,
    ) -> None:
        self.stats = ClientStats() if stats is None else stats
        self._inner = inner
        self._caller = to_header(caller)
        self._rng = rng
        self._traces = Traces(rng)

    def call(self, method: Method, requests: AsyncIterator[Message], call: Call) -> Messages:
        """Return the responses of the last attempt."""
        scope, metadata, calling = SCOPE.get(), dict(call.metadata), None
        named = metadata.get(HEADER)
        metadata[HEADER] = _on_behalf(self._caller, named) if named else self._caller
        if scope is not None:
            calling = Calling(scope, method, requests, metadata)
            self._traces.complete_request(metadata)
        elif not is_traced(metadata):
            self._traces.complete(metadata)
        call = call.started(method.policy.deadline_s, metadata)
        if not method.streams_responses:
            return Answer(self._unary(method, requests, call, calling))
        answers = self._stream(method, requests, call)
        return answers if calling is None else calling.through(answers, call)

    async def _stream(
        self, method: Method, requests: AsyncIterator[Message], call: Call
    ) -> Messages:
        self.stats.calls += 1
        try:
            async with aclosing(self._inner.call(method, requests, call)) as answers:
                async for answer in answers:
                    yield answer
        except ServiceError as error:
            self._count_failure(error)
            raise
        self.stats.ok += 1

    async def _unary(
        self,
        method: Method,
        requests: AsyncIterator[Message],
        call: Call,
        calling: Calling | None,
    ) -> Message:
        stats, time = self.stats, asyncio.get_running_loop().time
        began_s = time()
        stats.calls += 1
        stats.budget.count_call(began_s)
        if attempts_max(method) > 1 and type(requests) is Only:
            requests = Only(_copy(requests.message))
        try:
            try:
                answer = await one(self._inner.call(method, requests, call))
            except ServiceError as error:
                answer = await self._repeated(method, requests, call, calling, error)
        except BaseException as error:
            if isinstance(error, ServiceError):
                self._count_failure(error)
                stats.recent_s.append(time() - began_s)
            if calling is not None:
                calling.broken(error, call)
            raise
        stats.ok += 1
        stats.recent_s.append(time() - began_s)
        if calling is not None:
            calling.answered()
        return answer

    async def _repeated(
        self,
        method: Method,
        requests: AsyncIterator[Message],
        call: Call,
        calling: Calling | None,
        error: ServiceError,
    ) -> Message:
        """Return what a repeat is answered after `error`; raises what all attempts came to."""
        attempt, before = 1, None
        while attempt < attempts_max(method):
            if not await self._is_repeated(method, attempt, error, call):
                break
            before = told(error, before)
            attempt += 1
            if calling is not None:
                call = calling.again(call, attempt, error.code.name)
            try:
                return await one(self._inner.call(method, requests, call))
            except ServiceError as latest:
                error = latest
        raise told(error, before)

    async def _is_repeated(
        self, method: Method, attempt: int, error: ServiceError, call: Call
    ) -> bool:
        """Return whether to try again after attempt number `attempt`, when it is time to.

        What would be sent when most of the time is gone is likely to end as DEADLINE_EXCEEDED,
        which tells less than `error` does.
        """
        if not is_retried(method, error):
            return False
        wait_s = pause_s(attempt - 1, self._rng, error)
        left_s = call.remaining_s()
        if left_s is not None and wait_s > left_s / 2:
            return False
        if not self.stats.budget.allows_repeat(asyncio.get_running_loop().time()):
            self.stats.over_budget += 1
            return False
        self.stats.retried += 1
        await asyncio.sleep(wait_s)
        return True

    def _count_failure(self, error: ServiceError) -> None:
        self.stats.failed += 1
        self.stats.indefinite += not error.definite


def told(last: ServiceError, before: ServiceError | None) -> ServiceError:
    """Return what a call came to whose attempts ended with `before` and at last with `last`."""
    return last if before is None or tells(last, of=before) else before


def _copy(request: Message) -> Message:
    # Every attempt sends the same bytes, whatever the caller does with its message meanwhile.
    copy = type(request)()
    copy.CopyFrom(request)
    return copy


@lru_cache(maxsize=4096)
def _on_behalf(caller: str, named: str) -> str:
    """Return the identity of `caller` acting for the person that a call names."""
    by, person = parse_header(caller), parse_header(named)
    assert by is not None, "a client is made from a Principal"
    if person is None:
        raise refusal(
            StatusCode.UNAUTHENTICATED,
            "UNREADABLE_PRINCIPAL",
            f"the call names {named!r}, must be what as_principal writes: pass the call on as is",
            service=by.service or "client",
        )
    if not by.service:  # A person's client says what the call says.
        return named
    return to_header(Principal(person.name, person.roles | by.roles, by.service))
