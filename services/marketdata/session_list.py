"""The sessions of a calendar as an answer: for who must know what day of trading it is."""

import numpy as np
from trading.marketdata.v1 import marketdata_pb2 as pb

from runtime.paging import place_of, size_of, token_of
from runtime.times import to_ns, to_timestamp
from services.marketdata.calendars import ALWAYS_OPEN, CalendarUnknown, Sessions, sessions_of
from services.marketdata.refusals import MarketDataRefused, Refusal
from services.marketdata.timeframes import NS_PER_DAY


def sessions_listed(request: pb.ListSessionsRequest) -> pb.ListSessionsResponse:
    """Return a page of the sessions after an instant. Raises MarketDataRefused, ForeignToken."""
    place, count = place_of(request, request.page_token), size_of(request.page_size)
    from_ns = int(place) if place else to_ns(request.from_time)
    found = _sessions(request.calendar, from_ns, count)
    first = int(np.searchsorted(found.closes_ns, from_ns, "right"))
    chosen = slice(first, first + count)
    columns = (found.days[chosen], found.opens_ns[chosen], found.closes_ns[chosen])
    sessions = [
        pb.Session(day=day, open_time=to_timestamp(opens), close_time=to_timestamp(closes))
        for day, opens, closes in zip(*(c.tolist() for c in columns), strict=True)
    ]
    answer = pb.ListSessionsResponse(sessions=sessions)
    if len(sessions) == count:  # The calendar may go on: the next page begins behind the last.
        answer.next_page_token = token_of(request, str(to_ns(sessions[-1].close_time)))
    return answer


def _sessions(calendar: str, from_ns: int, count: int) -> Sessions:
    if calendar == ALWAYS_OPEN:
        days = np.arange(from_ns // NS_PER_DAY, from_ns // NS_PER_DAY + count)
        return Sessions(days, days * NS_PER_DAY, (days + 1) * NS_PER_DAY)
    try:
        return sessions_of(calendar)
    except CalendarUnknown as unknown:
        raise MarketDataRefused(Refusal.CALENDAR_UNKNOWN, str(unknown)) from None
