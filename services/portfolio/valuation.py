"""What positions are worth: market value, unrealised profit and equity from marks.

Source: specification of the pipeline, section 11 (P6).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from runtime.atto import notional_minor
from services.portfolio.positions import Position


@dataclass(frozen=True, slots=True)
class Mark:
    """The last known price of an instrument, and how long it may be believed."""

    price_atto: int
    time_ns: int
    stale_after_ns: int

    def is_stale(self, now_ns: int) -> bool:
        """Return whether the price is older than market data may be (D5)."""
        return now_ns - self.time_ns > self.stale_after_ns


@dataclass(frozen=True, slots=True)
class Value:
    """A position in money; without any mark it is worth its cost and says so."""

    market_value_minor: int
    unrealised_minor: int
    is_stale: bool


@dataclass(frozen=True, slots=True)
class Totals:
    """One account in one currency, in minor units."""

    cash: int
    transfers: int  # Paid in less paid out.
    market_value: int
    realised: int
    fees: int
    unrealised: int
    gross: int
    is_stale: bool  # At least one open position is valued at an old price or at its cost.

    @property
    def equity(self) -> int:
        """Return cash plus market value."""
        return self.cash + self.market_value


def value_of(position: Position, mark: Mark | None, *, currency: str, now_ns: int) -> Value:
    """Return what `position` is worth at `mark`: a stale price is kept, never made zero."""
    if not position.quantity_atto:
        return Value(0, -position.cost_minor, is_stale=False)
    if mark is None:
        return Value(position.cost_minor, 0, is_stale=True)
    worth = notional_minor(mark.price_atto, position.quantity_atto, currency)
    return Value(worth, worth - position.cost_minor, mark.is_stale(now_ns))


def totals(
    *,
    transfers_minor: int,
    positions: Mapping[str, Position],
    marks: Mapping[str, Mark],
    currency: str,
    now_ns: int,
) -> Totals:
    """Return an account's money: all `positions` are in `currency`."""
    cash, market_value, realised, fees, unrealised, gross = transfers_minor, 0, 0, 0, 0, 0
    is_stale = False
    for instrument, position in positions.items():
        value = value_of(position, marks.get(instrument), currency=currency, now_ns=now_ns)
        cash += position.cash_minor
        market_value += value.market_value_minor
        realised += position.realised_minor
        fees += position.fees_minor
        unrealised += value.unrealised_minor
        gross += abs(value.market_value_minor)
        is_stale |= value.is_stale
    return Totals(cash, transfers_minor, market_value, realised, fees, unrealised, gross, is_stale)
