"""What a sequence of fills leaves behind: quantity, cost, realised profit and fees.

Money is in minor units of one currency, quantities in attos, positive for long.
Source: specification of the pipeline, section 11 (P2 to P5).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from runtime.money import divide_half_even


@dataclass(frozen=True, slots=True)
class Fill:
    """One trade of one order, as the venue reported it."""

    exec_id: str  # Unique per venue; the venue's name is part of it.
    order_id: str
    account: str
    instrument: str
    currency: str
    quantity_atto: int  # Bought is positive, sold is negative.
    price_atto: int
    notional_minor: int  # Never negative: price times quantity, rounded once (M3).
    fee_minor: int  # A rebate is negative.


@dataclass(frozen=True, slots=True)
class Position:
    """One account's holding of one instrument, closed parts of its life included."""

    quantity_atto: int = 0
    cost_minor: int = 0  # What the open quantity was bought for; negative for a short.
    realised_minor: int = 0
    fees_minor: int = 0
    entries: tuple[str, ...] = ()  # The orders that opened what is open now, oldest first.

    @property
    def cash_minor(self) -> int:
        """Return the cash this position brought in: negative when it was paid for."""
        return self.realised_minor - self.fees_minor - self.cost_minor


FLAT = Position()


def book(position: Position, fill: Fill) -> Position:
    """Return `position` after `fill`; a fill through zero closes first, then opens (P3)."""
    held, traded = position.quantity_atto, fill.quantity_atto
    paid = replace(position, fees_minor=position.fees_minor + fill.fee_minor)
    if held == 0 or (held > 0) == (traded > 0):
        return _open(paid, traded, _signed(fill.notional_minor, traded), fill.order_id)
    if abs(traded) <= abs(held):
        return _close(paid, traded, fill.notional_minor)
    # One rounded notional for the whole fill: the opening part takes what the close left.
    close_minor = divide_half_even(fill.notional_minor * abs(held), abs(traded))
    flat = _close(paid, -held, close_minor)
    open_minor = _signed(fill.notional_minor - close_minor, traded)
    return _open(flat, traded + held, open_minor, fill.order_id)


def replay(fills: Iterable[Fill], start: Position = FLAT) -> Position:
    """Return the position that `fills` make in their order."""
    position = start
    for fill in fills:
        position = book(position, fill)
    return position


def _open(position: Position, traded_atto: int, cost_minor: int, order_id: str) -> Position:
    entries = position.entries
    return Position(
        position.quantity_atto + traded_atto,
        position.cost_minor + cost_minor,
        position.realised_minor,
        position.fees_minor,
        entries if order_id in entries else (*entries, order_id),
    )


def _close(position: Position, traded_atto: int, notional_minor: int) -> Position:
    held = position.quantity_atto
    left = held + traded_atto
    # All of the cost when nothing is left, so rounding never leaves a remainder behind.
    cost_out = divide_half_even(position.cost_minor * abs(traded_atto), abs(held))
    return Position(
        left,
        position.cost_minor - cost_out,
        position.realised_minor - _signed(notional_minor, traded_atto) - cost_out,
        position.fees_minor,
        position.entries if left else (),
    )


def _signed(amount: int, sign: int) -> int:
    return amount if sign > 0 else -amount
