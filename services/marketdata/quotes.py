"""The newest prices of each instrument, and when they are too old (rule D5)."""

from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from services.marketdata.calendars import Instants, is_open
from services.marketdata.candles import Candle, SeriesKey
from services.marketdata.grid import grid_of
from services.marketdata.instruments import Instrument
from services.marketdata.ticks import TickKind, Ticks
from services.marketdata.timeframes import NS_PER_SECOND, Timeframe

OVERDUE_CANDLES = 3
OVERDUE_SECONDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """An instrument's newest prices, as seen at one instant; what is not known is None."""

    is_stale: bool
    is_in_session: bool
    time_ns: int | None = None
    age_ns: int | None = None
    last: Decimal | None = None
    bid: Decimal | None = None
    bid_size: Decimal | None = None
    ask: Decimal | None = None
    ask_size: Decimal | None = None


class Price(NamedTuple):
    """A price and when it was made; `size` of a bid or offer."""

    time_ns: int
    price: Decimal
    size: Decimal | None = None


class Interval(NamedTuple):
    """The interval that a price is the last of."""

    timeframe: Timeframe
    open_ns: int
    close_ns: int

    @property
    def is_short(self) -> bool:
        """Whether it is a second."""
        return self.timeframe is Timeframe.SECOND_1

    @property
    def rest_ns(self) -> int:
        """How much of the second is left: the price may be a tick within it."""
        return self.open_ns + NS_PER_SECOND - self.close_ns if self.is_short else 0


class Quotes:
    """The newest candle, trade, bid and offer of every instrument.

    Of two candles that close together the shorter one counts.
    """

    def __init__(self) -> None:
        self._candles: dict[str, Candle] = {}
        self._trades: dict[str, Price] = {}
        self._bids: dict[str, Price] = {}
        self._asks: dict[str, Price] = {}
        self._made_of_ticks: dict[SeriesKey, None] = {}

    def take(self, candle: Candle) -> None:
        """Remember a confirmed candle, unless a newer one is known, or its ticks are."""
        if candle.series in self._made_of_ticks:
            return
        known = self._candles.get(candle.instrument)
        if known is None or _rank(known) <= _rank(candle):
            self._candles[candle.instrument] = candle

    def leave_to_ticks(self, series: SeriesKey) -> None:
        """Say that the candles of `series` are made of ticks: they tell nothing newer."""
        self._made_of_ticks[series] = None

    def take_ticks(self, ticks: Ticks) -> None:
        """Remember the newest prices of a batch, unless newer ones are known."""
        if ticks.kind is TickKind.TRADES:
            _keep(self._trades, ticks, _newest(ticks.times_ns))
            return
        for known, is_side in (
            (self._bids, ticks.quantities > 0),
            (self._asks, ticks.quantities < 0),
        ):
            if len(rows := np.flatnonzero(is_side)):
                _keep(known, ticks, int(rows[_newest(ticks.times_ns[rows])]))

    def standing(self, instrument: Instrument, now_ns: int) -> Standing:
        """Return what is known of `instrument` at `now_ns`. Without data it is stale."""
        name, calendar = instrument.instrument, instrument.calendar
        is_in_session = is_open(calendar, now_ns)
        bid, ask = self._bids.get(name), self._asks.get(name)
        newest = self._newest(name)
        if newest is None:
            return Standing(is_stale=True, is_in_session=is_in_session)
        limit_ns = overdue_ns(newest, calendar)
        last = self._last(name)
        return Standing(
            is_stale=limit_ns is not None and now_ns > limit_ns,
            is_in_session=is_in_session,
            time_ns=newest.close_ns,
            age_ns=max(0, now_ns - newest.close_ns),
            last=last.price if last else None,
            bid=bid.price if bid else None,
            bid_size=bid.size if bid else None,
            ask=ask.price if ask else None,
            ask_size=ask.size if ask else None,
        )

    def _last(self, name: str) -> Price | None:
        """Return the last trade or the last confirmed close, whichever is newer."""
        trade, candle = self._trades.get(name), self._candles.get(name)
        if candle is None or (trade is not None and trade.time_ns >= candle.close_ns):
            return trade
        return Price(candle.close_ns, candle.close)

    def _newest(self, name: str) -> Interval | None:
        """Return what the newest price belongs to; a tick is the last of the second it is in."""
        candle = self._candles.get(name)
        sides = (self._trades.get(name), self._bids.get(name), self._asks.get(name))
        tick_ns = max((side.time_ns for side in sides if side is not None), default=None)
        if tick_ns is not None and (candle is None or tick_ns >= candle.close_ns):
            return Interval(Timeframe.SECOND_1, tick_ns - tick_ns % NS_PER_SECOND, tick_ns)
        if candle is None:
            return None
        return Interval(candle.timeframe, candle.open_ns, candle.close_ns)


@lru_cache(maxsize=4_096)  # Asked again and again between two prices.
def overdue_ns(newest: Interval, calendar: str) -> int | None:
    """Return when no data since is too long: three more candles, or five seconds of them.

    Counted by the calendar, so a night or a weekend is no silence. None when it ends before.
    """
    grid = grid_of(calendar, newest.timeframe)
    open_ns: int | None = newest.open_ns
    for _ in range(OVERDUE_SECONDS if newest.is_short else OVERDUE_CANDLES):
        open_ns = None if open_ns is None else grid.next_open(open_ns)
    close_ns = None if open_ns is None else grid.close_of(open_ns)
    return None if close_ns is None else close_ns - newest.rest_ns


def _newest(times_ns: Instants) -> int:
    """Return where the last time is, the later in sequence of equal ones."""
    return len(times_ns) - 1 - int(times_ns[::-1].argmax())


def _keep(known: dict[str, Price], ticks: Ticks, row: int) -> None:
    """Keep a tick unless a newer one is known."""
    time_ns = int(ticks.times_ns[row])
    before = known.get(ticks.instrument)
    if before is None or time_ns >= before.time_ns:
        known[ticks.instrument] = Price(time_ns, ticks.price(row), ticks.size(row))


def _rank(candle: Candle) -> tuple[int, int, int]:
    return candle.close_ns, -candle.timeframe, candle.revision
