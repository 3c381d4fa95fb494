"""How signals become quantities."""

from decimal import ROUND_DOWN, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.atto import ATTO
from services.orders.sizing import (
    Basis,
    Way,
    Wish,
    close_size,
    limit_on_tick,
    open_size,
    stop_on_tick,
    target_on_tick,
)

LONG, SHORT = 1, -1
CENT = ATTO // 100


def basis(**changes: int | None) -> Basis:
    given: dict[str, int | None] = {
        "equity_atto": 100_000 * ATTO,
        "position_atto": 0,
        "price_atto": 50 * ATTO,
        "entry_atto": 50 * ATTO,
        "stop_atto": 48 * ATTO,
        "lot_atto": ATTO,
        "cap_atto": 10_000 * ATTO,
    }
    return Basis(**(given | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("way", "amount", "sign", "units"),
    [
        pytest.param(Way.QUANTITY, "12.9", LONG, 12, id="quantity"),
        pytest.param(Way.QUANTITY, "12.9", SHORT, -12, id="quantity-short"),
        pytest.param(Way.NOTIONAL, "1049", LONG, 20, id="notional"),
        pytest.param(Way.RISK_SHARE, "0.01", LONG, 500, id="risk-share"),
        pytest.param(Way.TARGET_POSITION, "30", LONG, 30, id="target"),
        pytest.param(Way.TARGET_POSITION, "-30", SHORT, -30, id="target-short"),
    ],
)
def test_each_way_of_sizing_gives_its_quantity(
    way: Way, amount: str, sign: int, units: int
) -> None:
    wish = Wish(way, int(Decimal(amount) * ATTO))
    assert open_size(wish, sign=sign, basis=basis()) == units * ATTO


def test_a_target_position_trades_the_difference_also_through_zero() -> None:
    wish = Wish(Way.TARGET_POSITION, 10 * ATTO)
    held = basis(position_atto=-10 * ATTO)
    assert open_size(wish, sign=LONG, basis=held) == 20 * ATTO
    assert open_size(wish, sign=SHORT, basis=basis(position_atto=10 * ATTO)) == -20 * ATTO


def test_a_target_position_already_held_trades_nothing() -> None:
    wish = Wish(Way.TARGET_POSITION, 10 * ATTO)
    assert open_size(wish, sign=LONG, basis=basis(position_atto=10 * ATTO)) == 0


def test_a_size_is_cut_to_what_risk_lets_pass() -> None:
    wish = Wish(Way.QUANTITY, 100 * ATTO)
    assert open_size(wish, sign=LONG, basis=basis(cap_atto=7 * ATTO + 1)) == 7 * ATTO


def test_less_than_a_lot_or_than_the_minimum_is_nothing() -> None:
    wish = Wish(Way.QUANTITY, ATTO - 1)
    assert open_size(wish, sign=LONG, basis=basis()) == 0
    few = Wish(Way.QUANTITY, 4 * ATTO)
    assert open_size(few, sign=LONG, basis=basis(minimum_atto=5 * ATTO)) == 0


@pytest.mark.parametrize("stop_atto", [None, 50 * ATTO])
def test_a_risk_share_without_distance_to_the_stop_is_nothing(stop_atto: int | None) -> None:
    wish = Wish(Way.RISK_SHARE, CENT)
    assert open_size(wish, sign=LONG, basis=basis(stop_atto=stop_atto)) == 0


def test_an_unknown_price_sizes_no_notional() -> None:
    assert open_size(Wish(Way.NOTIONAL, ATTO), sign=LONG, basis=basis(price_atto=0)) == 0


def test_closing_trades_the_whole_position_against_it() -> None:
    assert close_size(30 * ATTO, ATTO) == -30 * ATTO
    assert close_size(-30 * ATTO, ATTO) == 30 * ATTO
    assert close_size(0, ATTO) == 0


def test_a_part_closes_so_much_and_at_most_all() -> None:
    assert close_size(30 * ATTO, ATTO, 15 * ATTO) == -15 * ATTO
    assert close_size(-30 * ATTO, ATTO, 15 * ATTO) == 15 * ATTO
    assert close_size(10 * ATTO, ATTO, 15 * ATTO) == -10 * ATTO


def test_prices_are_rounded_to_the_passive_and_the_safe_side() -> None:
    price = 10 * ATTO + CENT // 2
    up, down = 10 * ATTO + CENT, 10 * ATTO
    assert limit_on_tick(price, CENT, is_buy=True) == down
    assert limit_on_tick(price, CENT, is_buy=False) == up
    assert stop_on_tick(price, CENT, is_long=True) == up
    assert stop_on_tick(price, CENT, is_long=False) == down
    assert target_on_tick(price, CENT, is_long=True) == down
    assert target_on_tick(price, CENT, is_long=False) == up


positive = st.integers(1, 10**30)


@given(share=st.integers(1, ATTO), equity=positive, entry=positive, stop=positive, lot=positive)
def test_the_stop_never_costs_more_than_the_share_of_equity(
    share: int, equity: int, entry: int, stop: int, lot: int
) -> None:
    sizes = basis(
        equity_atto=equity, entry_atto=entry, stop_atto=stop, lot_atto=lot, cap_atto=10**60
    )
    size = open_size(Wish(Way.RISK_SHARE, share), sign=LONG, basis=sizes)
    assert size * abs(entry - stop) <= share * equity
    assert size % lot == 0


@given(amount=positive, price=positive, lot=positive)
def test_a_notional_is_never_exceeded_and_agrees_with_exact_decimals(
    amount: int, price: int, lot: int
) -> None:
    sizes = basis(price_atto=price, lot_atto=lot, cap_atto=10**90)
    size = open_size(Wish(Way.NOTIONAL, amount), sign=LONG, basis=sizes)
    assert size * price <= amount * ATTO
    assert (size + lot) * price + price > amount * ATTO


def test_the_oracle_of_one_size_is_decimal_division() -> None:
    units = (Decimal("1234.56") / Decimal("7.89")).to_integral_value(ROUND_DOWN)
    wish = Wish(Way.NOTIONAL, 1234_56 * CENT)
    assert open_size(wish, sign=LONG, basis=basis(price_atto=789 * CENT)) == int(units) * ATTO
