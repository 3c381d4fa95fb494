"""A strategy's closed trades: how many in a row ended in loss (K7), and how often it opens."""

from dataclasses import dataclass
from typing import NamedTuple

from runtime.money import divide_half_even
from services.risk.holdings import Fill

MINUTE_NS = 60 * 10**9


class Trade(NamedTuple):
    """What a strategy has open in one instrument, and what it has brought in since it was flat."""

    quantity_atto: int = 0
    flow_minor: int = 0


FLAT = Trade()


def follow(trade: Trade, fill: Fill) -> tuple[Trade, int | None]:
    """Return the trade after `fill`, and the result of the one that it closed, if it did.

    A result is net of fees. A fill through zero closes one trade and opens the next: notional
    and fee are shared by quantity.
    """
    held, traded = trade.quantity_atto, fill.quantity_atto
    flow = (-fill.notional_minor if traded > 0 else fill.notional_minor) - fill.fee_minor
    after = held + traded
    if not after:
        return FLAT, trade.flow_minor + flow
    if not held or (held > 0) == (after > 0):
        return Trade(after, trade.flow_minor + flow), None
    closing = divide_half_even(flow * abs(held), abs(traded))
    return Trade(after, flow - closing), trade.flow_minor + closing


@dataclass(slots=True)
class Streak:
    """Losing closed trades in a row; a trade that loses nothing ends them."""

    losses: int = 0
    after: int = 0  # Fills up to this number do not count: the streak was reset behind it.

    def close(self, result_minor: int, number: int) -> None:
        """Count a closed trade; `number` is that of the fill that closed it."""
        if number > self.after:
            self.losses = self.losses + 1 if result_minor < 0 else 0

    def reset(self, number: int) -> None:
        """Begin anew behind fill `number`."""
        self.losses, self.after = 0, number
