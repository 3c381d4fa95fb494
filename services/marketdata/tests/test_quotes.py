"""When a price is too old (rule D5): silence counts only while the market is open."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from services.marketdata.instruments import CATALOGUE
from services.marketdata.quotes import Interval, Quotes, overdue_ns
from services.marketdata.tests.mothers import SQUARE, a_candle
from services.marketdata.timeframes import DURATION_NS, NS_PER_DAY, NS_PER_SECOND, Timeframe


def ns(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * NS_PER_SECOND


def interval(timeframe: Timeframe, opens: str, closes: str) -> Interval:
    return Interval(timeframe, ns(opens), ns(closes))


@given(st.sampled_from(list(Timeframe)))
def test_an_open_market_is_stale_after_three_candles_and_at_least_five_seconds(
    timeframe: Timeframe,
) -> None:
    monday_ns = 4 * NS_PER_DAY
    length_ns = DURATION_NS[timeframe]
    last = Interval(timeframe, monday_ns, monday_ns + length_ns)
    assert overdue_ns(last, "24/7") == last.close_ns + max(3 * length_ns, 5 * NS_PER_SECOND)


def test_a_tick_is_stale_five_seconds_later_and_the_night_does_not_count() -> None:
    tick_ns = ns("2024-01-05T20:59:58") + 300
    tick = Interval(Timeframe.SECOND_1, ns("2024-01-05T20:59:58"), tick_ns)
    assert overdue_ns(tick, "24/7") == tick_ns + 5 * NS_PER_SECOND
    assert overdue_ns(tick, "XNYS") == ns("2024-01-08T14:30:03") + 300


def test_a_weekend_is_no_silence() -> None:
    friday = interval(Timeframe.MINUTE_1, "2024-01-05T20:59", "2024-01-05T21:00")
    assert overdue_ns(friday, "XNYS") == ns("2024-01-08T14:33")


def test_a_daily_price_is_stale_after_three_sessions() -> None:
    thursday = interval(Timeframe.DAY_1, "2024-01-04T14:30", "2024-01-04T21:00")
    assert overdue_ns(thursday, "XNYS") == ns("2024-01-09T21:00")


def test_the_end_of_the_calendar_makes_nothing_stale() -> None:
    last = interval(Timeframe.DAY_1, "2035-12-31T14:30", "2035-12-31T21:00")
    assert overdue_ns(last, "XNYS") is None


def test_the_newest_close_counts_whatever_came_last() -> None:
    quotes = Quotes()
    newest = a_candle(5)
    for item in (a_candle(4), newest, a_candle(3)):
        quotes.take(item)
    assert quotes.standing(CATALOGUE[SQUARE], newest.close_ns).time_ns == newest.close_ns
