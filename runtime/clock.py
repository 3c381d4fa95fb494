"""Where services read the time: injected, so a replay can say what time it is."""

import asyncio
import heapq
import time
from itertools import count
from typing import Protocol

from runtime.times import NS_PER_S

WALL_STEP_S = 1.0  # The machine's clock may be set while somebody sleeps: look again this often.


class Clock(Protocol):
    """Tells the time services act in, as UTC nanoseconds since the epoch."""

    def now_ns(self) -> int:
        """Return the present instant."""

    async def sleep_until(self, instant_ns: int) -> None:
        """Return when this clock says `instant_ns` or later."""


class SystemClock:
    """The machine's clock."""

    def now_ns(self) -> int:
        """Return the machine's time."""
        return time.time_ns()

    async def sleep_until(self, instant_ns: int) -> None:
        """Return when the machine's clock says `instant_ns` or later."""
        while (left_ns := instant_ns - self.now_ns()) > 0:
            step_s = min(left_ns / NS_PER_S, WALL_STEP_S)
            await asyncio.sleep(step_s)


class SteadyClock:
    """The machine's time when this was made, and from then on its uninterrupted count.

    Nobody can set it, so lengths of time are what they seem: leases are measured by it.
    """

    def __init__(self) -> None:
        self._offset_ns = time.time_ns() - time.monotonic_ns()

    def now_ns(self) -> int:
        """Return the time, counted on."""
        return self._offset_ns + time.monotonic_ns()

    async def sleep_until(self, instant_ns: int) -> None:
        """Return when this clock says `instant_ns` or later."""
        while (left_ns := instant_ns - self.now_ns()) > 0:
            left_s = left_ns / NS_PER_S
            await asyncio.sleep(left_s)


class ReplayClock:
    """A clock that runs with the event loop and may skip the market's dead time.

    In virtual time it is exact and repeatable. Skipping moves the services' time only: who
    sleeps on this clock wakes, while timers of the event loop (deadlines, heartbeats) do not
    fire because a night passed.
    """

    def __init__(self, start_ns: int) -> None:
        self._offset_ns = start_ns - _loop_ns()
        self._alarms: list[tuple[int, int, asyncio.Future[None]]] = []  # A heap.
        self._numbers = count()  # Who set an alarm first is woken first.

    def now_ns(self) -> int:
        """Return the replay's time."""
        return self._offset_ns + _loop_ns()

    @property
    def offset_ns(self) -> int:
        """What is added to the loop's time: clocks of one offset agree, in every process."""
        return self._offset_ns

    def skip_to(self, instant_ns: int) -> None:
        """Move forward to `instant_ns`; never back: an earlier instant changes nothing."""
        self.set_offset(self._offset_ns + max(0, instant_ns - self.now_ns()))

    def set_offset(self, offset_ns: int) -> None:
        """Add `offset_ns` to the loop's time from now on; never less than before."""
        self._offset_ns = max(self._offset_ns, offset_ns)
        now_ns = self.now_ns()
        while (due_ns := self.next_alarm_ns()) is not None and due_ns <= now_ns:
            _ring(heapq.heappop(self._alarms)[2])

    def next_alarm_ns(self) -> int | None:
        """Return the earliest instant that somebody sleeps until; None when nobody does."""
        while self._alarms and self._alarms[0][2].done():
            heapq.heappop(self._alarms)
        return self._alarms[0][0] if self._alarms else None

    async def sleep_until(self, instant_ns: int) -> None:
        """Return when this clock says `instant_ns` or later, be it by a skip or by the loop."""
        while self.now_ns() < instant_ns:
            await self.doze(instant_ns)

    async def doze(self, instant_ns: int) -> None:
        """Return when this clock says `instant_ns`, or when `wake_all` is called before."""
        loop = asyncio.get_running_loop()
        alarm = loop.create_future()
        heapq.heappush(self._alarms, (instant_ns, next(self._numbers), alarm))
        timer = loop.call_later((instant_ns - self.now_ns()) / NS_PER_S, _ring, alarm)
        try:
            await alarm
        finally:
            timer.cancel()

    def wake_all(self) -> None:
        """Let everybody who sleeps look at the time again."""
        for _, _, alarm in sorted(self._alarms):
            _ring(alarm)


def _ring(alarm: asyncio.Future[None]) -> None:
    if not alarm.done():
        alarm.set_result(None)


def _loop_ns() -> int:
    return round(asyncio.get_running_loop().time() * NS_PER_S)
