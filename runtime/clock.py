"""Where services read the time: injected, so a replay can say what time it is."""

import asyncio
import time
from typing import Protocol

from runtime.times import NS_PER_S


class Clock(Protocol):
    """Tells the time services act in, as UTC nanoseconds since the epoch."""

    def now_ns(self) -> int:
        """Return the present instant."""


class SystemClock:
    """The machine's clock."""

    def now_ns(self) -> int:
        """Return the machine's time."""
        return time.time_ns()


class ReplayClock:
    """A clock that runs with the event loop and may skip the market's dead time.

    In virtual time it is exact and repeatable. Skipping moves the services' time only:
    timers of the event loop (deadlines, heartbeats) do not fire because a night passed.
    """

    def __init__(self, start_ns: int) -> None:
        self._offset_ns = start_ns - _loop_ns()

    def now_ns(self) -> int:
        """Return the replay's time."""
        return self._offset_ns + _loop_ns()

    def skip_to(self, instant_ns: int) -> None:
        """Move forward to `instant_ns`; never back: an earlier instant changes nothing."""
        self._offset_ns += max(0, instant_ns - self.now_ns())


def _loop_ns() -> int:
    return round(asyncio.get_running_loop().time() * NS_PER_S)
