"""Exact numbers: decimals on the wire, integers in the domain, one rounding rule each.

Prices are counted in ticks, quantities in lots, money in minor units of its currency.
Source: specification of the pipeline, section 3.2 (M1 to M5).
"""

from decimal import (
    ROUND_CEILING,
    ROUND_HALF_EVEN,
    Context,
    Decimal,
    DivisionByZero,
    InvalidOperation,
    Overflow,
)

CONTEXT = Context(
    prec=34, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation, DivisionByZero, Overflow]
)
CRYPTO_EXPONENT = 8
ISO_EXPONENTS = {"JPY": 0, "KRW": 0, "CLP": 0, "VND": 0, "BHD": 3, "KWD": 3, "OMR": 3, "TND": 3}
ISO_CODE_LENGTH = 3


class OffGrid(ValueError):
    """A price is not a whole number of ticks, or a quantity not of lots."""


def parse_decimal(text: str) -> Decimal:
    """Return the exact value of a `google.type.Decimal` string."""
    return CONTEXT.create_decimal(text)


def to_text(value: Decimal) -> str:
    """Return the shortest form of `value`: no exponent, no trailing zeros, no `-0`."""
    text = f"{value:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


def to_steps(value: Decimal, step: Decimal) -> int:
    """Return how many `step`s (ticks or lots) make `value`.

    Raises OffGrid when the number is not whole: the boundary refuses, it never rounds (M2).
    """
    steps = CONTEXT.divide(value, step)
    whole = int(steps)
    if CONTEXT.multiply(Decimal(whole), step) != value:
        raise OffGrid(f"{to_text(value)} is not a multiple of {to_text(step)}")
    return whole


def from_steps(steps: int, step: Decimal) -> Decimal:
    """Return the value of a whole number of ticks or lots."""
    return CONTEXT.multiply(Decimal(steps), step)


def minor_exponent(currency: str) -> int:
    """Return how many decimals `currency` has: ISO 4217, and 8 for crypto codes."""
    if len(currency) != ISO_CODE_LENGTH:
        return CRYPTO_EXPONENT
    return ISO_EXPONENTS.get(currency, 2)


def to_minor(amount: Decimal, currency: str) -> int:
    """Return `amount` in minor units of `currency`, rounded once, half to even (M3)."""
    return int(CONTEXT.scaleb(amount, minor_exponent(currency)).to_integral_value(ROUND_HALF_EVEN))


def from_minor(units: int, currency: str) -> Decimal:
    """Return the decimal amount of a number of minor units."""
    return CONTEXT.scaleb(Decimal(units), -minor_exponent(currency))


def divide_half_even(numerator: int, denominator: int) -> int:
    """Return the quotient of two integers rounded half to even; the denominator is positive."""
    quotient, remainder = divmod(numerator, denominator)
    twice = 2 * remainder
    if twice > denominator or (twice == denominator and quotient % 2):
        return quotient + 1
    return quotient


def fee_minor(notional_minor: int, rate_bp: Decimal, *, minimum_minor: int = 0) -> int:
    """Return the fee of one fill in minor units, always in the venue's favour (M4).

    A charge is rounded up, a rebate (negative rate) toward zero, the minimum applied after.
    """
    exact = CONTEXT.divide(CONTEXT.multiply(Decimal(abs(notional_minor)), rate_bp), Decimal(10_000))
    rounded = int(exact.to_integral_value(ROUND_CEILING))  # Rebates go up too: toward zero.
    return max(rounded, minimum_minor) if rate_bp > 0 else rounded
