"""What the checks judge by: instruments, limits, reference prices and trading modes."""

from dataclasses import dataclass, field
from enum import IntEnum

from services.risk.reasons import Mode
from services.risk.sessions import ALWAYS_OPEN, DAY_NS, Sessions

NS_PER_S = 1_000_000_000
CANDLES_TO_STALE = 3


@dataclass(frozen=True, slots=True)
class Instrument:
    """What can be traded, and its grid; numbers in attos, money in minor units."""

    name: str
    currency: str
    tick_atto: int
    lot_atto: int
    min_quantity_atto: int
    max_quantity_atto: int | None
    min_notional_minor: int
    collar_bps: int
    is_tradable: bool
    is_shortable: bool
    calendar: str = ALWAYS_OPEN


@dataclass(frozen=True, slots=True)
class Reference:
    """The last known price of an instrument, and how long it may be believed."""

    price_atto: int
    time_ns: int
    stale_after_ns: int  # While the market is open.
    bid_atto: int | None = None
    ask_atto: int | None = None

    def is_stale(self, now_ns: int, sessions: Sessions | None = None) -> bool:
        """Return whether the price is older than market data may be (D5).

        A night or a weekend is no silence: only the time in `sessions` counts, if they are known.
        """
        if now_ns - self.time_ns <= self.stale_after_ns:
            return False
        if sessions is None:
            return True
        if self.stale_after_ns >= CANDLES_TO_STALE * DAY_NS:  # One candle a session, or fewer.
            silent = sessions.closes_between(self.time_ns, now_ns)
            return silent * DAY_NS >= self.stale_after_ns
        return sessions.open_ns_between(self.time_ns, now_ns) > self.stale_after_ns


class ProtectionRule(IntEnum):
    """Which opening orders must carry a stop; the numbers are those of the contract."""

    STRATEGIES = 1
    ALL = 2
    NONE = 3


@dataclass(frozen=True, slots=True)
class Limits:
    """What an account may do at most; shares are in basis points of equity."""

    version: int = 0
    order_lots_max: int = 10_000
    order_notional_max_atto: int = 10**24  # 1,000,000 in the account's currency.
    position_share_bps_max: int = 2_000
    gross_share_bps_max: int = 8_000
    entries_per_instrument_max: int = 3
    open_orders_max: int = 200
    open_order_value_share_bps_max: int = 10_000
    strategy_orders_per_minute_max: int = 100
    account_orders_per_minute_max: int = 1_000
    duplicate_window_ns: int = NS_PER_S
    protection: ProtectionRule = ProtectionRule.STRATEGIES
    is_short_allowed: bool = True
    market_order_margin_bps: int = 100
    fee_bps_max: int = 20
    traders: frozenset[str] = frozenset()
    repeated_executions_per_minute_max: int = 20  # 0: any number.
    day_loss_bps_warning: int = 200
    day_loss_bps_max: int = 500
    drawdown_bps_reduce_only: int = 1_500
    drawdown_bps_halted: int = 2_000
    losses_in_a_row_max: int = 5
    restricted: frozenset[str] = frozenset()
    is_suspended: bool = False
    calendar: str = ""  # Empty: that of what the account trades.


class ScopeKind(IntEnum):
    """What a mode or limits are about; the numbers are those of the contract."""

    FIRM = 1
    ACCOUNT = 2
    STRATEGY = 3
    INSTRUMENT = 4


Scope = tuple[ScopeKind, str]
FIRM: Scope = (ScopeKind.FIRM, "")


@dataclass(slots=True)
class Modes:
    """The modes that are set; a scope without one is ACTIVE."""

    by_scope: dict[Scope, Mode] = field(default_factory=dict)

    def strictest(self, account: str, strategy_id: str, instrument: str) -> Mode:
        """Return what may still be done where these meet (K8)."""
        modes = self.by_scope
        if not modes:
            return Mode.ACTIVE
        touched = (
            FIRM,
            (ScopeKind.ACCOUNT, account),
            (ScopeKind.STRATEGY, strategy_id),
            (ScopeKind.INSTRUMENT, instrument),
        )
        return max(modes.get(scope, Mode.ACTIVE) for scope in touched)
