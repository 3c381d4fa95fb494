"""Ticks as columns of exact integers, and what a batch of them must be (rule D6)."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum
from fractions import Fraction
from functools import lru_cache

import numpy as np

from services.marketdata.calendars import ALWAYS_OPEN, Instants, sessions_of
from services.marketdata.instruments import Instrument
from services.marketdata.refusals import MarketDataRefused, Refusal
from services.marketdata.timeframes import NS_PER_DAY, NS_PER_SECOND

CLOCK_TOLERANCE_NS = NS_PER_SECOND
NUMBER_MAX = 10**18
TIME_MAX_NS = 2**62 - 1  # The year 2116; twice that still fits 64 bits.
QUANTITY_MAX = 10**12  # So that millions of them can be summed in 64 bits.


class TickKind(IntEnum):
    """What a tick reports; the numbers are those of the contract."""

    TRADES = 1
    QUOTES = 2


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Ticks:
    """Some ticks of one instrument, in the order of their sequence."""

    instrument: str
    kind: TickKind
    sequence_first: int
    price_exponent: int
    quantity_exponent: int
    times_ns: Instants
    prices: Instants
    quantities: Instants

    def __len__(self) -> int:
        return len(self.times_ns)

    @property
    def sequence_next(self) -> int:
        """The sequence of the tick that follows."""
        return self.sequence_first + len(self)

    def price(self, row: int) -> Decimal:
        """Return the price in `row`, exactly."""
        return Decimal(int(self.prices[row])).scaleb(self.price_exponent)

    def size(self, row: int) -> Decimal:
        """Return how much was traded or offered in `row`, without its sign."""
        return abs(Decimal(int(self.quantities[row])).scaleb(self.quantity_exponent))


@dataclass(frozen=True, slots=True, kw_only=True)
class TickLine:
    """How far the ticks of one instrument are, and what its present session fixed."""

    instrument: str
    sequence_next: int
    session_ns: int
    price_exponent: int
    quantity_exponent: int
    source: bytes = b""  # DataSource, as last stated.


def running(base: int, deltas: Instants, limit: int = NUMBER_MAX) -> Instants:
    """Return base + the running sum of `deltas`. Raises MarketDataRefused beyond `limit`."""
    if abs(base) + len(deltas) * max(int(deltas.max()), -int(deltas.min())) > limit:
        reach = [base]  # The bound is rough: now look exactly.
        for delta in deltas.tolist():
            reach.append(reach[-1] + delta)
        if max(map(abs, reach)) > limit:
            raise invalid(f"a number is beyond {limit}: send a coarser exponent")
    return base + deltas.cumsum()


def invalid(text: str) -> MarketDataRefused:
    """Return the refusal of ticks that cannot be."""
    return MarketDataRefused(Refusal.TICKS_INVALID, text)


def check_ticks(ticks: Ticks, instrument: Instrument, now_ns: int) -> None:
    """Raise MarketDataRefused unless every tick has a price, quantity and time it can have."""
    if int(ticks.prices.min()) <= 0:
        raise invalid(f"price is {ticks.price(int(ticks.prices.argmin()))}, must be above 0")
    per_tick = _units(instrument.tick_size, ticks.price_exponent)
    if per_tick > 1 and (ticks.prices % per_tick).any():
        row = int(np.flatnonzero(ticks.prices % per_tick)[0])
        raise invalid(
            f"price {ticks.price(row)} must be a multiple of the tick, {instrument.tick_size}"
        )
    if not ticks.quantities.all():
        raise invalid("a quantity is 0, must be above 0 (bought, bid) or below 0 (sold, asked)")
    if max(int(ticks.quantities.max()), -int(ticks.quantities.min())) > QUANTITY_MAX:
        raise invalid(f"a quantity is beyond {QUANTITY_MAX}: send a coarser exponent")
    latest_ns = int(ticks.times_ns.max())
    if latest_ns > now_ns + CLOCK_TOLERANCE_NS:
        raise invalid(f"a tick is of {latest_ns} ns, but it is {now_ns} ns: send it then")


@lru_cache(maxsize=1_024)  # The same for every batch of an instrument.
def _units(tick_size: Decimal, exponent: int) -> int:
    """Return of how many units of 10^exponent every price on tick is a multiple."""
    return (Fraction(tick_size) / Fraction(10) ** exponent).numerator


def followed_by(
    line: TickLine | None,
    ticks: Ticks,
    session_ns: int,
    *,
    is_after_gap: bool,
    source: bytes | None = None,
) -> TickLine:
    """Return the line after `ticks`, which must be the next ones. Raises MarketDataRefused.

    Within a session exponents stay; `session_ns` is that of the first tick. A `source` that is
    not stated is the one before.
    """
    known = b"" if line is None else line.source
    fresh = TickLine(
        instrument=ticks.instrument,
        sequence_next=ticks.sequence_next,
        session_ns=session_ns,
        price_exponent=ticks.price_exponent,
        quantity_exponent=ticks.quantity_exponent,
        source=known if source is None else source,
    )
    if line is None:
        return fresh
    is_skip = is_after_gap and ticks.sequence_first > line.sequence_next
    if ticks.sequence_first != line.sequence_next and not is_skip:
        raise out_of_sequence(line, ticks)
    exponents = line.price_exponent, line.quantity_exponent
    if session_ns == line.session_ns and exponents != (
        ticks.price_exponent,
        ticks.quantity_exponent,
    ):
        raise MarketDataRefused(
            Refusal.TICK_EXPONENT_CHANGED,
            f"exponents of {line.instrument} are {ticks.price_exponent} and"
            f" {ticks.quantity_exponent}, must stay {exponents[0]} and {exponents[1]} until the"
            " session ends",
        )
    return fresh


def out_of_sequence(line: TickLine, ticks: Ticks) -> MarketDataRefused:
    """Return the refusal of ticks that are not the next ones."""
    facts: Mapping[str, str] = {
        "instrument": line.instrument,
        "expected": str(line.sequence_next),
        "sequence_first": str(ticks.sequence_first),
    }
    return MarketDataRefused(
        Refusal.TICK_GAP,
        f"sequence_first of {line.instrument} is {ticks.sequence_first}, must be"
        f" {line.sequence_next}: send what is missing, or declare it lost with is_after_gap",
        facts=facts,
    )


def session_of(calendar: str, time_ns: int) -> int:
    """Return when the session of `time_ns` opened: the last one that did. 24/7: its UTC day."""
    if calendar == ALWAYS_OPEN:
        return time_ns - time_ns % NS_PER_DAY
    opens_ns = sessions_of(calendar).opens_ns
    at = int(np.searchsorted(opens_ns, time_ns, "right")) - 1
    return int(opens_ns[at]) if at >= 0 else 0
