"""Until when an order may still be worked on: the market's time, the loop's time, or both."""

import asyncio
from dataclasses import dataclass

from runtime.clock import Clock
from runtime.times import NS_PER_S

FOREVER_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Limit:
    """When to give up. Market time is what a signal's validity counts in; 0: no such limit."""

    market_ns: int = 0
    loop_s: float = float("inf")

    @classmethod
    def within(cls, seconds: float) -> "Limit":
        """Return the limit that lies `seconds` of loop time ahead."""
        return cls(loop_s=asyncio.get_running_loop().time() + seconds)

    def left_s(self, clock: Clock) -> float:
        """Return the seconds left, never below 0."""
        left_s = min(self.loop_s - asyncio.get_running_loop().time(), FOREVER_S)
        if self.market_ns:
            left_s = min(left_s, (self.market_ns - clock.now_ns()) / NS_PER_S)
        return max(0.0, left_s)

    def is_over(self, clock: Clock) -> bool:
        """Whether it is too late."""
        return self.left_s(clock) <= 0.0
