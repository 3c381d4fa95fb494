"""What a candle is and when it is valid (rule D2)."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Context, Decimal
from enum import IntEnum, StrEnum

from services.marketdata.grid import Grid
from services.marketdata.instruments import Instrument
from services.marketdata.timeframes import NS_PER_SECOND, Timeframe

CLOCK_TOLERANCE_NS = NS_PER_SECOND
EXACT = Context(prec=80)  # More digits than a decimal of the contract and a tick can make.


class CandleKind(IntEnum):
    """Which numbers the source really has; the numbers are those of the contract."""

    OHLCV = 1
    OHLC = 2
    CLOSE_ONLY = 3


class Adjustment(IntEnum):
    """What was done to the prices; the numbers are those of the contract."""

    UNSPECIFIED = 0
    RAW = 1
    SPLIT = 2
    TOTAL_RETURN = 3
    UNKNOWN = 4


class Fault(StrEnum):
    """Why a candle is not stored; the names are those of the contract."""

    OHLC_INCONSISTENT = "OHLC_INCONSISTENT"
    PRICE_NOT_POSITIVE = "PRICE_NOT_POSITIVE"
    PRICE_OFF_TICK = "PRICE_OFF_TICK"
    VOLUME_NEGATIVE = "VOLUME_NEGATIVE"
    KIND_INCONSISTENT = "KIND_INCONSISTENT"
    OFF_GRID = "OFF_GRID"
    CLOSE_TIME_WRONG = "CLOSE_TIME_WRONG"
    IN_FUTURE = "IN_FUTURE"
    UNKNOWN_INSTRUMENT = "UNKNOWN_INSTRUMENT"
    OUT_OF_ORDER = "OUT_OF_ORDER"
    CONFLICT = "CONFLICT"
    REVISION_SKIPPED = "REVISION_SKIPPED"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a number comes from, and what it is not."""

    dataset: str = ""
    provider: str = ""
    adjustment: Adjustment = Adjustment.UNSPECIFIED
    is_synthetic: bool = False
    process: str = ""
    seed: int = 0
    is_proxy: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Candle:
    """One candle; what its kind does not know is None, never a made-up number."""

    instrument: str
    timeframe: Timeframe
    kind: CandleKind
    open_ns: int
    close_ns: int
    close: Decimal
    open: Decimal | None = None
    high: Decimal | None = None
    low: Decimal | None = None
    volume: Decimal | None = None
    quote_volume: Decimal | None = None
    trade_count: int | None = None
    is_confirmed: bool = True
    revision: int = 0
    source: Source

    @property
    def series(self) -> "SeriesKey":
        """The line of candles that this one belongs to."""
        return self.instrument, self.timeframe

    @property
    def prices(self) -> Iterator[Decimal]:
        """The prices that are known."""
        return (p for p in (self.open, self.high, self.low, self.close) if p is not None)


SeriesKey = tuple[str, Timeframe]


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why one candle is refused: the reason for programs, the text for people."""

    fault: Fault
    text: str = field(compare=False)


def rejection_of(
    candle: Candle, instrument: Instrument, grid: Grid, now_ns: int
) -> Rejection | None:
    """Return the first rule of D2 that `candle` breaks; None when it is valid."""
    return (
        _wrong_fields(candle)
        or _wrong_prices(candle)
        or _wrong_tick(candle, instrument.tick_size)
        or _wrong_times(candle, grid, now_ns)
    )


def _wrong_fields(candle: Candle) -> Rejection | None:
    has_range = candle.open is not None, candle.high is not None, candle.low is not None
    expects_range = candle.kind is not CandleKind.CLOSE_ONLY
    expects_volume = candle.kind is CandleKind.OHLCV
    has_volume = candle.volume is not None
    if has_range == (expects_range,) * 3 and has_volume == expects_volume:
        return None
    return Rejection(
        Fault.KIND_INCONSISTENT,
        f"a {candle.kind.name} candle must carry exactly the prices and volume of its kind:"
        " send the kind that the source really has",
    )


def _wrong_prices(candle: Candle) -> Rejection | None:
    lowest = min(candle.prices)
    if lowest <= 0:
        return Rejection(Fault.PRICE_NOT_POSITIVE, f"price is {lowest}, must be above 0")
    if candle.volume is not None and candle.volume < 0:
        return Rejection(Fault.VOLUME_NEGATIVE, f"volume is {candle.volume}, must be 0 or more")
    if candle.low is None or candle.high is None:
        return None
    if lowest == candle.low and max(candle.prices) == candle.high:
        return None
    return Rejection(
        Fault.OHLC_INCONSISTENT,
        f"low {candle.low} and high {candle.high} must enclose open {candle.open}"
        f" and close {candle.close}",
    )


def _wrong_tick(candle: Candle, tick_size: Decimal) -> Rejection | None:
    if candle.source.adjustment > Adjustment.RAW:
        return None  # An adjusted price is not one that was ever quoted.
    for price in candle.prices:
        if EXACT.remainder(price, tick_size):
            return Rejection(
                Fault.PRICE_OFF_TICK,
                f"price {price} must be a multiple of {tick_size}, or the source be declared"
                " adjusted",
            )
    return None


def _wrong_times(candle: Candle, grid: Grid, now_ns: int) -> Rejection | None:
    close_ns = grid.close_of(candle.open_ns)
    if close_ns is None:
        return Rejection(
            Fault.OFF_GRID,
            f"open_time {candle.open_ns} ns is not where a {candle.timeframe.name} candle of"
            f" {candle.instrument} opens, must be on the grid of its calendar",
        )
    if close_ns != candle.close_ns:
        return Rejection(
            Fault.CLOSE_TIME_WRONG, f"close_time is {candle.close_ns} ns, must be {close_ns} ns"
        )
    latest_ns = candle.close_ns if candle.is_confirmed else candle.open_ns
    if latest_ns > now_ns + CLOCK_TOLERANCE_NS:
        return Rejection(
            Fault.IN_FUTURE, f"candle reaches {latest_ns} ns, but it is {now_ns} ns: send it then"
        )
    return None
