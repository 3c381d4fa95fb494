"""One account as risk knows it: cash, positions, open orders and what they hold."""

from collections import OrderedDict, deque
from dataclasses import dataclass, field

from runtime.atto import notional_minor
from services.risk.holdings import NOTHING, Holding
from services.risk.orders import BUY, SELL, Open
from services.risk.sessions import ALWAYS_OPEN
from services.risk.streaks import Streak, Trade

MINUTE_NS = 60_000_000_000
OVER_KEPT_NS = 10 * MINUTE_NS  # No call about an order that is over comes later than that.
BPS = 10_000
Fingerprint = tuple[str, int, int, int | None, int | None, str]


@dataclass(slots=True)
class Account:
    """The state that checks read and that approvals, fills and prices change.

    Totals are kept beside the parts they sum, so that a check costs the same with one open
    order as with hundreds. Money is in minor units of `currency`.
    """

    name: str
    currency: str = ""  # Empty until the ledger says it.
    transfers_minor: int | None = None  # Paid in less paid out; None until the ledger says it.
    flow_minor: int = 0  # Cash of all trades.
    holdings: dict[str, Holding] = field(default_factory=dict)
    values: dict[str, int] = field(default_factory=dict)  # Market values of open positions.
    net_minor: int = 0  # Of all values; in `gross_minor` shorts count like longs.
    gross_minor: int = 0
    unmarked: dict[str, None] = field(default_factory=dict)  # Open positions without a price.
    open: dict[str, Open] = field(default_factory=dict)
    on_instrument: dict[str, dict[str, Open]] = field(default_factory=dict)
    # Of each instrument and direction: what may open or close, and what of it closes, in attos.
    sides: dict[tuple[str, int], tuple[int, int]] = field(default_factory=dict)
    held_minor: int = 0
    opening_minor: int = 0
    ordered_at_ns: deque[int] = field(default_factory=deque)
    strategy_ordered_at_ns: dict[str, deque[int]] = field(default_factory=dict)
    recent: OrderedDict[Fingerprint, tuple[int, str]] = field(default_factory=OrderedDict)
    high_water_minor: int | None = None
    day: int = 0  # The day of trading, as days since 1970.
    day_equity_minor: int | None = None  # What the account was worth when the day began.
    calendar: str = ""  # Of all that it traded, "24/7" when that differs.
    trades: dict[tuple[str, str], Trade] = field(default_factory=dict)  # By strategy, instrument.
    streaks: dict[str, Streak] = field(default_factory=dict)  # By strategy.
    # When a strategy's fills opened in an instrument and direction.
    openings_ns: dict[tuple[str, str, int], deque[int]] = field(default_factory=dict)
    over: OrderedDict[str, int] = field(default_factory=OrderedDict)  # And since when.

    @property
    def worth_minor(self) -> tuple[int | None, int | None, int]:
        """Return equity, free cash and gross exposure; None for what is not known (K6).

        Equity is the ledger's cash plus market value, open losses included. Free is what a new
        order may hold: cash less holds, less what open shorts bind, which is their proceeds
        and 100 % of their value again. In gross, shorts count like longs.
        """
        net, gross = self.net_minor, self.gross_minor
        if self.transfers_minor is None or self.unmarked:
            return None, None, gross
        cash = self.transfers_minor + self.flow_minor
        # What is short is (net - gross) / 2, below zero.
        return cash + net, cash - self.held_minor + net - gross, gross

    @property
    def equity_minor(self) -> int | None:
        """Return cash plus market value, open losses included; None while not known (K6)."""
        return self.worth_minor[0]

    @property
    def free_minor(self) -> int | None:
        """Return what a new order may hold; None while not known."""
        return self.worth_minor[1]

    def holding(self, instrument: str) -> Holding:
        """Return the position in `instrument`; flat when it never traded."""
        return self.holdings.get(instrument, NOTHING)

    def set_holding(self, instrument: str, holding: Holding, price_atto: int | None) -> None:
        """Replace the position in `instrument` and value it at `price_atto`."""
        self.flow_minor += holding.flow_minor - self.holding(instrument).flow_minor
        self.holdings[instrument] = holding
        self.mark(instrument, price_atto)

    def mark(self, instrument: str, price_atto: int | None) -> None:
        """Value the position in `instrument` at `price_atto`, None when nothing is known."""
        quantity = self.holding(instrument).quantity_atto
        before = self.values.pop(instrument, 0)
        self.net_minor -= before
        self.gross_minor -= abs(before)
        self.unmarked.pop(instrument, None)
        if quantity and price_atto:
            value = notional_minor(price_atto, quantity, self.currency)
            self.values[instrument] = value
            self.net_minor += value
            self.gross_minor += abs(value)
        elif quantity:
            self.unmarked[instrument] = None

    def put(self, order: Open) -> None:
        """Add an open order, or replace the one of the same id and its hold."""
        if order.client_order_id in self.open:
            self._exchange(order)
            return
        self.open[order.client_order_id] = order
        self.on_instrument.setdefault(order.instrument, {})[order.client_order_id] = order
        self._add(order, 1)

    def remove(self, client_order_id: str) -> Open | None:
        """Take an open order and its hold away; return it, or None when it was not open."""
        order = self.open.pop(client_order_id, None)
        if order is not None:
            del self.on_instrument[order.instrument][client_order_id]
            self._add(order, -1)
        return order

    def split(self, instrument: str, currency: str) -> list[Open]:
        """Tell anew what the open orders of `instrument` close and open; return what changed.

        The oldest close first. Whenever a position or an order changes the parts may change
        places: two orders to sell may not both count on the one position there is.
        """
        held, changed = self.holding(instrument).quantity_atto, list[Open]()
        for direction in (BUY, SELL):
            left = max(0, -held * direction)
            plain, closing = self.sides.get((instrument, direction), (0, 0))
            if min(left, plain) == closing:
                continue  # Together they close what they should: which of them is all one.
            for order in list(self.on_instrument[instrument].values()):
                if order.direction != direction or order.is_reduce_only:
                    continue
                part = min(order.leaves_atto, left)
                left -= part
                if order.leaves_atto - part != order.opening_atto:
                    changed.append(order.opening(order.leaves_atto - part, currency))
                    self._exchange(changed[-1])
        return changed

    def _exchange(self, order: Open) -> None:
        """Replace an open order in its place: its age among the others stays."""
        self._add(self.open[order.client_order_id], -1)
        self.open[order.client_order_id] = order
        self.on_instrument[order.instrument][order.client_order_id] = order
        self._add(order, 1)

    def _add(self, order: Open, sign: int) -> None:
        """Add an open order to the totals, or take it out of them."""
        self.held_minor += sign * order.hold_minor
        self.opening_minor += sign * order.opening_minor
        if not order.is_reduce_only:  # Those never open: the venue cuts them to the position.
            side = (order.instrument, order.direction)
            plain, closing = self.sides.get(side, (0, 0))
            leaves = sign * order.leaves_atto
            self.sides[side] = (plain + leaves, closing + leaves - sign * order.opening_atto)

    def count(self, strategy_id: str, at_ns: int) -> None:
        """Count one more order of the account and of its strategy, rejected ones too (K9)."""
        self.ordered_at_ns.append(at_ns)
        if strategy_id:
            self.strategy_ordered_at_ns.setdefault(strategy_id, deque()).append(at_ns)

    def rates(self, strategy_id: str, now_ns: int) -> tuple[int, int]:
        """Return how many orders the strategy and the account made in the last minute."""
        strategy, account = self.strategy_ordered_at_ns.get(strategy_id), self.ordered_at_ns
        start_ns = now_ns - MINUTE_NS
        of_strategy = _within(strategy, start_ns) if strategy else 0
        return of_strategy, _within(account, start_ns) if account else 0

    def remember(self, fingerprint: Fingerprint, now_ns: int, client_order_id: str) -> None:
        """Remember an approved order for a minute, so that its accidental repeat is noticed."""
        self.recent.pop(fingerprint, None)
        self.recent[fingerprint] = (now_ns, client_order_id)
        while next(iter(self.recent.values()))[0] <= now_ns - MINUTE_NS:
            self.recent.popitem(last=False)

    def end(self, client_order_id: str, now_ns: int) -> Open | None:
        """Take the hold of an order away for good; nothing is held for it any more."""
        self.over[client_order_id] = now_ns
        while next(iter(self.over.values())) <= now_ns - OVER_KEPT_NS:
            self.over.popitem(last=False)
        return self.remove(client_order_id)

    def trades_in(self, calendar: str) -> None:
        """Note the calendar of an instrument that is traded: of several none is the account's."""
        if self.calendar in ("", calendar):
            self.calendar = calendar
        else:
            self.calendar = ALWAYS_OPEN

    def begin_day(self, day: int | None) -> bool:
        """Begin a new day of trading with what the account is worth; return whether it did.

        Call it before a price or a fill of the new day counts. Counters begin anew, positions
        stay as they are.
        """
        if day is None or day == self.day:
            return False
        self.day, self.day_equity_minor = day, self.equity_minor
        return True

    def note_equity(self) -> None:
        """Let the high-water mark follow the equity; the first one known begins the day (K6)."""
        equity = self.equity_minor
        if equity is None:
            return
        if self.high_water_minor is None or equity > self.high_water_minor:
            self.high_water_minor = equity
        if self.day_equity_minor is None:
            self.day_equity_minor = equity

    def pay(self, transfers_minor: int) -> None:
        """Take over what was paid in: what equity is compared with moves by the same amount."""
        if self.transfers_minor is not None:
            change = transfers_minor - self.transfers_minor
            if self.high_water_minor is not None:
                self.high_water_minor += change
            if self.day_equity_minor is not None:
                self.day_equity_minor += change
        self.transfers_minor = transfers_minor

    @property
    def drawdown_bps(self) -> int:
        """Return how far equity is below its highest, in whole basis points of that."""
        return lost_bps(self.high_water_minor, self.equity_minor)

    @property
    def day_loss_bps(self) -> int:
        """Return how far equity is below the day's first, in whole basis points of that."""
        return lost_bps(self.day_equity_minor, self.equity_minor)

    def losses(self, strategy_id: str) -> int:
        """Return how many closed trades in a row a strategy lost."""
        streak = self.streaks.get(strategy_id)
        return streak.losses if streak else 0

    def openings(self, strategy_id: str, instrument: str, direction: int, now_ns: int) -> int:
        """Return how many fills of the last minute opened in a direction."""
        times = self.openings_ns.get((strategy_id, instrument, direction))
        return _within(times, now_ns - MINUTE_NS) if times else 0


def lost_bps(before: int | None, now: int | None) -> int:
    """Return how far a worth has fallen, in whole basis points of what it was before."""
    if before is None or now is None or before <= 0:
        return 0
    return max(0, before - now) * BPS // before


def _within(times_ns: deque[int], start_ns: int) -> int:
    while times_ns and times_ns[0] <= start_ns:
        times_ns.popleft()
    return len(times_ns)
