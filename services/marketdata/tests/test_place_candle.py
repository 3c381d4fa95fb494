"""What becomes of a valid candle, given what is stored (rules D1, D3, D4)."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from services.marketdata.candles import Candle, Fault
from services.marketdata.grid import grid_of
from services.marketdata.publication import Gap, Outcome, Past, Verdict, place
from services.marketdata.tests.mothers import NOON_NS, a_candle
from services.marketdata.timeframes import NS_PER_MINUTE, Timeframe

GRID = grid_of("24/7", Timeframe.MINUTE_1)


def put(candle: Candle, past: Past, *, is_backfill: bool = False) -> Verdict:
    return place(candle, str(candle.close).encode(), past, GRID, is_backfill=is_backfill)


def fault(verdict: Verdict) -> Fault | None:
    return verdict.rejection.fault if verdict.rejection else None


def after(minute: int, *contents: bytes) -> Past:
    return Past(NOON_NS + minute * NS_PER_MINUTE, contents)


def test_the_first_candle_of_a_series_is_stored_and_reveals_no_gap() -> None:
    assert put(a_candle(), Past()) == Verdict(Outcome.STORED)


@given(st.integers(1, 500))
def test_missing_candles_are_a_gap_and_none_is_made_up(minutes: int) -> None:
    verdict = put(a_candle(minutes), after(0))
    expected = Gap(a_candle().series, NOON_NS + NS_PER_MINUTE, NOON_NS + minutes * NS_PER_MINUTE)
    assert verdict == Verdict(Outcome.STORED, gap=expected if minutes > 1 else None)


@given(st.integers(-500, 0), st.booleans())
def test_an_older_candle_needs_to_be_a_backfill(minutes: int, is_backfill: bool) -> None:
    verdict = put(a_candle(minutes), after(0), is_backfill=is_backfill)
    assert fault(verdict) is (None if is_backfill else Fault.OUT_OF_ORDER)
    assert verdict.gap is None


@given(st.lists(st.integers(1, 3), max_size=3), st.integers(0, 4), st.integers(1, 3))
def test_one_content_per_revision_and_revisions_follow_each_other(
    stored: list[int], revision: int, close: int
) -> None:
    past = after(0, *(str(content).encode() for content in stored)) if stored else Past()
    verdict = put(a_candle(close=Decimal(close), revision=revision), past)
    if revision < len(stored):
        is_equal = stored[revision] == close
        assert verdict.outcome is (Outcome.DUPLICATE if is_equal else Outcome.REJECTED)
        assert fault(verdict) is (None if is_equal else Fault.CONFLICT)
    elif revision > len(stored):
        assert fault(verdict) is Fault.REVISION_SKIPPED
    else:
        assert verdict.outcome is (Outcome.REVISED if stored else Outcome.STORED)


def test_a_forming_candle_reveals_no_gap_and_comes_after_the_last_confirmed_one() -> None:
    assert put(a_candle(5, is_confirmed=False), after(0)) == Verdict(Outcome.STORED)
    forming = a_candle(0, is_confirmed=False)
    for is_backfill in (False, True):
        assert fault(put(forming, after(0, b"1"), is_backfill=is_backfill)) is Fault.OUT_OF_ORDER


def test_a_gap_follows_the_calendar_of_the_instrument() -> None:
    friday = a_candle(timeframe=Timeframe.DAY_1, open_ns=1704465000 * 10**9)
    monday = a_candle(timeframe=Timeframe.DAY_1, open_ns=1704724200 * 10**9)
    tuesday = a_candle(timeframe=Timeframe.DAY_1, open_ns=1704810600 * 10**9)
    grid = grid_of("XNYS", Timeframe.DAY_1)
    past = Past(friday.open_ns)
    assert place(monday, b"", past, grid, is_backfill=False).gap is None
    gap = place(tuesday, b"", past, grid, is_backfill=False).gap
    assert gap == Gap(friday.series, monday.open_ns, tuesday.open_ns)
