"""How many calls of each method a process lets in at a time."""

import asyncio
from dataclasses import dataclass, field
from math import ceil

from runtime.rpc import Method


@dataclass(frozen=True)
class AdmissionSettings:
    """How much one process lets in.

    Together they stay below what a server takes at all, so that it has room for refusing.
    """

    slots: int = 256  # Calls in flight; endless streams, which mostly wait, are not among them.
    urgent_slots: int = 16  # Of these, the ones that only urgent calls may use.
    streams: int = 512  # Endless streams open.
    wait_s: float = 0.05  # A call waits so long for a place,
    waiting: int = 240  # and so many calls do at a time.
    headroom: float = 4.0  # A method's bound, over what its contract's load keeps busy.
    method_slots_min: int = 16  # Also for methods that are rarely called.
    method_slots_unrated: int = 32  # For methods that are not load-tested.

    @property
    def ordinary_slots(self) -> int:
        """Calls in flight that are not urgent."""
        return self.slots - self.urgent_slots

    def slots_of(self, method: Method) -> int:
        """Return how many calls of a method may be in flight (Little's law, with headroom)."""
        policy = method.policy
        busy = policy.target_rps * policy.p99_ms / 1000
        if not busy:
            return min(self.method_slots_unrated, self.ordinary_slots)
        slots = max(self.method_slots_min, ceil(busy * self.headroom))
        return min(slots, self.ordinary_slots)


DEFAULT_ADMISSION = AdmissionSettings()


@dataclass(eq=False)
class Lane:
    """The calls of one method, for anyone to read."""

    path: str
    slots: int
    in_flight: int = 0
    admitted: int = 0
    refused: int = 0
    waited: int = 0  # Of the admitted and the refused, those that had to wait.
    waiting: "dict[asyncio.Future[bool], None]" = field(default_factory=dict, repr=False)
