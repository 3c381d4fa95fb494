"""What an approved order may cost at worst: the money that is held for it (K2)."""

from runtime.atto import attos_squared

BPS = 10_000


def market_price_atto(price_atto: int, margin_bps: int) -> int:
    """Return the price a market order may fill at: worse than the one seen, by the margin."""
    return -(-price_atto * (BPS + margin_bps) // BPS)


def hold_minor(quantity_atto: int, price_atto: int, *, fee_bps: int, currency: str) -> int:
    """Return notional plus fees at `price_atto`, each rounded up, in minor units."""
    if not quantity_atto:
        return 0
    notional = -(-quantity_atto * price_atto // attos_squared(currency))
    return notional - (-notional * fee_bps // BPS)


def largest_quantity_atto(
    free_minor: int, price_atto: int, *, lot_atto: int, fee_bps: int, currency: str
) -> int:
    """Return the most whole lots whose hold is within `free_minor`; never negative."""
    if free_minor <= 0:
        return 0
    worth = free_minor * attos_squared(currency) * BPS
    lots = worth // (price_atto * lot_atto * (BPS + fee_bps))
    while lots > 0 and _held(lots * lot_atto, price_atto, fee_bps, currency) > free_minor:
        lots -= 1  # At most a few: only rounding up lies between.
    return lots * lot_atto


def _held(quantity_atto: int, price_atto: int, fee_bps: int, currency: str) -> int:
    return hold_minor(quantity_atto, price_atto, fee_bps=fee_bps, currency=currency)
