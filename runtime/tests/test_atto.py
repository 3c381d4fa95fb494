from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.atto import from_atto, minor_from_text, minor_to_text, notional_minor, to_atto
from runtime.money import parse_decimal, to_minor, to_text

TEXTS = st.decimals(
    min_value=-(10**19), max_value=10**19, allow_nan=False, allow_infinity=False, places=18
).map(lambda value: f"{value:f}")


@given(TEXTS)
def test_every_wire_decimal_survives_the_way_through_attos(text: str) -> None:
    assert Decimal(from_atto(to_atto(text))) == Decimal(text)


@pytest.mark.parametrize(
    ("text", "shortest"),
    [("1.50", "1.5"), ("-0.25", "-0.25"), ("0.000", "0"), ("-3", "-3"), ("100", "100")],
)
def test_the_text_is_the_shortest(text: str, shortest: str) -> None:
    assert from_atto(to_atto(text)) == shortest == to_text(parse_decimal(text))


@given(
    st.integers(1, 10**8),
    st.integers(-(10**8), 10**8),
    st.sampled_from(["USD", "JPY", "BTCX", "KWD"]),
)
def test_a_notional_is_rounded_as_money_is(cents: int, lots: int, currency: str) -> None:
    price, quantity = Decimal(cents) / 1000, Decimal(lots) / 10
    ours = notional_minor(to_atto(f"{price:f}"), to_atto(f"{quantity:f}"), currency)
    assert ours == to_minor(price * quantity, currency)


def test_half_a_cent_goes_to_the_even_cent_on_both_sides() -> None:
    price = to_atto("0.5")
    for hundredths, cents in [("0.01", 0), ("0.03", 2), ("-0.01", 0), ("-0.03", -2)]:
        assert notional_minor(price, to_atto(hundredths), "USD") == cents


@given(st.integers(-(10**15), 10**15), st.sampled_from(["USD", "JPY", "BTCX"]))
def test_minor_units_survive_the_way_through_text(units: int, currency: str) -> None:
    assert minor_from_text(minor_to_text(units, currency), currency) == units
