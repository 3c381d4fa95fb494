"""The bars that ticks make: which are forming, which are due, which come too late (rule D6)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import Enum
from typing import NamedTuple

from services.marketdata.candles import Candle, CandleKind, Source
from services.marketdata.tick_kernel import (
    CLOSE,
    COUNT,
    FIRST_NS,
    HIGH,
    LAST_NS,
    LOW,
    OPEN,
    OPEN_NS,
    VOLUME,
)
from services.marketdata.timeframes import DURATION_NS, NS_PER_SECOND, Timeframe

TIMEFRAMES = (Timeframe.SECOND_1, Timeframe.MINUTE_1)
GRACE_NS = NS_PER_SECOND // 4
PROCESS = "ticks"
CONFIRMED_MAX = 10_000


class BarKey(NamedTuple):
    """Which bar: sorts by the time it opens."""

    open_ns: int
    timeframe: Timeframe
    instrument: str

    @property
    def close_ns(self) -> int:
        """When its interval ends."""
        return self.open_ns + DURATION_NS[self.timeframe]

    @property
    def due_ns(self) -> int:
        """When it is confirmed."""
        return self.close_ns + GRACE_NS


@dataclass(slots=True, kw_only=True)
class TickBar:
    """What the ticks of one interval come to so far."""

    first_ns: int
    open: Decimal
    high: Decimal
    low: Decimal
    last_ns: int
    close: Decimal
    volume: Decimal
    count: int
    covers: int = 0  # Up to this sequence of the stream it was built of what is stored.

    def absorb(self, other: "TickBar") -> None:
        """Add ticks of the same interval that have later sequences."""
        if other.first_ns < self.first_ns:
            self.first_ns, self.open = other.first_ns, other.open
        if other.last_ns >= self.last_ns:
            self.last_ns, self.close = other.last_ns, other.close
        self.high, self.low = max(self.high, other.high), min(self.low, other.low)
        self.volume += other.volume
        self.count += other.count


def bar_of(row: Sequence[int], price_exponent: int, quantity_exponent: int) -> TickBar:
    """Return the bar of one row of the kernel."""
    return TickBar(
        first_ns=row[FIRST_NS],
        open=Decimal(row[OPEN]).scaleb(price_exponent),
        high=Decimal(row[HIGH]).scaleb(price_exponent),
        low=Decimal(row[LOW]).scaleb(price_exponent),
        last_ns=row[LAST_NS],
        close=Decimal(row[CLOSE]).scaleb(price_exponent),
        volume=Decimal(row[VOLUME]).scaleb(quantity_exponent),
        count=row[COUNT],
    )


def keys_of(instrument: str, row: Sequence[int]) -> Iterable[BarKey]:
    """Yield the bars, of a second and longer, that a row of one second belongs to."""
    for timeframe in TIMEFRAMES:
        yield BarKey(row[OPEN_NS] - row[OPEN_NS] % DURATION_NS[timeframe], timeframe, instrument)


def candle_of_bar(key: BarKey, bar: TickBar, source: Source, revision: int = 0) -> Candle:
    """Return the confirmed candle of a bar."""
    return Candle(
        instrument=key.instrument,
        timeframe=key.timeframe,
        kind=CandleKind.OHLCV,
        open_ns=key.open_ns,
        close_ns=key.close_ns,
        open=bar.open,
        high=bar.high,
        low=bar.low,
        close=bar.close,
        volume=bar.volume,
        trade_count=bar.count,
        revision=revision,
        source=replace(source, process=source.process or PROCESS),
    )


class Effect(Enum):
    """What some ticks do to a bar."""

    BEGUN = "it begins with them"
    GROWN = "it has more ticks now"
    LATE = "it was over when they came"


class TickBars:
    """The bars that are not confirmed yet, and the newest of those that are.

    Late ticks come soon, if they come: a bar that is still here need not be built anew.
    """

    def __init__(self) -> None:
        self._forming: dict[BarKey, TickBar] = {}
        self._confirmed: dict[BarKey, TickBar] = {}  # Oldest first.

    def absorb(self, key: BarKey, bar: TickBar, *, sequence: int, now_ns: int) -> Effect:
        """Add the ticks of batch `sequence` to a bar, where it is here and lacks them."""
        known = self._forming.get(key)
        if known is not None:
            known.absorb(bar)
            return Effect.GROWN
        if key.due_ns > now_ns:
            self._forming[key] = replace(bar)
            return Effect.BEGUN
        confirmed = self._confirmed.get(key)
        if confirmed is not None and sequence > confirmed.covers:
            confirmed.absorb(bar)
        return Effect.LATE

    def confirm(self, now_ns: int) -> list[tuple[BarKey, TickBar]]:
        """Return the bars whose grace is over, in the order of their time."""
        due = sorted(key for key in self._forming if key.due_ns <= now_ns)
        found = [(key, self._forming.pop(key)) for key in due]
        for key, bar in found:
            self.keep(key, bar)
        return found

    def keep(self, key: BarKey, bar: TickBar) -> None:
        """Remember a bar that is over, for the late ticks that follow."""
        self._confirmed[key] = bar
        while len(self._confirmed) > CONFIRMED_MAX:
            del self._confirmed[next(iter(self._confirmed))]

    def confirmed(self, key: BarKey) -> TickBar | None:
        """Return a confirmed bar with its late ticks, if it is still here."""
        return self._confirmed.get(key)
