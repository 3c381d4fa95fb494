"""Orders as risk sees them: asked for, and open with what they hold."""

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from runtime.atto import notional_minor
from services.risk.holds import hold_minor

BUY = 1
SELL = -1


class OrderType(IntEnum):
    """How an order is priced; the numbers are those of the contract."""

    OTHER = 0  # One that no venue of the first depth takes.
    MARKET = 1
    LIMIT = 2
    STOP = 3
    STOP_LIMIT = 4


class TimeInForce(IntEnum):
    """How long an order stays; the numbers are those of the contract."""

    OTHER = 0  # One that no venue of the first depth takes.
    DAY = 1
    GTC = 2
    IOC = 3
    FOK = 4
    GTD = 5


@dataclass(frozen=True, slots=True)
class Order:
    """An order somebody wants to send; prices and quantities in attos."""

    client_order_id: str
    account: str
    strategy_id: str
    instrument: str
    direction: int  # BUY or SELL; selling short is selling.
    type: OrderType
    quantity_atto: int
    limit_atto: int | None = None
    stop_atto: int | None = None
    protection_atto: int | None = None
    is_reduce_only: bool = False
    trader: str = ""  # The person or strategy that wants it.
    life: TimeInForce = TimeInForce.DAY
    expires_ns: int | None = None
    target_atto: int | None = None
    is_post_only: bool = False

    @property
    def fingerprint(self) -> tuple[str, int, int, int | None, int | None, str]:
        """Return what two orders share when one is an accidental repeat of the other."""
        return (
            self.instrument,
            self.direction,
            self.quantity_atto,
            self.limit_atto,
            self.stop_atto,
            self.strategy_id,
        )

    def price_atto(self, reference_atto: int | None) -> int | None:
        """Return the price the order would trade at as far as it is known beforehand."""
        stated = self.limit_atto if self.limit_atto is not None else self.stop_atto
        if stated is None or self.direction == BUY:
            return reference_atto if stated is None else stated
        # A sale may be dearer than asked: that is the worse case of a short.
        return max(stated, self.stop_atto or 0, reference_atto or 0)


class Open(NamedTuple):
    """An approved order that is not over, with its hold.

    `opening_atto` is the part of `leaves_atto` that opens or turns a position, zero for a
    reduce-only order. Values are at the order's price, the hold at its worst price.
    """

    client_order_id: str
    instrument: str
    strategy_id: str
    direction: int
    leaves_atto: int
    opening_atto: int
    price_atto: int
    worst_atto: int
    fee_bps: int
    opening_minor: int
    hold_minor: int
    is_reduce_only: bool = False
    is_in_doubt: bool = False
    replaced_leaves_atto: int | None = None  # While a replacement is under way: what it leaves.
    filled_atto: int = 0
    approved: int = 0  # Its place among all approvals: the oldest close first.
    since_ns: int = 0
    is_confirmed: bool = False  # Whether any order event followed the approval.

    def opening(self, quantity_atto: int, currency: str) -> "Open":
        """Return the order with `quantity_atto` of it opening, and the hold of that."""
        return self._replace(
            opening_atto=quantity_atto,
            opening_minor=notional_minor(self.price_atto, quantity_atto, currency),
            hold_minor=hold_minor(
                quantity_atto, self.worst_atto, fee_bps=self.fee_bps, currency=currency
            ),
        )
