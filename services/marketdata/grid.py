"""Where candles may begin and end (rule D2): one grid per calendar and timeframe.

Below a day the grid is the UTC clock, where a session is open for some of the candle.
A day is one session from open to close, a week the sessions of one ISO week; a market that
is always open has UTC days, and weeks from Monday.
"""

from bisect import bisect_left, bisect_right
from functools import cache
from typing import Protocol

import numpy as np

from services.marketdata.calendars import (
    ALWAYS_OPEN,
    Instants,
    Sessions,
    monday_of,
    sessions_of,
)
from services.marketdata.timeframes import DURATION_NS, NS_PER_DAY, Timeframe

MONDAY_NS = 4 * NS_PER_DAY  # 1970-01-01 was a Thursday.
OFF_GRID = -1


class Grid(Protocol):
    """The candles that a calendar has room for."""

    def close_of(self, open_ns: int) -> int | None:
        """Return when the candle that opens at `open_ns` closes; None off the grid."""

    def next_open(self, after_ns: int) -> int | None:
        """Return the first opening later than `after_ns`; None beyond the calendar's end."""

    def closes_of(self, opens_ns: Instants) -> Instants:
        """Return the close of each opening, OFF_GRID where there is none."""

    def count(self, first_open_ns: int, last_open_ns: int) -> int:
        """Return how many candles open from the first to the last, both counted."""

    def opens_on(self, days: Instants) -> Instants:
        """Return the opening of the candle of each day (counted from 1970), or OFF_GRID.

        Only where a candle is a session or a week: others have no single one in a day.
        """


class ContinuousGrid:
    """The grid of a market that never closes."""

    def __init__(self, step_ns: int, phase_ns: int = 0) -> None:
        self._step_ns = step_ns
        self._phase_ns = phase_ns

    def close_of(self, open_ns: int) -> int | None:
        """Return the end of the step; see Grid."""
        return None if (open_ns - self._phase_ns) % self._step_ns else open_ns + self._step_ns

    def next_open(self, after_ns: int) -> int | None:
        """Return the next step; see Grid."""
        return after_ns - (after_ns - self._phase_ns) % self._step_ns + self._step_ns

    def closes_of(self, opens_ns: Instants) -> Instants:
        """Return the ends of the steps; see Grid."""
        is_off = (opens_ns - self._phase_ns) % self._step_ns != 0
        return np.where(is_off, OFF_GRID, opens_ns + self._step_ns)

    def count(self, first_open_ns: int, last_open_ns: int) -> int:
        """Return the number of steps; see Grid."""
        return (last_open_ns - first_open_ns) // self._step_ns + 1

    def opens_on(self, days: Instants) -> Instants:
        """Return the UTC day, or its week's Monday; see Grid."""
        days_ns = days * NS_PER_DAY
        return days_ns - (days_ns - self._phase_ns) % self._step_ns


class SessionGrid:
    """One candle per session (or per week of sessions)."""

    def __init__(self, sessions: Sessions, *, is_weekly: bool = False) -> None:
        self._sessions = sessions.weekly() if is_weekly else sessions
        self._opens = self._sessions.opens_ns.tolist()
        self._closes = self._sessions.closes_ns.tolist()
        self._is_weekly = is_weekly

    def close_of(self, open_ns: int) -> int | None:
        """Return the session's close; see Grid."""
        at = bisect_left(self._opens, open_ns)
        is_open = at < len(self._opens) and self._opens[at] == open_ns
        return self._closes[at] if is_open else None

    def next_open(self, after_ns: int) -> int | None:
        """Return the next session's open; see Grid."""
        at = bisect_right(self._opens, after_ns)
        return self._opens[at] if at < len(self._opens) else None

    def closes_of(self, opens_ns: Instants) -> Instants:
        """Return the sessions' closes; see Grid."""
        at = np.searchsorted(self._sessions.opens_ns, opens_ns).clip(max=len(self._opens) - 1)
        is_open = self._sessions.opens_ns[at] == opens_ns
        return np.where(is_open, self._sessions.closes_ns[at], OFF_GRID)

    def count(self, first_open_ns: int, last_open_ns: int) -> int:
        """Return the number of sessions; see Grid."""
        return bisect_right(self._opens, last_open_ns) - bisect_left(self._opens, first_open_ns)

    def opens_on(self, days: Instants) -> Instants:
        """Return the session's open; see Grid."""
        named = monday_of(days) if self._is_weekly else days
        at = np.searchsorted(self._sessions.days, named).clip(max=len(self._opens) - 1)
        return np.where(self._sessions.days[at] == named, self._sessions.opens_ns[at], OFF_GRID)


class IntradayGrid:
    """Steps of the UTC clock in which a session is open."""

    def __init__(self, sessions: Sessions, step_ns: int) -> None:
        self._opens = sessions.opens_ns.tolist()
        self._closes = sessions.closes_ns.tolist()
        self._sessions = sessions
        self._step_ns = step_ns

    def close_of(self, open_ns: int) -> int | None:
        """Return the end of the step; see Grid."""
        if open_ns % self._step_ns or self._first_within(open_ns) != open_ns:
            return None
        return open_ns + self._step_ns

    def next_open(self, after_ns: int) -> int | None:
        """Return the next step with trading in it; see Grid."""
        return self._first_within(after_ns - after_ns % self._step_ns + self._step_ns)

    def closes_of(self, opens_ns: Instants) -> Instants:
        """Return the ends of the steps; see Grid."""
        last = len(self._opens) - 1
        at = np.searchsorted(self._sessions.closes_ns, opens_ns, "right")
        ends_ns = opens_ns + self._step_ns
        is_on = (opens_ns % self._step_ns == 0) & (at <= last)
        is_on &= self._sessions.opens_ns[at.clip(max=last)] < ends_ns
        return np.where(is_on, ends_ns, OFF_GRID)

    def count(self, first_open_ns: int, last_open_ns: int) -> int:
        """Return the number of steps within sessions; see Grid."""
        firsts = self._sessions.opens_ns // self._step_ns
        stops = -(-self._sessions.closes_ns // self._step_ns)
        first, stop = first_open_ns // self._step_ns, last_open_ns // self._step_ns + 1
        within = np.minimum(stops, stop) - np.maximum(firsts, first)
        return int(within.clip(min=0).sum())

    def opens_on(self, days: Instants) -> Instants:
        """Return OFF_GRID for every day: it has many candles; see Grid."""
        return np.full_like(days, OFF_GRID)

    def _first_within(self, step_open_ns: int) -> int | None:
        """Return the first step from `step_open_ns` on in which a session is open."""
        at = bisect_right(self._closes, step_open_ns)
        if at == len(self._closes):
            return None
        opens_ns: int = self._opens[at]
        return max(step_open_ns, opens_ns - opens_ns % self._step_ns)


@cache
def grid_of(calendar: str, timeframe: Timeframe) -> Grid:
    """Return the grid of `calendar` ("24/7" or a code of exchange_calendars)."""
    if calendar == ALWAYS_OPEN:
        phase_ns = MONDAY_NS if timeframe is Timeframe.WEEK_1 else 0
        return ContinuousGrid(DURATION_NS[timeframe], phase_ns)
    sessions = sessions_of(calendar)
    if timeframe.is_by_session:
        return SessionGrid(sessions, is_weekly=timeframe is Timeframe.WEEK_1)
    return IntradayGrid(sessions, DURATION_NS[timeframe])
