"""What may still be sent: the trading modes that risk tells, and how lately it was heard (A6)."""

from dataclasses import dataclass, field
from enum import IntEnum

SILENCE_S = 3.0  # Risk's heartbeats come every second.
FIRM = ("FIRM", "")
Scope = tuple[str, str]  # Kind and id, such as ("ACCOUNT", "ana").


class Mode(IntEnum):
    """What may still be done, from free to stopped; of several modes the highest holds."""

    ACTIVE = 1
    REDUCE_ONLY = 2
    CANCEL_ONLY = 3
    HALTED = 4


@dataclass(frozen=True, slots=True)
class Subject:
    """What the modes are asked about: an order, and when risk judged it."""

    account: str
    strategy_id: str
    instrument: str
    is_reducing: bool  # It may only bring a position nearer to zero.
    judged_ns: int  # What risk approved in a mode, that mode allows.


@dataclass
class Modes:
    """The modes in force. Nothing heard for 3 s is as CANCEL_ONLY, nothing ever heard too."""

    heard_s: float  # By the event loop: when risk was last heard, or this began.
    is_told: bool = False  # Whether risk has said which modes are set: a halt outlives a restart.
    _set: dict[Scope, tuple[Mode, int]] = field(default_factory=dict)

    def reset(self, modes: dict[Scope, tuple[Mode, int]]) -> None:
        """Take over every mode that is set."""
        self._set, self.is_told = dict(modes), True

    def change(self, scope: Scope, mode: Mode, since_ns: int) -> None:
        """Take over one mode; one that is older than what is known changes nothing."""
        known = self._set.get(scope)
        if known is None or known[1] <= since_ns:
            self._set[scope] = (mode, since_ns)

    def is_silent(self, now_s: float) -> bool:
        """Whether risk has not been heard for too long."""
        return now_s - self.heard_s > SILENCE_S

    def stops(self, subject: Subject, now_s: float) -> str:
        """Return why nothing may be sent for an order now; empty when it may."""
        if self.is_silent(now_s):
            return f"risk has not been heard for {SILENCE_S:.0f} s"
        if not self.is_told:
            return "risk has not said yet which trading modes are set"
        mode, since_ns = self._strictest(subject)
        if mode >= Mode.CANCEL_ONLY:
            return f"the trading mode is {mode.name}"
        is_judged = subject.judged_ns >= since_ns
        if mode is Mode.REDUCE_ONLY and not subject.is_reducing and not is_judged:
            return "the trading mode is REDUCE_ONLY"
        return ""

    def _strictest(self, subject: Subject) -> tuple[Mode, int]:
        scopes = (
            FIRM,
            ("ACCOUNT", subject.account),
            ("STRATEGY", subject.strategy_id),
            ("INSTRUMENT", subject.instrument),
        )
        found = [self._set[scope] for scope in scopes if scope in self._set]
        return max(found, default=(Mode.ACTIVE, 0))
