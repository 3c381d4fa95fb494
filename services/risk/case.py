"""Everything the checks look at about one order: asked once, derived once."""

from typing import NamedTuple

from runtime.atto import attos_squared
from runtime.money import divide_half_even
from services.risk.account import Account
from services.risk.holds import hold_minor, market_price_atto
from services.risk.orders import Open, Order, OrderType
from services.risk.reasons import Mode
from services.risk.rules import Instrument, Limits, Reference
from services.risk.venues import EVERYTHING, Capabilities

MARKET = OrderType.MARKET


class Blocks(NamedTuple):
    """Of each breaker that the checks read: 0 clear, 1 stands, -1 a person overruled it."""

    drawdown: int = 0
    day_loss: int = 0
    streak: int = 0
    repeated: int = 0


UNBLOCKED = Blocks()


class Conditions(NamedTuple):
    """What holds for an instrument and an account at one instant."""

    instrument: Instrument | None
    limits: Limits
    mode: Mode
    reference: Reference | None
    now_ns: int
    is_stale: bool = False  # Whether the reference is too old.
    is_open: bool | None = True  # Whether the market is; None: not known.
    opens_soon: bool = True  # Whether it is, or will be within a week.
    is_restricted: bool = False
    blocks: Blocks = UNBLOCKED
    capabilities: Capabilities = EVERYTHING
    decided_by: int | None = None  # The version of limits that the caller decided by.
    is_again: bool = False  # Whether an order that was approved is decided anew, unchanged.


class Priced(NamedTuple):
    """What an order means in money, in minor units of the instrument's currency."""

    price_atto: int  # The order's own price, or the reference.
    worst_atto: int  # The price its hold is computed with.
    size_atto: int  # The price positions count at: the reference, or the order's if dearer.
    notional_minor: int
    opening_minor: int
    hold_minor: int
    resulting_minor: int  # Position and orders in the instrument if all on this side fill.
    elsewhere_minor: int  # Positions and opening orders in other instruments.
    total_opening_minor: int  # All opening orders, this one included.


class Case:
    """One order against one account: the order, the state, and what follows from both.

    What cannot be known is None: the check that needs it fails (K1). The order's own earlier
    approval, if there is one, counts nowhere: this decision replaces it.
    """

    __slots__ = (
        "account",
        "base_atto",  # The position in the order's direction if the others on its side fill.
        "conditions",
        "currency",
        "entries",  # Open entries on the order's side, this one included.
        "equity_minor",
        "free_minor",
        "instrument",
        "is_in_doubt",  # Whether another order of the account and instrument is.
        "is_reducing",
        "limits",
        "mode",
        "now_ns",
        "open_orders",  # This one included.
        "opening_atto",  # The part of the order that opens or turns a position.
        "openings",  # Fills of its strategy that opened its way within a minute.
        "opposite_atto",  # How much of a position the order's direction could close.
        "order",
        "priced",
        "prior",
        "reducible_atto",  # The part of `opposite_atto` that no other open order closes.
        "reference_atto",
        "reference_ns",
    )

    def __init__(self, order: Order, account: Account, conditions: Conditions) -> None:
        self.order, self.account = order, account
        self.conditions = conditions
        self.instrument, self.limits, self.mode = conditions[:3]
        reference, self.now_ns = conditions.reference, conditions.now_ns
        self.currency = self.instrument.currency if self.instrument else account.currency
        self.prior: Open | None = account.open.get(order.client_order_id)
        self.open_orders = len(account.open) + (self.prior is None)
        self.reference_atto = reference.price_atto if reference else None
        self.reference_ns = reference.time_ns if reference else None
        strategy_id = order.strategy_id
        self.openings = 0
        if strategy_id and account.openings_ns:
            self.openings = account.openings(
                strategy_id, order.instrument, order.direction, self.now_ns
            )
        self.equity_minor, free, gross_minor = account.worth_minor
        if free is not None and self.prior is not None:
            free += self.prior.hold_minor
        self.free_minor = free
        elsewhere_minor = gross_minor - self._split()
        price = order.price_atto(self.reference_atto)
        self.priced = self._in_money(price, elsewhere_minor) if price else None

    def _split(self) -> int:
        """Tell what the order closes from what it opens, given what is open already (K4).

        Return what the instrument weighs already: its position, and what the others would open.
        """
        order, prior = self.order, self.prior
        holding = self.account.holding(order.instrument)
        held = holding.quantity_atto * order.direction
        plain = closing = reduce_only = opening_minor = 0
        self.is_in_doubt = False
        entries = holding.entries if held > 0 else ()
        for other in self.account.on_instrument.get(order.instrument, {}).values():
            if other is prior:
                continue
            opening_minor += other.opening_minor
            self.is_in_doubt |= other.is_in_doubt
            if other.direction != order.direction:
                continue
            if other.is_reduce_only:
                reduce_only += other.leaves_atto
                continue
            plain += other.leaves_atto
            closing += other.leaves_atto - other.opening_atto
            if other.opening_atto and other.client_order_id not in entries:
                entries = (*entries, other.client_order_id)
        self.opposite_atto = max(0, -held)
        reduce_only = min(reduce_only, self.opposite_atto)
        self.reducible_atto = max(0, self.opposite_atto - reduce_only - closing)
        opening = 0 if order.is_reduce_only else order.quantity_atto - self.reducible_atto
        self.opening_atto = max(0, opening)
        self.is_reducing = not self.opening_atto
        self.entries = len(entries) + (order.client_order_id not in entries)
        self.base_atto = held + reduce_only + plain
        return opening_minor + abs(self.account.values.get(order.instrument, 0))

    def _in_money(self, price_atto: int, elsewhere_minor: int) -> Priced | None:
        order, account, prior, currency = self.order, self.account, self.prior, self.currency
        if not self.reference_atto:
            return None
        limits, worst, quantity = self.limits, price_atto, order.quantity_atto
        if order.type is MARKET:
            worst = market_price_atto(price_atto, limits.market_order_margin_bps)
        unit, opening = attos_squared(currency), self.opening_atto
        notional_minor = divide_half_even(price_atto * quantity, unit)
        opening_minor = notional_minor
        if opening != quantity:
            opening_minor = divide_half_even(price_atto * opening, unit)
        others_minor = account.opening_minor - (prior.opening_minor if prior else 0)
        size = max(price_atto, self.reference_atto)
        return tuple.__new__(
            Priced,
            (
                price_atto,
                worst,
                size,
                notional_minor,
                opening_minor,
                hold_minor(opening, worst, fee_bps=limits.fee_bps_max, currency=currency),
                divide_half_even(size * abs(self.base_atto + quantity), unit),
                elsewhere_minor + others_minor,
                others_minor + opening_minor,
            ),
        )
