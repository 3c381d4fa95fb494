"""The sessions of a calendar as an answer: for who must know what day of trading it is."""

import numpy as np
from trading.marketdata.v1 import marketdata_pb2 as pb

from runtime.times import to_ns, to_timestamp
from services.marketdata.calendars import ALWAYS_OPEN, CalendarUnknown, Sessions, sessions_of
from services.marketdata.refusals import MarketDataRefused, Refusal
from services.marketdata.timeframes import NS_PER_DAY

COUNT_DEFAULT = 100


def sessions_listed(request: pb.ListSessionsRequest) -> pb.ListSessionsResponse:
    """Return the sessions that end after the instant asked for. Raises MarketDataRefused."""
    from_ns, count = to_ns(request.from_time), request.count or COUNT_DEFAULT
    found = _sessions(request.calendar, from_ns, count)
    first = int(np.searchsorted(found.closes_ns, from_ns, "right"))
    chosen = slice(first, first + count)
    columns = (found.days[chosen], found.opens_ns[chosen], found.closes_ns[chosen])
    return pb.ListSessionsResponse(
        sessions=[
            pb.Session(day=day, open_time=to_timestamp(opens), close_time=to_timestamp(closes))
            for day, opens, closes in zip(*(c.tolist() for c in columns), strict=True)
        ]
    )


def _sessions(calendar: str, from_ns: int, count: int) -> Sessions:
    if calendar == ALWAYS_OPEN:
        days = np.arange(from_ns // NS_PER_DAY, from_ns // NS_PER_DAY + count)
        return Sessions(days, days * NS_PER_DAY, (days + 1) * NS_PER_DAY)
    try:
        return sessions_of(calendar)
    except CalendarUnknown as unknown:
        raise MarketDataRefused(Refusal.CALENDAR_UNKNOWN, str(unknown)) from None
