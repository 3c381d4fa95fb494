"""Days of trading and silence are counted by the calendar, not by the clock of the wall."""

from services.risk.rules import Reference
from services.risk.sessions import DAY_NS, Calendars, Sessions

HOUR_NS = DAY_NS // 24
# Monday to Friday of a week, then the next Monday; each from 08:00 to 16:00.
DAYS = (0, 1, 2, 3, 4, 7)
WEEK = Sessions(
    DAYS,
    tuple(day * DAY_NS + 8 * HOUR_NS for day in DAYS),
    tuple(day * DAY_NS + 16 * HOUR_NS for day in DAYS),
)
CALENDARS = Calendars({"XEXA": WEEK})


def at(day: int, hour: int) -> int:
    return day * DAY_NS + hour * HOUR_NS


def test_a_day_of_trading_begins_when_its_session_opens() -> None:
    assert CALENDARS.day_of("XEXA", at(1, 7)) == 0
    assert CALENDARS.day_of("XEXA", at(1, 8)) == 1
    assert CALENDARS.day_of("XEXA", at(6, 12)) == 4


def test_a_market_that_never_closes_has_the_days_of_utc() -> None:
    assert CALENDARS.day_of("24/7", at(6, 12)) == 6
    assert CALENDARS.next_open_ns("24/7", at(6, 12)) == at(7, 0)
    assert CALENDARS.opens_soon("24/7", at(6, 12))


def test_sessions_that_nobody_knows_are_not_guessed() -> None:
    assert CALENDARS.day_of("XXXX", at(1, 12)) is None
    assert CALENDARS.is_open("XXXX", at(1, 12)) is None
    assert not CALENDARS.opens_soon("XXXX", at(1, 12))
    assert CALENDARS.is_missing("XXXX", at(1, 12))


def test_the_close_is_outside_the_session() -> None:
    assert CALENDARS.is_open("XEXA", at(1, 8))
    assert not CALENDARS.is_open("XEXA", at(1, 16))
    assert CALENDARS.next_open_ns("XEXA", at(4, 16)) == at(7, 8)


def test_a_session_in_a_week_is_soon_and_later_is_not() -> None:
    alone = Calendars({"XEXA": Sessions((8,), (at(8, 8),), (at(8, 16),))})
    assert alone.opens_soon("XEXA", at(1, 8))
    assert not alone.opens_soon("XEXA", at(1, 8) - 1)


def test_a_weekend_is_no_silence() -> None:
    friday = Reference(1, at(4, 16), 3 * 60 * 10**9)
    assert not friday.is_stale(at(7, 8) + 3 * 60 * 10**9, WEEK)
    assert friday.is_stale(at(7, 8) + 3 * 60 * 10**9 + 1, WEEK)
    assert friday.is_stale(at(7, 8), None)


def test_a_daily_price_is_stale_after_three_sessions() -> None:
    tuesday = Reference(1, at(1, 16), 3 * DAY_NS)
    assert not tuesday.is_stale(at(4, 16), WEEK)
    assert tuesday.is_stale(at(7, 8), WEEK)
