"""Exact decimals as integers: every number the wire can carry is a whole number of attos.

An atto is 10^-18, the finest step of a `google.type.Decimal` here. Risk and ledger count in
attos, because they must judge a price that is off the tick and book an instrument that
nobody described. Source: specification of the pipeline, sections 1 and 3.2 (M1, M3).
"""

from functools import cache, lru_cache

from runtime.money import divide_half_even, minor_exponent

ATTO_DIGITS = 18
ATTO = 10**ATTO_DIGITS
OFTEN = 8_192  # Numbers come again: prices stand, quantities are round, most fees are equal.


@lru_cache(OFTEN)
def to_atto(text: str) -> int:
    """Return the exact value of a `google.type.Decimal` string in attos."""
    whole, _, fraction = text.partition(".")
    return int(whole + fraction.ljust(ATTO_DIGITS, "0"))


@lru_cache(OFTEN)
def from_atto(value_atto: int) -> str:
    """Return the shortest decimal text of `value_atto`: no trailing zeros, no `-0`."""
    whole, fraction = divmod(abs(value_atto), ATTO)
    sign = "-" if value_atto < 0 else ""
    if not fraction:
        return f"{sign}{whole}"
    return f"{sign}{whole}.{fraction:018d}".rstrip("0")


def notional_minor(price_atto: int, quantity_atto: int, currency: str) -> int:
    """Return price times quantity in minor units of `currency`, rounded once, half to even (M3).

    The sign is that of the quantity; rounding is the same on both sides of zero.
    """
    return divide_half_even(price_atto * quantity_atto, attos_squared(currency))


@cache
def attos_squared(currency: str) -> int:
    """Return how many square attos (price times quantity) make one minor unit."""
    return int(10 ** (2 * ATTO_DIGITS - minor_exponent(currency)))


@lru_cache(OFTEN)
def minor_to_text(units: int, currency: str) -> str:
    """Return an amount of minor units as the shortest decimal text."""
    return from_atto(units * 10 ** (ATTO_DIGITS - minor_exponent(currency)))


def minor_from_text(text: str, currency: str) -> int:
    """Return a decimal amount in minor units of `currency`, rounded half to even."""
    return minor_from_atto(to_atto(text), currency)


def minor_from_atto(amount_atto: int, currency: str) -> int:
    """Return an amount of attos in minor units of `currency`, rounded half to even."""
    return divide_half_even(amount_atto, attos_squared(currency) // ATTO)
