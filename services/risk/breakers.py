"""Breakers: limits that stop trading by themselves, and what makes them let go (K7).

A breaker stands from the instant its limit is reached until its stated end, or until a
person sets the mode of its scope anew; then it is acknowledged, and trips again only after
what it watches was within the limit once more. Warnings stand like breakers, and stop nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from services.risk.account import BPS, Account
from services.risk.reasons import Mode, Reason
from services.risk.rules import Limits, Scope, ScopeKind

WARNED_TENTHS = 8  # Of a limit: what warns.
PAUSE_NS = 300 * 10**9  # How long a losing streak pauses a strategy.
CLEAR, STANDS, ACKNOWLEDGED = 0, 1, -1


class Key(NamedTuple):
    """Names a breaker: what it stops, by which limit, and at which of its levels."""

    scope: Scope
    code: Reason
    mode: Mode  # What it still allows; ACTIVE: it only warns.
    level: int  # Of several with the same mode, which.


class Standing(NamedTuple):
    """A breaker that tripped and stands."""

    since_ns: int
    until_ns: int | None = None  # None: until a person ends it.
    is_acknowledged: bool = False


class Reading(NamedTuple):
    """What a breaker sees: how much there is, and how much trips it."""

    key: Key
    is_reached: bool
    observed: int
    limit: int
    until_ns: int | None = None


class Happening(NamedTuple):
    """A breaker tripped (or warned), or let go."""

    key: Key
    is_trip: bool
    observed: int = 0
    limit: int = 0


@dataclass(slots=True)
class Breakers:
    """The breakers that stand, of all scopes, in the order in which they tripped."""

    standing: dict[Key, Standing] = field(default_factory=dict)
    changed: dict[Key, None] = field(default_factory=dict)  # Not stored yet.
    happened: list[Happening] = field(default_factory=list)  # Not told yet.

    def see(self, readings: Iterator[Reading], now_ns: int) -> None:
        """Trip what is reached, and re-arm what is within its limit again."""
        for reading in readings:
            key, known = reading.key, self.standing.get(reading.key)
            if reading.is_reached and known is None:
                self._set(key, Standing(now_ns, reading.until_ns))
                self.happened.append(Happening(key, True, reading.observed, reading.limit))
            elif known is not None and not reading.is_reached:
                self._let_go(key, known)

    def _let_go(self, key: Key, known: Standing) -> None:
        """Re-arm what only warns, and what a person overruled; the others stay latched."""
        if known.is_acknowledged or key.mode is Mode.ACTIVE:
            self._drop(key)

    def end_due(self, now_ns: int) -> list[Key]:
        """Let go what has reached its stated end; return it."""
        due = [k for k, s in self.standing.items() if s.until_ns and s.until_ns <= now_ns]
        for key in due:
            self.end(key)
        return due

    def end(self, key: Key) -> None:
        """Let go of a breaker, and tell if it still stopped something."""
        known = self.standing[key]
        self._drop(key)
        if key.mode is not Mode.ACTIVE and not known.is_acknowledged:
            self.happened.append(Happening(key, False))

    def acknowledge(self, scope: Scope, mode: Mode) -> list[Key]:
        """Let a person's looser `mode` hold in `scope`; return the breakers this overrules."""
        overruled = [
            key
            for key, known in self.standing.items()
            if key.scope == scope and key.mode > mode and not known.is_acknowledged
        ]
        for key in overruled:
            self._set(key, self.standing[key]._replace(is_acknowledged=True))
        return overruled

    def strictest(self, scope: Scope) -> Mode:
        """Return the mode that the breakers of a scope enforce."""
        return max((k.mode for k in self._active() if k.scope == scope), default=Mode.ACTIVE)

    def state(self, scope: Scope, code: Reason) -> int:
        """Return whether a limit's breaker stands, is acknowledged or is clear."""
        found = CLEAR
        for key, known in self.standing.items():
            if key.scope == scope and key.code is code and key.mode is not Mode.ACTIVE:
                if not known.is_acknowledged:
                    return STANDS
                found = ACKNOWLEDGED
        return found

    def next_end_ns(self) -> int | None:
        """Return when the next breaker ends by itself."""
        return min((s.until_ns for s in self.standing.values() if s.until_ns), default=None)

    def _active(self) -> Iterator[Key]:
        return (key for key, known in self.standing.items() if not known.is_acknowledged)

    def _set(self, key: Key, standing: Standing) -> None:
        self.standing[key] = standing
        self.changed[key] = None

    def _drop(self, key: Key) -> None:
        del self.standing[key]
        self.changed[key] = None


def of_account(account: Account, limits: Limits, next_day_ns: int | None) -> Iterator[Reading]:
    """Yield what the breakers of an account see; nothing while its equity is not known."""
    equity = account.equity_minor
    if equity is None:
        return
    scope = (ScopeKind.ACCOUNT, account.name)
    high, first = account.high_water_minor or 0, account.day_equity_minor or 0
    drawdown = (Reason.DRAWDOWN, high - equity, high)
    loss = (Reason.DAILY_LOSS, first - equity, first)
    reduce, halt, most = (
        limits.drawdown_bps_reduce_only,
        limits.drawdown_bps_halted,
        limits.day_loss_bps_max,
    )
    levels = (
        (drawdown, Mode.ACTIVE, 1, reduce * WARNED_TENTHS, None),
        (drawdown, Mode.ACTIVE, 2, halt * WARNED_TENTHS, None),
        (drawdown, Mode.REDUCE_ONLY, 1, reduce * 10, None),
        (drawdown, Mode.HALTED, 1, halt * 10, None),
        (loss, Mode.ACTIVE, 1, limits.day_loss_bps_warning * 10, None),
        (loss, Mode.ACTIVE, 2, most * WARNED_TENTHS, None),
        (loss, Mode.REDUCE_ONLY, 1, most * 10, next_day_ns),
    )
    for (code, lost, whole), mode, level, tenths, until_ns in levels:
        is_reached = whole > 0 and lost > 0 and lost * BPS * 10 >= tenths * whole
        observed = max(0, lost) * BPS // whole if whole > 0 else 0
        key = Key(scope, code, mode, level)
        yield Reading(key, is_reached, observed, tenths // 10, until_ns)


def of_strategy(
    strategy_id: str, losses: int, openings: int, limits: Limits, now_ns: int
) -> Iterator[Reading]:
    """Yield what the breakers of a strategy see: losses in a row, fills of one kind a minute."""
    scope = (ScopeKind.STRATEGY, strategy_id)
    most = limits.losses_in_a_row_max
    streak = (Reason.LOSS_STREAK, losses)
    for mode, tenths, until_ns in (
        (Mode.ACTIVE, WARNED_TENTHS, None),
        (Mode.REDUCE_ONLY, 10, now_ns + PAUSE_NS),
    ):
        is_reached = losses > 0 and losses * 10 >= most * tenths
        yield Reading(Key(scope, streak[0], mode, 1), is_reached, losses, most, until_ns)
    most = limits.repeated_executions_per_minute_max
    for mode, is_reached in (
        (Mode.ACTIVE, openings * 10 >= most * WARNED_TENTHS),
        (Mode.REDUCE_ONLY, openings > most),
    ):
        key = Key(scope, Reason.REPEATED_EXECUTION, mode, 1)
        yield Reading(key, most > 0 and is_reached, openings, most)
