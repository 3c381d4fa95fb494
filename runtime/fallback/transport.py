"""Two ways to one service, and the other one for a call that the first could not carry."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import TypeVar

from google.protobuf.message import Message

from runtime.connecting import tells, was_never_sent
from runtime.errors import ServiceError
from runtime.fallback.kept import Source, kept
from runtime.fallback.rollout import Rollout, Way
from runtime.rpc import Call, Idempotency, Method, Transport
from runtime.single import Answer, Messages, one
from runtime.targets.silence import is_broken_off

T = TypeVar("T")
LEAST_S = 0.005  # With less left the server would refuse it: see runtime.guards.expiry.

# Said before a service looks at the key: nothing about what the first way may have done.


@dataclass
class WayStats:
    """What became of the calls that were sent one way."""

    calls: int = 0
    failed: int = 0  # Before a first answer came.
    left: int = 0  # Those of `failed` that went on by the other way.


class Fallback:
    """Carries each call by the way that `rollout` says, and by the other when that is down.

    The other way is taken only by a call that certainly was not sent, or that the contract lets
    be repeated, while there is time. A call that may have happened and must not be repeated
    fails as it did. A stream is opened by the other way when the first cannot open it; one
    that breaks later ends, and whoever follows it resumes.
    """

    def __init__(self, grpc: Transport, rest: Transport, rollout: Rollout) -> None:
        self.rollout = rollout
        self.stats: Mapping[Way, WayStats] = {way: WayStats() for way in Way}
        self._ways = {Way.GRPC: grpc, Way.REST: rest}

    def call(self, method: Method, requests: AsyncIterator[Message], call: Call) -> Messages:
        """Return what the service answers, by whichever way."""
        way = self.rollout.way(method, requests, call)
        if method.streams_responses:
            return self._stream(method, requests, call.started(), way)
        return Answer(self._unary(method, requests, call.started(), way))

    async def _unary(
        self, method: Method, requests: AsyncIterator[Message], call: Call, way: Way
    ) -> Message:
        source = kept(requests)
        try:
            return await self._either(way, _Asked(method, call, source), one)
        finally:
            source.close()

    async def _stream(
        self, method: Method, requests: AsyncIterator[Message], call: Call, way: Way
    ) -> Messages:
        source = kept(requests)
        try:
            answers, answer = await self._either(way, _Asked(method, call, source), _opened)
            source.settle()
            async with aclosing(answers):
                while answer is not None:
                    yield answer
                    answer = await anext(answers, None)
        finally:
            source.close()

    async def _either(
        self, way: Way, asked: "_Asked", begin: Callable[[Messages], Awaitable[T]]
    ) -> T:
        """Return how the call begins by `way`, or by the other if it may go on there."""
        try:
            return await begin(self._sent(way, asked))
        except ServiceError as error:
            first = error
        self.stats[way].failed += 1
        if not asked.may_go_on(first):
            raise first
        self.stats[way].left += 1
        try:
            return await begin(self._sent(way.other, asked))
        except ServiceError as second:
            self.stats[way.other].failed += 1
            if tells(second, of=first):
                raise second from first
            raise first from second

    def _sent(self, way: Way, asked: "_Asked") -> Messages:
        self.stats[way].calls += 1
        return self._ways[way].call(asked.method, asked.source.reader(), asked.call)


@dataclass(frozen=True)
class _Asked:
    """One call, whichever way it goes."""

    method: Method
    call: Call
    source: Source

    def may_go_on(self, error: ServiceError) -> bool:
        """Return whether the call may be made once more after `error` ended it."""
        left_s = self.call.remaining_s()
        if not self.source.is_whole or (left_s is not None and left_s <= LEAST_S):
            return False
        if was_never_sent(error):
            return True
        is_repeatable = self.method.policy.idempotency is not Idempotency.NOT_IDEMPOTENT
        return (
            is_repeatable and not self.method.streams_requests and is_broken_off(error, self.method)
        )


async def _opened(answers: Messages) -> tuple[Messages, Message | None]:
    """Return a stream with its first message; None when it is over before that."""
    return answers, await anext(answers, None)
