"""The newest price of each instrument, and when it is too old (rule D5)."""

from dataclasses import dataclass

from services.marketdata.calendars import is_open
from services.marketdata.candles import Candle
from services.marketdata.grid import grid_of
from services.marketdata.instruments import Instrument
from services.marketdata.timeframes import NS_PER_SECOND

OVERDUE_CANDLES = 3
OVERDUE_NS_MIN = 5 * NS_PER_SECOND


@dataclass(frozen=True, slots=True)
class Standing:
    """An instrument's newest confirmed candle, as seen at one instant."""

    candle: Candle | None
    age_ns: int | None
    is_stale: bool
    is_in_session: bool


class Quotes:
    """The newest confirmed candle of every instrument; of two that close together the shorter."""

    def __init__(self) -> None:
        self._newest: dict[str, Candle] = {}
        self._overdue_ns: dict[str, int | None] = {}

    def take(self, candle: Candle) -> None:
        """Remember a confirmed candle, unless a newer one is known."""
        known = self._newest.get(candle.instrument)
        if known is not None and _rank(known) > _rank(candle):
            return
        self._newest[candle.instrument] = candle
        self._overdue_ns.pop(candle.instrument, None)

    def standing(self, instrument: Instrument, now_ns: int) -> Standing:
        """Return what is known of `instrument` at `now_ns`. Without data it is stale."""
        name = instrument.instrument
        is_in_session = is_open(instrument.calendar, now_ns)
        candle = self._newest.get(name)
        if candle is None:
            return Standing(None, None, is_stale=True, is_in_session=is_in_session)
        if name not in self._overdue_ns:
            self._overdue_ns[name] = overdue_ns(candle, instrument.calendar)
        limit_ns = self._overdue_ns[name]
        is_stale = limit_ns is not None and now_ns > limit_ns
        return Standing(candle, max(0, now_ns - candle.close_ns), is_stale, is_in_session)


def overdue_ns(candle: Candle, calendar: str) -> int | None:
    """Return when no data since `candle` is too long: three more should have closed.

    Counted by the calendar, so a night or a weekend is no silence; at least five seconds.
    None when the calendar ends before.
    """
    grid = grid_of(calendar, candle.timeframe)
    open_ns: int | None = candle.open_ns
    for _ in range(OVERDUE_CANDLES):
        open_ns = None if open_ns is None else grid.next_open(open_ns)
    close_ns = None if open_ns is None else grid.close_of(open_ns)
    return None if close_ns is None else max(close_ns, candle.close_ns + OVERDUE_NS_MIN)


def _rank(candle: Candle) -> tuple[int, int, int]:
    return candle.close_ns, -candle.timeframe, candle.revision
