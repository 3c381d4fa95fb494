"""Until when an order may still be worked on: the market's time, the loop's time, or both."""

import asyncio
from dataclasses import dataclass

from runtime.clock import Clock
from runtime.rpc import Call
from runtime.times import NS_PER_S

FOREVER_S = 86_400.0
DEADLINE_S = 2.0  # The contract's, for a caller that sets none.
ANSWER_MARGIN_S = 0.1  # What is not known so long before the deadline is answered as in doubt.


@dataclass(frozen=True, slots=True)
class Limit:
    """When to give up. Market time is what a signal's validity counts in; 0: no such limit."""

    market_ns: int = 0
    loop_s: float = float("inf")

    @classmethod
    def within(cls, seconds: float) -> "Limit":
        """Return the limit that lies `seconds` of loop time ahead."""
        return cls(loop_s=asyncio.get_running_loop().time() + seconds)

    @classmethod
    def of(cls, call: Call) -> "Limit":
        """Return the limit of a call, a little before its deadline: it must be answered."""
        left_s = call.remaining_s()
        within_s = (DEADLINE_S if left_s is None else left_s) - ANSWER_MARGIN_S
        return cls.within(max(within_s, 0.0))

    def left_s(self, clock: Clock) -> float:
        """Return the seconds left, never below 0."""
        left_s = min(self.loop_s - asyncio.get_running_loop().time(), FOREVER_S)
        if self.market_ns:
            left_s = min(left_s, (self.market_ns - clock.now_ns()) / NS_PER_S)
        return max(0.0, left_s)

    def is_over(self, clock: Clock) -> bool:
        """Whether it is too late."""
        return self.left_s(clock) <= 0.0
