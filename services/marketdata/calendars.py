"""When a market is open: the sessions of a calendar, as plain integers.

`exchange_calendars` brings pandas along, which takes a second to import: it is loaded when
a calendar other than `24/7` is first asked for. Its span is fixed here, because by default
it ends a year after the day it is asked, and then a replay would depend on that day.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

ALWAYS_OPEN = "24/7"
FIRST_DAY = "1960-01-01"
LAST_DAY = "2035-12-31"

Instants = npt.NDArray[np.int64]


class CalendarUnknown(ValueError):
    """No calendar has this code."""


@dataclass(frozen=True, slots=True, eq=False)
class Sessions:
    """The sessions of one calendar in order: dates as days since 1970, times as UTC ns."""

    days: Instants
    opens_ns: Instants
    closes_ns: Instants

    def weekly(self) -> "Sessions":
        """Return weeks: from the first session's open to the last one's close, by ISO week."""
        mondays = self.days - (self.days + 3) % 7
        starts = np.flatnonzero(np.diff(mondays, prepend=mondays[0] - 7))
        ends = np.append(starts[1:], len(mondays)) - 1
        return Sessions(mondays[starts], self.opens_ns[starts], self.closes_ns[ends])


@cache
def sessions_of(code: str) -> Sessions:
    """Return the sessions of the calendar `code` (as in exchange_calendars) of 1960 to 2035.

    Raises CalendarUnknown.
    """
    import exchange_calendars

    try:
        calendar = _calendar(exchange_calendars, code)
    except exchange_calendars.errors.InvalidCalendarName:
        raise CalendarUnknown(
            f"calendar is {code!r}, must be {ALWAYS_OPEN!r} or a code of exchange_calendars,"
            " such as 'XNYS': correct the instrument"
        ) from None
    return Sessions(
        calendar.sessions.to_numpy().astype("datetime64[D]").astype(np.int64),
        _ns(calendar.opens.to_numpy()),
        _ns(calendar.closes.to_numpy()),
    )


def _calendar(library: Any, code: str) -> Any:
    try:
        return library.get_calendar(code, start=FIRST_DAY, end=LAST_DAY)
    except ValueError as error:
        if isinstance(error, library.errors.InvalidCalendarName):
            raise
        # The calendar is not known for the whole span: take what it knows.
        kind = type(library.get_calendar(code))
        start = max(str(kind.bound_min() or FIRST_DAY)[:10], FIRST_DAY)
        end = min(str(kind.bound_max() or LAST_DAY)[:10], LAST_DAY)
        return library.get_calendar(code, start=start, end=end)


def _ns(times: Any) -> Instants:
    return np.asarray(times.astype("datetime64[ns]").astype(np.int64))


def sessions_from(rows: Sequence[tuple[int, int, int]]) -> Sessions:
    """Return sessions of (day, open, close) rows, for tests and hand-made calendars."""
    days, opens, closes = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    return Sessions(days, opens, closes)
