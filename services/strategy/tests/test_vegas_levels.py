"""Where trades of the tunnel stop, take profit and would rather have been opened."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.atto import ATTO
from services.strategy.terms import Direction, Target
from services.strategy.tests.mothers import TICK, atto
from services.strategy.tests.vegas_mothers import bar_of, setting, view
from services.strategy.vegas import levels
from services.strategy.vegas.view import View

LONG, SHORT = Direction.LONG, Direction.SHORT
SIDES = st.sampled_from([LONG, SHORT])


def ema4_at(price: float) -> tuple[float, ...]:
    return (100.0, 100.0, 100.0, price, 100.0, 100.0, 100.0)


def stop(seen: View, prices: str, side: Direction, *, is_tight: bool = True) -> tuple[float, str]:
    level, source = levels.stop_of(seen, bar_of(prices), setting(), side, is_tight_on=is_tight)
    return level / ATTO, source


def test_the_stop_lies_one_and_a_half_true_ranges_from_entry_rounded_toward_it() -> None:
    seen = view(atr=2.005, emas=ema4_at(50))
    assert stop(seen, "100 101 99 100", LONG) == (97.0, "ATR")
    assert stop(seen, "100 101 99 100", SHORT) == (103.0, "ATR")


@pytest.mark.parametrize(
    ("close", "side", "expected"),
    [
        ("100.25", LONG, (99.80, "TIGHT")),
        ("100.26", LONG, (97.26, "ATR")),
        ("100", LONG, (97.0, "ATR")),
        ("99.75", SHORT, (100.20, "TIGHT")),
        ("99.74", SHORT, (102.74, "ATR")),
        ("100", SHORT, (103.0, "ATR")),
    ],
)
def test_a_close_just_beyond_the_long_average_stops_just_behind_it(
    close: str, side: Direction, expected: tuple[float, str]
) -> None:
    prices = f"100 101 99 {close}"
    seen = view(prices, emas=ema4_at(100))
    assert stop(seen, prices, side) == expected
    assert stop(seen, prices, side, is_tight=False)[1] == "ATR"


def test_the_tight_stop_counts_only_if_it_is_nearer() -> None:
    assert stop(view("100 101 99 100.2", emas=ema4_at(100), atr=0.2), "100 101 99 100.2", LONG) == (
        99.90,
        "ATR",
    )


@given(st.integers(1_000, 1_000_000), st.floats(0.99, 1.01), st.floats(0, 50), SIDES)
def test_a_stop_is_on_tick_and_at_least_a_tick_behind_the_close(
    cents: int, ratio: float, atr: float, side: Direction
) -> None:
    prices = " ".join([f"{cents / 100}"] * 4)
    seen = view(prices, emas=ema4_at(cents / 100 * ratio), atr=atr)
    level, _ = levels.stop_of(seen, bar_of(prices), setting(), side, is_tight_on=True)
    assert level % TICK == 0
    assert side * (bar_of(prices).close_atto - level) >= TICK or level == TICK


def test_the_signal_bar_stop_is_its_extreme_or_the_open_of_an_engulfing_bar() -> None:
    prices = "99 102 98 101"
    plain, engulfs = view(prices), view(prices, bull=1)
    assert levels.signal_bar_of(plain, bar_of(prices), LONG) == atto(98)
    assert levels.signal_bar_of(plain, bar_of(prices), SHORT) == atto(102)
    assert levels.signal_bar_of(engulfs, bar_of(prices), LONG) == atto(99)
    assert levels.signal_bar_of(engulfs, bar_of(prices), SHORT) == atto(102)


def test_a_signal_bar_that_closes_at_its_extreme_gives_no_stop() -> None:
    assert levels.signal_bar_of(view("99 101 98 98"), bar_of("99 101 98 98"), LONG) is None
    assert levels.signal_bar_of(view("99 101 98 98"), bar_of("99 101 98 98"), SHORT) == atto(101)


@pytest.mark.parametrize(
    ("width", "prices", "side", "price"),
    [
        (0.03, "100 101 99 100", LONG, 101.20),
        (0.03, "100 101 99 100", SHORT, 98.80),
        (0.0301, "100 101 99 100", LONG, None),
        (0.01, "100 100.01 99.99 100", LONG, 100.06),
        (0.01, "100 100.01 99.99 100", SHORT, 99.94),
        (0.03, "100 100.99 99 100", LONG, 101.19),
        (0.03, "100 100.99 99 100", SHORT, 98.81),
    ],
    ids=["long", "short", "wide market", "small bar", "small, short", "down", "up"],
)
def test_a_narrow_market_sets_a_target_of_the_bars_range(
    width: float, prices: str, side: Direction, price: float | None
) -> None:
    found = levels.targets_of(view(prices, width=width), bar_of(prices), setting(), side)
    assert found == (() if price is None else (Target(atto(price), "RANGE"),))


@pytest.mark.parametrize(
    ("prices", "side", "price"),
    [
        ("100 101.5 100 101.4", LONG, 100.92),
        ("100 101.5 100 100.1", LONG, None),
        ("100 101.2 100 101.1", LONG, None),
        ("100 100 98.5 98.6", SHORT, 99.08),
        ("100 100 98.5 99.9", SHORT, None),
    ],
    ids=["long", "worse than the close", "bar too small", "short", "short, worse"],
)
def test_a_wide_bar_has_a_better_entry_at_its_retracement(
    prices: str, side: Direction, price: float | None
) -> None:
    found = levels.best_entry_of(bar_of(prices), setting(), side)
    assert found == (None if price is None else atto(price))
