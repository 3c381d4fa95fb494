"""Exact numbers stay exact: the rules M1 to M5 of the pipeline's specification."""

from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.money import (
    OffGrid,
    divide_half_even,
    fee_minor,
    from_minor,
    from_steps,
    minor_exponent,
    parse_decimal,
    to_minor,
    to_steps,
    to_text,
)

# What the wire can carry: twenty digits before the point, eighteen after it (34 in all, here).
wire_decimals = st.decimals(
    min_value=-(10**16), max_value=10**16, allow_nan=False, allow_infinity=False, places=18
)
steps = st.integers(-(10**15), 10**15)
step_sizes = st.sampled_from(["0.01", "0.05", "0.25", "1", "0.000001", "5", "0.0005"]).map(Decimal)
amounts = st.integers(-(10**18), 10**18)
rates_bp = st.decimals(min_value=-100, max_value=100, places=4, allow_nan=False)


@given(wire_decimals)
def test_decimal_comes_back_from_its_text(value: Decimal) -> None:
    assert parse_decimal(to_text(value)) == value


@given(wire_decimals)
def test_text_is_the_shortest_form(value: Decimal) -> None:
    text = to_text(value)
    assert "E" not in text.upper()
    assert text != "-0"
    assert not ("." in text and text.endswith(("0", ".")))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("-0", "0"),
        ("1E+3", "1000"),
        ("1.500", "1.5"),
        ("100", "100"),
        ("-0.00", "0"),
        ("0.1", "0.1"),
    ],
)
def test_text_examples(value: str, text: str) -> None:
    assert to_text(Decimal(value)) == text


@given(steps, step_sizes)
def test_steps_come_back_from_their_value(count: int, step: Decimal) -> None:
    assert to_steps(from_steps(count, step), step) == count


@given(steps, step_sizes, st.fractions(Fraction(1, 1000), Fraction(999, 1000)))
def test_value_between_two_steps_is_refused(count: int, step: Decimal, part: Fraction) -> None:
    between = from_steps(count, step) + step * part.numerator / part.denominator
    with pytest.raises(OffGrid, match="is not a multiple of"):
        to_steps(between, step)


@given(amounts, st.sampled_from(["USD", "JPY", "BHD", "USDT"]))
def test_amount_comes_back_from_its_minor_units(units: int, currency: str) -> None:
    assert to_minor(from_minor(units, currency), currency) == units


@pytest.mark.parametrize(
    ("currency", "exponent"), [("USD", 2), ("JPY", 0), ("BHD", 3), ("USDT", 8), ("EUR", 2)]
)
def test_currency_has_its_decimals(currency: str, exponent: int) -> None:
    assert minor_exponent(currency) == exponent


@pytest.mark.parametrize(
    ("amount", "minor"), [("0.005", 0), ("0.015", 2), ("0.025", 2), ("-0.005", 0), ("1.239", 124)]
)
def test_amount_is_rounded_once_half_to_even(amount: str, minor: int) -> None:
    assert to_minor(Decimal(amount), "USD") == minor


@given(st.integers(), st.integers(1, 10**12))
def test_quotient_is_rounded_as_decimal_rounds(numerator: int, denominator: int) -> None:
    quotient = divide_half_even(numerator, denominator)
    twice_off = 2 * abs(Fraction(numerator, denominator) - quotient)
    assert twice_off < 1 or (twice_off == 1 and quotient % 2 == 0)


@given(st.integers(-(10**12), 10**12), st.integers(0, 6))
def test_quotient_by_a_power_of_ten_is_decimals_own(numerator: int, places: int) -> None:
    exact = Decimal(numerator).scaleb(-places).to_integral_value(ROUND_HALF_EVEN)
    assert divide_half_even(numerator, 10**places) == exact


@given(amounts, rates_bp, st.integers(0, 1000))
def test_fee_is_never_in_the_members_favour(notional: int, rate_bp: Decimal, minimum: int) -> None:
    """Above the exact fee, by less than one unit, unless the minimum lifts it."""
    fee = fee_minor(notional, rate_bp, minimum_minor=minimum)
    exact = Fraction(abs(notional)) * Fraction(rate_bp) / 10_000
    assert fee >= exact
    if rate_bp > 0:
        assert fee >= minimum
    if fee != minimum:
        assert fee - exact < 1


@pytest.mark.parametrize(
    ("notional", "rate_bp", "minimum", "fee"),
    [
        (100_000, "1", 0, 10),
        (100_001, "1", 0, 11),  # A charge goes up,
        (100_001, "-1", 0, -10),  # a rebate toward zero,
        (-100_001, "1", 0, 11),  # and a sale pays like a purchase.
        (100_000, "1", 50, 50),
        (100_000, "-1", 50, -10),
    ],
    ids=["exact", "up", "rebate", "sale", "minimum", "no-minimum-on-rebates"],
)
def test_fee_examples(notional: int, rate_bp: str, minimum: int, fee: int) -> None:
    assert fee_minor(notional, Decimal(rate_bp), minimum_minor=minimum) == fee
