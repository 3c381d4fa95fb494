"""When a candle is valid (rule D2)."""

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from services.marketdata.candles import (
    CLOCK_TOLERANCE_NS,
    Adjustment,
    Candle,
    CandleKind,
    Fault,
    Source,
    rejection_of,
)
from services.marketdata.grid import grid_of
from services.marketdata.instruments import CATALOGUE
from services.marketdata.tests.mothers import SQUARE, a_candle, close_only

PRICES = st.integers(-1, 6).map(Decimal)  # So few that equal ones and 0 come up often.
FOREVER_NS = 2**62


def fault_of(candle: Candle, now_ns: int = FOREVER_NS) -> Fault | None:
    grid = grid_of("24/7", candle.timeframe)
    rejection = rejection_of(candle, CATALOGUE[SQUARE], grid, now_ns)
    return rejection.fault if rejection else None


@settings(max_examples=400)
@given(PRICES, PRICES, PRICES, PRICES)
def test_a_range_encloses_open_and_close_and_every_price_is_positive(
    opened: Decimal, high: Decimal, low: Decimal, close: Decimal
) -> None:
    fault = fault_of(a_candle(open=opened, high=high, low=low, close=close))
    if min(opened, high, low, close) <= 0:
        assert fault is Fault.PRICE_NOT_POSITIVE
    elif low <= min(opened, close) <= max(opened, close) <= high:
        assert fault is None
    else:
        assert fault is Fault.OHLC_INCONSISTENT


@given(
    st.sampled_from(list(CandleKind)),
    st.tuples(st.booleans(), st.booleans(), st.booleans(), st.booleans()),
)
def test_a_candle_carries_exactly_what_its_kind_knows(
    kind: CandleKind, has: tuple[bool, bool, bool, bool]
) -> None:
    opened, high, low, volume = (Decimal(100) if known else None for known in has)
    candle = a_candle(kind=kind, open=opened, high=high, low=low, volume=volume, close=Decimal(100))
    expected = {
        CandleKind.OHLCV: (True, True, True, True),
        CandleKind.OHLC: (True, True, True, False),
        CandleKind.CLOSE_ONLY: (False, False, False, False),
    }[kind]
    assert fault_of(candle) is (None if has == expected else Fault.KIND_INCONSISTENT)


@given(st.integers(1, 10**9), st.integers(0, 6))
def test_a_raw_price_lies_on_the_tick_and_an_adjusted_one_need_not(units: int, digits: int) -> None:
    price = Decimal(units).scaleb(-digits)
    is_on_tick = price == price.quantize(Decimal("0.01"))
    raw = close_only(close=price, source=Source("d", "p", Adjustment.RAW))
    adjusted = close_only(close=price, source=Source("d", "p", Adjustment.TOTAL_RETURN))
    assert fault_of(raw) is (None if is_on_tick else Fault.PRICE_OFF_TICK)
    assert fault_of(adjusted) is None


@given(st.integers(-10, 10), st.booleans())
def test_a_confirmed_candle_may_end_one_second_after_now_and_not_later(
    early_ms: int, is_confirmed: bool
) -> None:
    candle = a_candle(is_confirmed=is_confirmed)
    latest_ns = candle.close_ns if is_confirmed else candle.open_ns
    now_ns = latest_ns - CLOCK_TOLERANCE_NS + early_ms * 1_000_000
    assert fault_of(candle, now_ns) is (Fault.IN_FUTURE if early_ms < 0 else None)


def test_times_must_be_those_of_the_grid() -> None:
    assert fault_of(a_candle(open_ns=a_candle().open_ns + 1)) is Fault.OFF_GRID
    assert fault_of(a_candle(close_ns=a_candle().close_ns + 1)) is Fault.CLOSE_TIME_WRONG


def test_the_longest_decimals_are_judged_exactly() -> None:
    on_tick, beside = "99999999999999999999.99", "99999999999999999999.990000000000000001"
    assert fault_of(close_only(close=Decimal(on_tick))) is None
    assert fault_of(close_only(close=Decimal(beside))) is Fault.PRICE_OFF_TICK


def test_a_negative_volume_is_a_fault_and_none_at_all_is_not() -> None:
    assert fault_of(a_candle(volume=Decimal(-1))) is Fault.VOLUME_NEGATIVE
    assert fault_of(a_candle(volume=Decimal(0))) is None
