"""Stops asking a target that is silent, so that callers and target can breathe (D8).

CLOSED --5 silences in a row within 60 s--> OPEN --30 s--> HALF_OPEN --an answer--> CLOSED
                                              ^--another silence--'

Where the connection was lost, and stands again before those 30 s are over, OPEN ends then.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from enum import StrEnum

from google.protobuf.message import Message
from grpc import StatusCode

from runtime.errors import ServiceError, unsent
from runtime.rpc import Call, Method, Transport
from runtime.single import Answer, Messages, one
from runtime.targets.silence import Sign, sign_of

TRIAL_AGAIN_S = 0.1  # When every trial call is under way, whether there is an answer is near.


class BreakerState(StrEnum):
    """Whether calls are let through."""

    CLOSED = "CLOSED"  # All of them.
    OPEN = "OPEN"  # None.
    HALF_OPEN = "HALF_OPEN"  # A few, to see whether there is an answer.


@dataclass(frozen=True)
class BreakerSettings:
    """When a breaker opens and how it closes again."""

    failures: int = 5  # So many silences in a row open it,
    window_s: float = 60.0  # when the first of them is not older than this.
    open_s: float = 30.0  # So long nothing is sent,
    trials: int = 3  # then so many calls at a time until one is answered.

    def __post_init__(self) -> None:
        """Refuse numbers that mean nothing."""
        for name, value in vars(self).items():
            if value <= 0:
                raise ValueError(f"{name} is {value}, must be above 0")


DEFAULT_BREAKER = BreakerSettings()


class Breaker:
    """Carries calls to one target while it answers.

    A silence is an end that leaves the outcome unknown: a deadline, a broken connection, a bug.
    Bad input and refusals are answers. A stream is judged by its first message, however long it
    then lasts. Calls refused here are UNAVAILABLE with reason BREAKER_OPEN, and definite:
    nothing was sent. Urgent methods (cancels, stricter modes) are always sent.
    """

    def __init__(
        self,
        inner: Transport,
        target: str,
        settings: BreakerSettings = DEFAULT_BREAKER,
        on_change: Callable[["Breaker"], None] | None = None,
        is_connected: Callable[[], bool] = lambda: True,
    ) -> None:
        self.target = target
        self.state = BreakerState.CLOSED
        self.since_s: float | None = None  # Of the event loop; None: it has never changed.
        self.times_opened = 0
        self.calls_refused = 0
        self._inner = inner
        self._settings = settings
        self._on_change = on_change
        self._is_connected = is_connected
        self._was_lost = False  # The connection, at some time since it opened.
        self._silences: deque[float] = deque(maxlen=settings.failures)  # In a row, when.
        self._trials = 0  # Under way.
        self._period = 0  # Calls of an earlier one decide nothing any more.

    @property
    def failures(self) -> int:
        """How many silences there were in a row, as far as they count."""
        return len(self._silences)

    @property
    def open_since_s(self) -> float | None:
        """Since when nothing, or only trials, are sent; None while it is closed."""
        return None if self.state is BreakerState.CLOSED else self.since_s

    def try_now(self) -> None:
        """Let trial calls through at once: the target is another one, or somewhere else."""
        if self.state is BreakerState.OPEN:
            self._become(BreakerState.HALF_OPEN)

    def call(self, method: Method, requests: AsyncIterator[Message], call: Call) -> Messages:
        """Pass the call on, or fail it UNAVAILABLE with reason BREAKER_OPEN."""
        if method.streams_responses:
            return self._stream(method, requests, call)
        return Answer(self._unary(method, requests, call))

    async def _unary(self, method: Method, requests: AsyncIterator[Message], call: Call) -> Message:
        began_s = asyncio.get_running_loop().time()
        is_trial = self.state is not BreakerState.CLOSED and self._admit(method, began_s)
        period = self._period
        try:
            answer = await one(self._inner.call(method, requests, call))
        except BaseException as error:
            self._learn(sign_of(error, method, began_s), period, is_trial)
            raise
        if is_trial or self._silences or self.state is not BreakerState.CLOSED:
            self._learn(Sign.ANSWERED, period, is_trial)
        return answer

    async def _stream(
        self, method: Method, requests: AsyncIterator[Message], call: Call
    ) -> Messages:
        began_s = asyncio.get_running_loop().time()
        is_trial = self.state is not BreakerState.CLOSED and self._admit(method, began_s)
        period = self._period
        try:
            answers = self._inner.call(method, requests, call)
            answer = await anext(answers, None)
        except BaseException as error:
            self._learn(sign_of(error, method, began_s), period, is_trial)
            raise
        self._learn(Sign.ANSWERED, period, is_trial)  # Also when it says that there is nothing.
        async with aclosing(answers):
            while answer is not None:
                yield answer
                answer = await anext(answers, None)

    def _admit(self, method: Method, now_s: float) -> bool:
        """Return whether the call is a trial; raises when it may not be sent."""
        if self.state is BreakerState.OPEN:
            assert self.since_s is not None
            left_s = self.since_s + self._settings.open_s - now_s
            if left_s > 0 and not self._is_back():
                if method.policy.urgent:
                    return False
                raise self._refusal(method, left_s)
            self._become(BreakerState.HALF_OPEN)
        if self._trials >= self._settings.trials:
            if method.policy.urgent:
                return False
            raise self._refusal(method, TRIAL_AGAIN_S)
        self._trials += 1
        return True

    def _is_back(self) -> bool:
        """Whether the connection stands again that was lost: whoever is there was not asked yet.

        A target that hangs keeps its connection, and is left in peace for the whole time.
        """
        is_connected = self._is_connected()
        is_back = is_connected and self._was_lost
        self._was_lost = not is_connected or self._was_lost
        return is_back

    def _refusal(self, method: Method, left_s: float) -> ServiceError:
        self.calls_refused += 1
        return unsent(
            StatusCode.UNAVAILABLE,
            "BREAKER_OPEN",
            f"{self.target} has been silent {self._settings.failures} times in a row: "
            f"{method.path} was not sent; call again in {left_s:.1f} s",
            service=method.service,
            retry_after_s=left_s,
        )

    def _learn(self, sign: Sign, period: int, is_trial: bool) -> None:
        if period != self._period:
            return
        self._trials -= is_trial
        if sign is Sign.NOTHING:
            return
        if sign is Sign.ANSWERED:
            self._silences.clear()
            if self.state is not BreakerState.CLOSED:
                self._become(BreakerState.CLOSED)
            return
        now_s = asyncio.get_running_loop().time()
        self._silences.append(now_s)
        if self.state is BreakerState.HALF_OPEN or self._is_too_silent(now_s):
            self._become(BreakerState.OPEN)

    def _is_too_silent(self, now_s: float) -> bool:
        is_full = len(self._silences) == self._settings.failures
        is_recent = now_s - self._silences[0] <= self._settings.window_s
        return self.state is BreakerState.CLOSED and is_full and is_recent

    def _become(self, state: BreakerState) -> None:
        self.state = state
        self.since_s = asyncio.get_running_loop().time()
        self.times_opened += state is BreakerState.OPEN
        self._trials = 0
        self._was_lost = state is BreakerState.OPEN and not self._is_connected()
        self._period += 1
        if self._on_change is not None:
            self._on_change(self)
