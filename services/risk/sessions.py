"""When markets are open, and what day of trading an instant belongs to."""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field

ALWAYS_OPEN = "24/7"
DAY_NS = 24 * 3_600 * 10**9
WEEK_NS = 7 * DAY_NS
AHEAD_NS = 10 * DAY_NS  # How far ahead sessions must be known: a week is asked about.


@dataclass(frozen=True, slots=True)
class Sessions:
    """Some successive sessions of a calendar: their dates, in days since 1970, and times."""

    days: tuple[int, ...]
    opens_ns: tuple[int, ...]
    closes_ns: tuple[int, ...]

    def covers(self, now_ns: int) -> bool:
        """Return whether these sessions tell what is open now and in the next week."""
        if not self.days:
            return False
        return self.opens_ns[0] <= now_ns and self.opens_ns[-1] > now_ns + AHEAD_NS

    def day_of(self, now_ns: int) -> int | None:
        """Return the date of the last session that has opened; None before the first one."""
        at = bisect_right(self.opens_ns, now_ns) - 1
        return self.days[at] if at >= 0 else None

    def is_open(self, now_ns: int) -> bool:
        """Return whether an instant lies in a session; its close does not."""
        at = bisect_right(self.opens_ns, now_ns) - 1
        return at >= 0 and now_ns < self.closes_ns[at]

    def next_open_ns(self, now_ns: int) -> int | None:
        """Return when the next session opens; None when these end before."""
        at = bisect_right(self.opens_ns, now_ns)
        return self.opens_ns[at] if at < len(self.opens_ns) else None

    def closes_between(self, after_ns: int, until_ns: int) -> int:
        """Return how many sessions closed behind one instant and before another."""
        return bisect_left(self.closes_ns, until_ns) - bisect_right(self.closes_ns, after_ns)

    def open_ns_between(self, after_ns: int, until_ns: int) -> int:
        """Return for how long the market was open between two instants."""
        first = max(0, bisect_right(self.opens_ns, after_ns) - 1)
        last = bisect_left(self.opens_ns, until_ns)
        spans = zip(self.opens_ns[first:last], self.closes_ns[first:last], strict=True)
        return sum(max(0, min(c, until_ns) - max(o, after_ns)) for o, c in spans)


@dataclass(slots=True)
class Calendars:
    """The sessions known of each calendar; a market that never closes needs none."""

    known: dict[str, Sessions] = field(default_factory=dict)

    def is_missing(self, calendar: str, now_ns: int) -> bool:
        """Return whether more must be learned to answer questions about now."""
        if not calendar or calendar == ALWAYS_OPEN:
            return False
        sessions = self.known.get(calendar)
        return sessions is None or not sessions.covers(now_ns)

    def day_of(self, calendar: str, now_ns: int) -> int | None:
        """Return the day of trading as days since 1970; None when it is not known."""
        if not calendar or calendar == ALWAYS_OPEN:
            return now_ns // DAY_NS
        sessions = self.known.get(calendar)
        return None if sessions is None else sessions.day_of(now_ns)

    def next_open_ns(self, calendar: str, now_ns: int) -> int | None:
        """Return when the next day of trading begins; None when it is not known."""
        if not calendar or calendar == ALWAYS_OPEN:
            return (now_ns // DAY_NS + 1) * DAY_NS
        sessions = self.known.get(calendar)
        return None if sessions is None else sessions.next_open_ns(now_ns)

    def is_open(self, calendar: str, now_ns: int) -> bool | None:
        """Return whether a market is open; None when it is not known."""
        if calendar == ALWAYS_OPEN:
            return True
        sessions = self.known.get(calendar)
        return None if sessions is None else sessions.is_open(now_ns)

    def opens_soon(self, calendar: str, now_ns: int) -> bool:
        """Return whether a market is open, or will be within seven days."""
        if self.is_open(calendar, now_ns):
            return True
        opens_ns = self.next_open_ns(calendar, now_ns)
        return opens_ns is not None and opens_ns <= now_ns + WEEK_NS
