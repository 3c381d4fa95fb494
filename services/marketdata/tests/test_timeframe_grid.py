"""Where candles open and close (rule D2), against a second, naive way to say it."""

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.marketdata.calendars import (
    CalendarUnknown,
    is_open,
    library_sessions,
    sessions_from,
    sessions_of,
)
from services.marketdata.grid import OFF_GRID, Grid, IntradayGrid, grid_of
from services.marketdata.timeframes import DURATION_NS, NS_PER_HOUR, NS_PER_MINUTE, Timeframe

TIMEFRAMES = st.sampled_from(list(Timeframe))
CALENDARS = st.sampled_from(["24/7", "XNYS"])
INSTANTS = st.integers(0, 2_000_000_000).map(lambda seconds: seconds * 1_000_000_000)
# One session a day from 9:30 to 16:00 with no weekends, so that a naive count is easy.
DAYS = sessions_from([(day, day * 1440 + 570, day * 1440 + 960) for day in range(10)])


def ns(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000_000


def test_new_york_is_what_the_calendar_library_says() -> None:
    ours, theirs = sessions_of("XNYS"), library_sessions("XNYS")
    for name in ("days", "opens_ns", "closes_ns"):
        np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name), err_msg=name)


def test_an_unknown_calendar_is_named() -> None:
    with pytest.raises(CalendarUnknown, match="calendar is 'XXXX', must be '24/7' or a code"):
        sessions_of("XXXX")


def test_a_daily_candle_is_one_session_and_an_early_close_shortens_it() -> None:
    grid = grid_of("XNYS", Timeframe.DAY_1)
    assert grid.close_of(ns("2022-12-28T14:30")) == ns("2022-12-28T21:00")
    assert grid.close_of(ns("2022-11-25T14:30")) == ns("2022-11-25T18:00")
    assert grid.close_of(ns("2022-07-05T13:30")) == ns("2022-07-05T20:00")  # Summer time.
    assert grid.close_of(ns("2022-12-28T00:00")) is None
    assert grid.next_open(ns("2022-12-23T14:30")) == ns("2022-12-27T14:30")  # Christmas.


def test_a_weekly_candle_spans_the_sessions_of_its_week() -> None:
    grid = grid_of("XNYS", Timeframe.WEEK_1)
    tuesday = ns("2022-12-27T14:30")  # The Monday was a holiday.
    assert grid.close_of(tuesday) == ns("2022-12-30T21:00")
    assert grid_of("24/7", Timeframe.WEEK_1).close_of(ns("2024-01-01T00:00")) is not None
    assert grid_of("24/7", Timeframe.WEEK_1).close_of(ns("2024-01-02T00:00")) is None


def test_an_intraday_candle_needs_trading_in_it() -> None:
    grid = grid_of("XNYS", Timeframe.HOUR_1)
    assert grid.close_of(ns("2024-01-02T14:00")) == ns("2024-01-02T15:00")  # Opens at 14:30.
    assert grid.close_of(ns("2024-01-02T13:00")) is None
    assert grid.close_of(ns("2024-01-02T21:00")) is None
    assert grid.next_open(ns("2024-01-05T20:00")) == ns("2024-01-08T14:00")


def test_a_market_is_open_from_the_first_to_the_last_moment_but_that() -> None:
    assert is_open("24/7", 0)
    assert is_open("XNYS", ns("2024-01-02T14:30"))
    assert is_open("XNYS", ns("2024-01-02T21:00") - 1)
    assert not is_open("XNYS", ns("2024-01-02T21:00"))
    assert not is_open("XNYS", ns("2024-01-06T16:00"))
    assert not is_open("XNYS", 0 - 10**19)


@given(CALENDARS, TIMEFRAMES, INSTANTS)
def test_the_next_opening_is_later_and_on_the_grid(
    calendar: str, timeframe: Timeframe, after_ns: int
) -> None:
    grid = grid_of(calendar, timeframe)
    open_ns = grid.next_open(after_ns)
    assert open_ns is not None
    assert open_ns > after_ns
    close_ns = grid.close_of(open_ns)
    assert close_ns is not None
    assert open_ns < close_ns <= open_ns + DURATION_NS[timeframe]
    assert close_ns <= (grid.next_open(open_ns) or 0)


@given(CALENDARS, TIMEFRAMES, INSTANTS, st.lists(st.integers(-5, 5), min_size=1))
def test_a_column_of_openings_has_the_same_closes_as_each_one(
    calendar: str, timeframe: Timeframe, after_ns: int, offsets: list[int]
) -> None:
    grid = grid_of(calendar, timeframe)
    start_ns = grid.next_open(after_ns) or 0
    opens_ns = np.array([start_ns + offset * 30 * NS_PER_MINUTE for offset in offsets])
    each = [grid.close_of(open_ns) for open_ns in opens_ns.tolist()]
    together = grid.closes_of(opens_ns).tolist()
    assert together == [OFF_GRID if close is None else close for close in each]


@given(CALENDARS, TIMEFRAMES, INSTANTS, st.integers(1, 60))
def test_candles_are_counted_as_they_are_stepped_through(
    calendar: str, timeframe: Timeframe, after_ns: int, steps: int
) -> None:
    grid = grid_of(calendar, timeframe)
    first_ns = last_ns = grid.next_open(after_ns) or 0
    for _ in range(steps - 1):
        last_ns = grid.next_open(last_ns) or 0
    assert grid.count(first_ns, last_ns) == steps


@given(st.integers(0, 9 * 1440), st.sampled_from([1, 5, 15, 30, 60, 240]))
def test_the_intraday_grid_is_what_a_walk_over_all_minutes_finds(minute: int, step: int) -> None:
    grid: Grid = IntradayGrid(DAYS, step)
    starts = [
        start
        for start in range(0, 11 * 1440, step)
        if any(570 <= m % 1440 < 960 and m < 10 * 1440 for m in range(start, start + step))
    ]
    assert (grid.close_of(minute) is not None) == (minute in starts)
    assert grid.next_open(minute) == next((s for s in starts if s > minute), None)


@pytest.mark.parametrize("calendar", ["24/7", "XNYS"])
def test_a_date_names_the_session_and_any_day_the_week(calendar: str) -> None:
    wednesday = np.array([np.datetime64("2024-01-03", "D").astype(np.int64)])
    day = grid_of(calendar, Timeframe.DAY_1).opens_on(wednesday)[0]
    week = grid_of(calendar, Timeframe.WEEK_1).opens_on(wednesday)[0]
    opens = {"24/7": 0, "XNYS": 14 * NS_PER_HOUR + 30 * NS_PER_MINUTE}[calendar]
    assert day == ns("2024-01-03T00:00") + opens
    holiday = calendar == "XNYS"
    assert week == ns("2024-01-02T00:00" if holiday else "2024-01-01T00:00") + opens
    assert grid_of("XNYS", Timeframe.HOUR_1).opens_on(wednesday)[0] == OFF_GRID
