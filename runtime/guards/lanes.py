"""How many calls of each method a process lets in at a time.

A method's bound is what its contract's load keeps busy. Where the machine is slower than that, so
many calls would take longer than their callers wait, and all work would be done in vain: there the
bound is what ends in time, at the pace of the latest calls.
"""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from math import ceil, inf

from runtime.rpc import Method


@dataclass(frozen=True)
class AdmissionSettings:
    """How much one process lets in.

    Together they stay below what a server takes at all, so that it has room for refusing.
    """

    slots: int = 256  # Calls in flight; endless streams, which mostly wait, are not among them.
    urgent_slots: int = 16  # Of these, the ones that only urgent calls may use.
    line: int = 96  # Calls of a method that wait to be received, where nobody sees them yet.
    streams: int = 512  # Endless streams open.
    wait_s: float = 0.05  # A call waits so long for a place,
    waiting: int = 240  # and so many calls do at a time.
    headroom: float = 4.0  # A method's bound, over what its contract's load keeps busy.
    method_slots_min: int = 16  # Also for methods that are rarely called.
    inner_slots_min: int = 96  # For methods of services alone: all that was let in before them.
    method_slots_unrated: int = 32  # For methods that are not load-tested.
    patience: float = 4.0  # What is let in may take so many times what its contract says,
    busy_slots_min: int = 8  # but so many may always be in flight: from these the pace is known.

    @property
    def ordinary_slots(self) -> int:
        """Calls in flight that are not urgent."""
        return self.slots - self.urgent_slots

    def slots_of(self, method: Method) -> int:
        """Return how many calls of a method may be in flight (Little's law, with headroom).

        What is part of work that was let in elsewhere has as many places as that work has.
        """
        policy = method.policy
        busy = policy.target_rps * policy.p99_ms / 1000
        if not busy:
            return min(self.method_slots_unrated, self.ordinary_slots)
        slots_min = self.method_slots_min if policy.roles else self.inner_slots_min
        slots = max(slots_min, ceil(busy * self.headroom))
        return min(slots, self.ordinary_slots)

    def lane_of(self, method: Method) -> "Lane":
        """Return the lane of a method, where nothing was asked yet.

        A method that services alone may call is part of work that was let in elsewhere: to
        refuse it for being slow would waste what was done for it.
        """
        policy = method.policy
        has_patience = policy.roles and policy.p99_ms and not policy.urgent
        patience_s = self.patience * policy.p99_ms / 1000 if has_patience else inf
        return Lane(method.path, self.slots_of(method), patience_s, self.busy_slots_min)


DEFAULT_ADMISSION = AdmissionSettings()
LATEST = 21  # Calls that tell the pace: some that hang, or fail at once, do not change it.
TRIED_EVERY_S = 0.2  # So often one is let in that has less time than calls take.
MARGIN = 1.5  # Of the time a call has left over what it needs at the pace of the latest.
HALF, MOST = 0.5, 0.8  # Of them, for the pace and for the time that a call needs.


@dataclass(eq=False)
class Lane:
    """The calls of one method, for anyone to read."""

    path: str
    slots: int
    patience_s: float = inf  # So long what is let in may take.
    busy_slots_min: int = 1
    took_s: float = 0.0  # What four of five calls take at most at present; 0: not known yet.
    pace_s: float = 0.0  # From one end to the next while many are in flight; 0: not known yet.
    room: int = 0  # How many may be in flight at that pace; never more than the slots.
    in_flight: int = 0
    admitted: int = 0
    refused: int = 0
    began_s: float = -inf  # When one was let in last, in the loop's time.
    waited: int = 0  # Of the admitted and the refused, those that had to wait.
    waiting: "dict[asyncio.Future[bool], None]" = field(default_factory=dict, repr=False)
    _tooks_s: deque[float] = field(default_factory=lambda: deque(maxlen=LATEST), repr=False)
    _paces_s: deque[float] = field(default_factory=lambda: deque(maxlen=LATEST), repr=False)

    def __post_init__(self) -> None:
        """Have room for all that the contract allows."""
        self.room = self.slots

    def begin(self, now_s: float) -> bool:
        """Note that a call begins; return whether it is a try: none has begun for a while."""
        is_try = now_s >= self.began_s + TRIED_EVERY_S
        self.began_s = now_s
        return is_try

    def learn(
        self, took_s: float, *, among: int, has_ended: bool = True, is_try: bool = False
    ) -> None:
        """Note that a call took so long, `among` so many when it began, itself one of them.

        With few in flight the time of a call says nothing of how many more could be done. One
        that did not come to its end, since its caller left or its time was over, would have taken
        longer: it is noted only if it has taken longer than is known. Else those given up early
        would make the lane look fast, and ever more would be begun that cannot end in time. After
        a try that came to its end nothing counts of what was before.
        """
        if has_ended and is_try:
            self._tooks_s.clear()
        if has_ended or took_s > self.took_s:
            self.took_s = _share_with(self._tooks_s, took_s, MOST)
        if among < self.busy_slots_min:
            return
        if has_ended or took_s / among > self.pace_s:
            self._follow(_share_with(self._paces_s, took_s / among, HALF))

    def _follow(self, pace_s: float) -> None:
        self.pace_s = pace_s
        if pace_s * self.slots <= self.patience_s:
            self.room = self.slots
        else:
            in_time = int(self.patience_s / pace_s)
            self.room = min(self.slots, max(self.busy_slots_min, in_time))

    def is_hopeless(self, left_s: float, now_s: float) -> bool:
        """Whether a call with so much time left would not end in it, as calls end at present.

        One that has waited long to be received has little left. When nothing was begun for a
        while one may be tried: else what has become faster would never be found out. That nothing
        is in flight would not do: work may go on after all of its callers have left.
        """
        if left_s < self.took_s and now_s < self.began_s + TRIED_EVERY_S:
            return True
        if self.in_flight < self.busy_slots_min:
            return False
        return self.pace_s * (self.in_flight + 1) * MARGIN > left_s


def _share_with(latest: deque[float], one: float, share: float) -> float:
    """Return what that share of the latest, `one` among them, do not exceed."""
    latest.append(one)
    return sorted(latest)[int(len(latest) * share)]
