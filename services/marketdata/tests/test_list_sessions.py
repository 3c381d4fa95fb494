import pytest
from trading.marketdata.v1.marketdata_pb2 import ListSessionsRequest, Session

from runtime.times import to_ns, to_timestamp
from services.marketdata.refusals import MarketDataRefused
from services.marketdata.session_list import sessions_listed
from services.marketdata.tests.test_quotes import ns


def listed(calendar: str, start: str, count: int = 3) -> list[Session]:
    request = ListSessionsRequest(
        calendar=calendar, from_time=to_timestamp(ns(start)), page_size=count
    )
    return list(sessions_listed(request).sessions)


def test_the_session_under_way_comes_first() -> None:
    first, second, third = listed("XNYS", "2024-01-05T20:59")
    assert to_ns(first.close_time) == ns("2024-01-05T21:00")
    assert to_ns(second.open_time) == ns("2024-01-08T14:30")
    assert [second.day - first.day, third.day - second.day] == [3, 1]


def test_a_market_that_never_closes_has_the_days_of_utc() -> None:
    (only,) = listed("24/7", "2024-01-06T12:00", count=1)
    assert (to_ns(only.open_time), to_ns(only.close_time)) == (
        ns("2024-01-06T00:00"),
        ns("2024-01-07T00:00"),
    )


def test_pages_follow_each_other_without_a_gap() -> None:
    request = ListSessionsRequest(
        calendar="XNYS", from_time=to_timestamp(ns("2024-01-05T20:59")), page_size=2
    )
    days = []
    for _ in range(2):
        page = sessions_listed(request)
        days += [session.day for session in page.sessions]
        request.page_token = page.next_page_token
    assert days == [session.day for session in listed("XNYS", "2024-01-05T20:59", count=4)]


def test_an_unknown_calendar_is_refused() -> None:
    with pytest.raises(MarketDataRefused, match="calendar is 'XXXX'"):
        listed("XXXX", "2024-01-06T12:00")
