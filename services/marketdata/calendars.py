"""When a market is open: the sessions of a calendar, as plain integers.

New York, the calendar of the bundled data, is made from a table; any other one comes from
`exchange_calendars`, which brings pandas along and takes a second to import: it is loaded
when such a calendar is first asked for. The span is fixed, because by default the library
ends a year after the day it is asked, and then a replay would depend on that day.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from services.marketdata import xnys
from services.marketdata.timeframes import NS_PER_DAY, NS_PER_SECOND

ALWAYS_OPEN = "24/7"
NEW_YORK = "XNYS"
SATURDAY = 5

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
        mondays = monday_of(self.days)
        starts = np.flatnonzero(np.diff(mondays, prepend=mondays[0] - 7))
        ends = np.append(starts[1:], len(mondays)) - 1
        return Sessions(mondays[starts], self.opens_ns[starts], self.closes_ns[ends])

    def is_open(self, time_ns: int) -> bool:
        """Whether `time_ns` lies in a session; its close does not."""
        at = int(np.searchsorted(self.opens_ns, time_ns, "right")) - 1
        return at >= 0 and time_ns < int(self.closes_ns[at])


def monday_of(days: Instants) -> Instants:
    """Return the Monday of each day's ISO week, all counted from 1970-01-01, a Thursday."""
    return days - (days + 3) % 7


def is_open(calendar: str, time_ns: int) -> bool:
    """Whether the market of `calendar` is open at `time_ns`."""
    return calendar == ALWAYS_OPEN or sessions_of(calendar).is_open(time_ns)


@cache
def sessions_of(code: str) -> Sessions:
    """Return the sessions of the calendar `code` (as in exchange_calendars) of 1960 to 2035.

    Raises CalendarUnknown.
    """
    return _new_york() if code == NEW_YORK else library_sessions(code)


def library_sessions(code: str) -> Sessions:
    """Return the sessions as exchange_calendars knows them. Raises CalendarUnknown."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # The library uses what pandas 3 deprecates.
        import exchange_calendars  # type: ignore[import-untyped]

        try:
            calendar = _calendar(exchange_calendars, code)
        except exchange_calendars.errors.InvalidCalendarName:
            raise CalendarUnknown(
                f"calendar is {code!r}, must be {ALWAYS_OPEN!r} or a code of exchange_calendars,"
                " such as 'XNYS': correct the instrument"
            ) from None
        return Sessions(
            calendar.sessions.to_numpy().astype("datetime64[D]").astype(np.int64),
            _utc_ns(calendar.opens),
            _utc_ns(calendar.closes),
        )


def _calendar(library: Any, code: str) -> Any:
    first_day, last_day = xnys.FIRST_DAY, xnys.LAST_DAY
    try:
        return library.get_calendar(code, start=first_day, end=last_day)
    except library.errors.InvalidCalendarName:
        raise
    except ValueError:
        # The calendar is not known for the whole span: take what it knows.
        kind = type(library.get_calendar(code))
        start = max(str(kind.bound_min() or first_day)[:10], first_day)
        end = min(str(kind.bound_max() or last_day)[:10], last_day)
        return library.get_calendar(code, start=start, end=end)


def _utc_ns(times: Any) -> Instants:
    utc = times.dt.tz_convert(None).to_numpy()
    return np.asarray(utc.astype("datetime64[ns]").astype(np.int64))


def _new_york() -> Sessions:
    first, last = _days(f"{xnys.FIRST_DAY} {xnys.LAST_DAY}").tolist()
    days = np.arange(first, last + 1)
    days = days[(days - monday_of(days) < SATURDAY) & ~np.isin(days, _days(xnys.HOLIDAYS))]
    midnights_ns = days * NS_PER_DAY - _offsets_ns(days, ZoneInfo(xnys.ZONE))
    closes_ns = np.full(len(days), _clock_ns(xnys.CLOSE))
    for clock, dates in xnys.EARLY_CLOSES.items():
        closes_ns[np.searchsorted(days, _days(dates))] = _clock_ns(clock)
    return Sessions(days, midnights_ns + _clock_ns(xnys.OPEN), midnights_ns + closes_ns)


def _days(dates: str) -> Instants:
    return np.array(dates.split(), dtype="datetime64[D]").astype(np.int64)


def _clock_ns(clock: str) -> int:
    """Return a time of day such as 09:30 as nanoseconds since midnight."""
    hours, minutes = clock.split(":")
    return (int(hours) * 60 + int(minutes)) * 60 * NS_PER_SECOND


def _offsets_ns(days: Instants, zone: ZoneInfo) -> Instants:
    """Return the zone's offset from UTC at noon: clocks change on Sunday nights only."""
    noons = days.astype("datetime64[D]").astype("datetime64[h]") + 12
    offsets = [zone.utcoffset(noon) for noon in noons.tolist()]
    return np.array([o.total_seconds() if o else 0 for o in offsets]).astype(int) * NS_PER_SECOND


def sessions_from(rows: Sequence[tuple[int, int, int]]) -> Sessions:
    """Return sessions of (day, open, close) rows, for tests and hand-made calendars."""
    days, opens, closes = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    return Sessions(days, opens, closes)
