"""What an execution does next: one decision from everything that is known, and pure.

Whoever runs it takes the step, commits what came of it and asks again; so a restart, a lost
answer or a change of mode needs no path of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from services.execution.algorithms.ledger import Ledger
from services.execution.algorithms.prices import Meeting
from services.execution.algorithms.sizing import participation_lots, slice_lots
from services.execution.algorithms.terms import NS_PER_S, Kind, Style, Terms

COMPLETIONS_MAX = 5  # Once a second for 5 s (A4).
COMPLETION_PAUSE_NS = NS_PER_S


class Phase(Enum):
    """How far a slice has come."""

    PENDING = "PENDING"
    RESTING = "RESTING"  # Its first half: the passive child has been sent.
    DONE = "DONE"


class Ending(Enum):
    """Why an execution is over."""

    FILLED = "FILLED"
    CANCELED = "CANCELED"
    WINDOW_ENDED = "WINDOW_ENDED"


@dataclass(frozen=True, slots=True)
class OpenChild:
    """A child that may still trade."""

    number: int
    slice_number: int
    is_working: bool  # False: nobody knows yet whether the venue has it.
    is_asked: bool = False  # Whether its cancel is on its way.


@dataclass(frozen=True, slots=True)
class DueSlice:
    """The latest slice whose time has come."""

    number: int
    due_ns: int
    target_lots: int
    phase: Phase
    is_final: bool = False


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything that decides about the next step."""

    terms: Terms
    ledger: Ledger
    now_ns: int
    children: Sequence[OpenChild] = ()
    due: DueSlice | None = None  # None: no slice is due, or the latest one is done.
    next_due_ns: int = 0  # When the next slice is due; 0: there is none.
    is_canceled: bool = False  # The parent's cancel is wanted.
    is_held: bool = False  # It is paused, or the trading mode does not allow it.
    market_lots: int = 0  # POV: what the market traded since the start, own trades included.
    completions: int = 0  # How often the remainder was sent at the end.
    not_before_ns: int = 0  # After a child that came to nothing; 0: at once.


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask the venue to cancel these children."""

    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Send:
    """Send a child; `due` names the slice it belongs to."""

    meeting: Meeting
    due: DueSlice | None = None


@dataclass(frozen=True, slots=True)
class Skip:
    """Let a slice pass: it has nothing to send, or too little."""

    due: DueSlice


@dataclass(frozen=True, slots=True)
class Wait:
    """Do nothing until a time, or until something happens; 0: only until something happens."""

    until_ns: int = 0


@dataclass(frozen=True, slots=True)
class End:
    """Close the execution: nothing is open any more."""

    ending: Ending


Step = Ask | Send | Skip | Wait | End


def next_step(s: Situation) -> Step:
    """Return what is to be done now."""
    if s.ledger.is_filled and not s.children:
        return End(Ending.FILLED)
    if s.is_canceled:
        return _wind_down(s) or End(Ending.CANCELED)
    if s.terms.end_ns and s.now_ns >= s.terms.end_ns:
        return _wind_down(s) or _at_the_end(s)
    if s.is_held:
        return _wind_down(s) or Wait(s.terms.end_ns)
    if s.now_ns < s.terms.start_ns:
        return Wait(s.terms.start_ns)
    if s.terms.kind is Kind.ICEBERG:
        return _show(s)
    return _work_slice(s, s.due) if s.due else _wait(s, s.next_due_ns)


def wanted_lots(s: Situation, due: DueSlice) -> int:
    """Return how much a slice may send in this situation."""
    if s.terms.kind is Kind.POV:
        return participation_lots(s.terms, s.ledger, s.market_lots)
    return slice_lots(s.terms, s.ledger, due.target_lots, is_final=due.is_final)


def _wind_down(s: Situation) -> Step | None:
    """Cancel what works and wait for what is open; None when nothing is."""
    return _clear(s.children) or (Wait() if s.children else None)


def _clear(children: Sequence[OpenChild]) -> Step | None:
    """Cancel what works and wait for the answers; None when nothing works.

    What is in doubt is not waited for: it counts as open, so nothing is sent in its place.
    """
    working = [child for child in children if child.is_working]
    unasked = tuple(child.number for child in working if not child.is_asked)
    if unasked:
        return Ask(unasked)
    return Wait() if working else None


def _at_the_end(s: Situation) -> Step:
    """Try to complete, once a second, or give up the remainder (A4)."""
    if not s.terms.must_complete or s.completions >= COMPLETIONS_MAX or s.is_held:
        return End(Ending.WINDOW_ENDED)
    if s.now_ns < s.not_before_ns:
        return Wait(s.not_before_ns)
    return Send(Meeting.COMPLETE)


def _show(s: Situation) -> Step:
    """Show the next part of an ICEBERG once the one before is gone."""
    if s.children:
        return Wait(s.terms.end_ns)
    if s.now_ns < s.not_before_ns:
        return _wait(s, s.not_before_ns)
    return Send(Meeting.SHOW)


def _work_slice(s: Situation, due: DueSlice) -> Step:
    older = [c for c in s.children if c.slice_number < due.number]
    if clearing := _clear(older):  # Their reports come before the next size is computed (A5).
        return clearing
    if due.phase is Phase.PENDING:
        if wanted_lots(s, due) == 0:
            return Skip(due)
        is_crossing = s.terms.style is Style.CROSS
        return Send(Meeting.CROSS if is_crossing else Meeting.PASSIVE, due)
    half_ns = due.due_ns + s.terms.spacing_ns // 2
    if s.now_ns < half_ns:
        return _wait(s, half_ns)
    if clearing := _clear(s.children):
        return clearing
    return Send(Meeting.CROSS, due) if wanted_lots(s, due) else Skip(due)


def _wait(s: Situation, until_ns: int) -> Wait:
    """Wait until a time or the end of the window, whichever is first."""
    known = [ns for ns in (until_ns, s.terms.end_ns) if ns]
    return Wait(min(known, default=0))
