"""The words of a strategy: sides, bars, points, votes, what it may want. Plain values, in attos."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

from runtime.atto import ATTO


class Direction(IntEnum):
    """A side of the market; its value is its sign."""

    SHORT = -1
    NONE = 0
    LONG = 1

    @property
    def opposite(self) -> "Direction":
        """The other side."""
        return _OPPOSITE[self]


_OPPOSITE = {
    Direction.LONG: Direction.SHORT,
    Direction.SHORT: Direction.LONG,
    Direction.NONE: Direction.NONE,
}


class Action(StrEnum):
    """What a signal asks for."""

    OPEN = "OPEN"
    CLOSE = "CLOSE"
    ADJUST_STOP = "ADJUST_STOP"


class Outcome(StrEnum):
    """What came of the evaluation of a candle."""

    NOTHING = "NOTHING"
    SIGNALLED = "SIGNALLED"
    FILTERED = "FILTERED"
    NOT_WARM = "NOT_WARM"
    INPUT_MISSING = "INPUT_MISSING"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Bar:
    """A confirmed candle. Open, high and low are None where only the close is known."""

    open_ns: int
    close_ns: int
    close_atto: int
    open_atto: int | None = None
    high_atto: int | None = None
    low_atto: int | None = None

    @property
    def has_range(self) -> bool:
        """Whether open, high and low are known."""
        return self.high_atto is not None

    def extreme(self, direction: Direction) -> int:
        """Return the furthest price towards a side; of closes alone, the close."""
        furthest = self.high_atto if direction is Direction.LONG else self.low_atto
        return self.close_atto if furthest is None else furthest


@dataclass(frozen=True, slots=True)
class Point:
    """Indicator values after a bar, by output name; what has no value is not there."""

    values: Mapping[str, float]
    is_warm: bool


@dataclass(frozen=True, slots=True)
class Vote:
    """What one condition said."""

    name: str
    direction: Direction
    weight: float = 1.0


class SizingWay(StrEnum):
    """The four ways to say how much is wanted."""

    QUANTITY = "quantity"
    NOTIONAL = "notional"
    RISK_SHARE = "risk_share"
    TARGET_POSITION = "target_position"


@dataclass(frozen=True, slots=True)
class Sizing:
    """How much is wanted; a target position is negative for short."""

    way: SizingWay
    amount_atto: int
    currency: str = ""  # Of a notional.


@dataclass(frozen=True, slots=True)
class TimeStop:
    """When a position has taken too long; bars count from the one it was opened in."""

    loss_bars: int = 12
    flat_bars: int = 24
    flat_r_atto: int = ATTO // 5
    untiered_bars: int = 48


@dataclass(frozen=True, slots=True)
class ExitRules:
    """How positions are given up; 0 switches a rule off. R is |entry - initial stop|."""

    max_loss_atto: int = ATTO * 2 // 100  # Share of the entry price.
    is_initial_stop_watched: bool = True
    break_even_r_atto: int = ATTO * 3 // 2  # Multiples of R.
    round_trip_fee_bps_atto: int = 40 * ATTO
    is_one_r_bar_on: bool = False
    is_tiered_trail_on: bool = True
    tiers_r_atto: tuple[int, ...] = (ATTO * 3 // 2, ATTO * 2, ATTO * 5)
    is_signal_bar_watched: bool = True
    time_stop: TimeStop | None = None
    atr_target_atto: int = 0  # Multiples of the average true range.
    signal_bar_target_atto: int = 0  # Multiples of the signal bar's range.
    indicator_target: str = ""  # The output that is a target.
    is_pull_back_on: bool = False
    pull_back_atto: int = ATTO * 32 // 100  # Share of the run before the signal.
    is_range_target_on: bool = True


@dataclass(frozen=True, slots=True)
class Config:
    """One version of what decides; `parameters` are complete and checked."""

    kind: str
    account: str
    timeframe: int
    parameters: Mapping[str, float | str]
    sizing: Sizing
    exit: ExitRules = field(default_factory=ExitRules)
    max_entries: int = 1


@dataclass(frozen=True, slots=True)
class Setting:
    """A configuration on one instrument, and what it may do at present.

    Paused it opens nothing; flattening it also closes what is held, as soon as it may.
    `has_range` says which indicators were asked for: those of whole candles, or of closes.
    """

    config: Config
    tick_atto: int
    lot_atto: int
    has_range: bool = True
    is_paused: bool = False
    is_flattening: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """A price at which `share` of the position is closed in profit; 0 only raises the stop.

    `source` is a TargetSource of the contract, without the prefix.
    """

    price_atto: int
    source: str
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class Wish:
    """What the rules of a kind want after a bar, before what is held is looked at.

    NONE wants out of `closes`, or without that nothing; `filters` are the kind's own reasons
    against it. `targets` need neither be sorted nor on the right side; `signal_bar_atto` is
    where a stop at the signal's bar lies, and counts as the stop if it is nearer. `move` is the
    average true range (of closes alone the average move) in price units. `labels` decide
    nothing.
    """

    direction: Direction
    strength: float
    votes: tuple[Vote, ...]
    stop_atto: int | None = None
    stop_source: str = ""
    closes: Direction = Direction.NONE
    filters: tuple[str, ...] = ()
    targets: tuple[Target, ...] = ()
    best_entry_atto: int | None = None
    labels: tuple[str, ...] = ()
    signal_bar_atto: int | None = None
    move: float | None = None


@dataclass(frozen=True, slots=True)
class Proposal:
    """A signal to be stored: published, or kept back for the reasons in `filters`.

    `targets` lie on the right side, nearest first; `dropped` are those on the wrong one.
    """

    action: Action
    direction: Direction
    strength: float
    votes: tuple[Vote, ...]
    entry_atto: int
    stop_atto: int | None = None
    stop_source: str = ""
    sizing: Sizing | None = None
    filters: tuple[str, ...] = ()
    targets: tuple[Target, ...] = ()
    dropped: tuple[Target, ...] = ()
    best_entry_atto: int | None = None
    labels: tuple[str, ...] = ()
    signal_bar_atto: int | None = None

    @property
    def is_published(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.filters


class StrategyRefused(Exception):
    """A request is refused before anything happened. `reason` is that of the contract."""

    def __init__(self, reason: str, message: str, *, field: str = "", **metadata: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.field = field
        self.metadata = metadata
