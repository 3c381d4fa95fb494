"""Listens to risk: which trading modes are set, and whether risk is there at all (A6)."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing, suppress

from trading.risk.v1 import risk_pb2
from trading.risk.v1.risk_port import RiskService

from runtime.environment import Environment
from runtime.follow import Following, follow, seen
from runtime.times import to_ns
from services.execution.modes import SILENCE_S, Mode, Modes, Scope, Subject

STREAM = "risk_events"
Message = risk_pb2.WatchRiskEventsResponse


class Listening:
    """Knows what the trading modes allow now, and tells when that may have changed."""

    def __init__(
        self, environment: Environment, risk: RiskService, changed: Callable[[], None]
    ) -> None:
        self._environment = environment
        self._risk = risk
        self._changed = changed
        self._modes = Modes(heard_s=float("-inf"))
        self._told = asyncio.Event()
        self._silence: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """Start to listen; risk has 3 s to be heard."""
        self._hear()
        following = Following(STREAM, self._watch, self._take, see=self._see)
        work = follow(following, after=0, rng=self._environment.rng)
        self._environment.tasks.spawn(work, name=STREAM)

    def end(self) -> None:
        """Listen no more."""
        if self._silence is not None:
            self._silence.cancel()

    def stops(self, subject: Subject) -> str:
        """Return why nothing may be sent for an order now; empty when it may."""
        return self._modes.stops(subject, asyncio.get_running_loop().time())

    async def told(self, within_s: float) -> None:
        """Return once risk has said which modes are set, or after so long."""
        if not self._told.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(within_s):  # `wait_for` may swallow a cancellation.
                    await self._told.wait()

    async def _watch(self, after: int) -> AsyncGenerator[Message, None]:
        request = risk_pb2.WatchRiskEventsRequest(after_sequence=after)
        is_first = True
        async with aclosing(self._risk.watch_risk_events(request)) as messages:
            async for message in messages:
                if is_first:  # It carries every mode that is set, as of its sequence.
                    self._modes.reset(dict(map(_mode, message.modes)))
                    self._told.set()
                    self._changed()
                    is_first = False
                yield message

    def _see(self, message: Message) -> None:
        """Obey a mode the moment it is told: there are 50 ms for that."""
        was_silent = self._modes.is_silent(asyncio.get_running_loop().time())
        self._hear()
        if message.HasField("mode"):
            scope, (mode, since_ns) = _mode(message.mode)
            self._modes.change(scope, mode, since_ns)
        if was_silent or message.HasField("mode"):
            self._changed()

    async def _take(self, batch: Sequence[Message]) -> None:
        beats = [message.sequence for message in batch]
        self._environment.progress.has_read(STREAM, max(seen(batch), *beats))

    def _hear(self) -> None:
        loop = asyncio.get_running_loop()
        self._modes.heard_s = loop.time()
        if self._silence is not None:
            self._silence.cancel()
        self._silence = loop.call_later(SILENCE_S + 0.001, self._changed)


def _mode(message: risk_pb2.ScopedMode) -> tuple[Scope, tuple[Mode, int]]:
    kind = risk_pb2.ScopeKind.Name(message.scope.kind).removeprefix("SCOPE_KIND_")
    return (kind, message.scope.id), (Mode(message.mode), to_ns(message.since))
