"""What becomes of one candle of a publication (rules D1, D3 and D4)."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from services.marketdata.candles import Candle, Fault, Rejection, SeriesKey
from services.marketdata.grid import Grid


class Outcome(IntEnum):
    """What becomes of a candle; the numbers are those of the contract."""

    STORED = 1
    DUPLICATE = 2
    REVISED = 3
    REJECTED = 4


@dataclass(frozen=True, slots=True)
class Gap:
    """Candles that the calendar has room for and nobody sent."""

    series: SeriesKey
    from_ns: int
    to_ns: int


@dataclass(frozen=True, slots=True)
class Past:
    """What is stored already: the series' last confirmed candle, and this one's revisions."""

    last_open_ns: int | None = None
    contents: Sequence[bytes] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of one candle, and the gap that its coming reveals."""

    outcome: Outcome
    rejection: Rejection | None = None
    gap: Gap | None = None

    @property
    def is_stored(self) -> bool:
        """Whether the candle is stored and shown to watchers."""
        return self.outcome in (Outcome.STORED, Outcome.REVISED)


def rejected(fault: Fault, text: str) -> Verdict:
    """Return the verdict on a candle that is refused for `fault`."""
    return Verdict(Outcome.REJECTED, Rejection(fault, text))


def place(candle: Candle, content: bytes, past: Past, grid: Grid, *, is_backfill: bool) -> Verdict:
    """Return what becomes of a valid `candle`, given what is stored.

    Confirmed candles are immutable: under an equal revision only equal content is accepted,
    as a duplicate. A correction is the next revision.
    """
    if candle.revision < len(past.contents) and candle.is_confirmed:
        if past.contents[candle.revision] == content:
            return Verdict(Outcome.DUPLICATE)
        return rejected(
            Fault.CONFLICT,
            f"revision {candle.revision} is stored with another content and never changes:"
            f" send the correction as revision {len(past.contents)}",
        )
    if candle.revision > len(past.contents):
        return rejected(
            Fault.REVISION_SKIPPED,
            f"revision is {candle.revision}, must be {len(past.contents)}: the ones before are"
            " not stored",
        )
    if candle.revision > 0 and candle.is_confirmed:
        return Verdict(Outcome.REVISED)
    return _newcomer(candle, past.last_open_ns, grid, is_backfill=is_backfill)


def _newcomer(
    candle: Candle, last_open_ns: int | None, grid: Grid, *, is_backfill: bool
) -> Verdict:
    if last_open_ns is None:
        return Verdict(Outcome.STORED)
    if candle.open_ns > last_open_ns:
        return Verdict(Outcome.STORED, gap=_gap(candle, last_open_ns, grid))
    if is_backfill and candle.is_confirmed:
        return Verdict(Outcome.STORED)
    return rejected(
        Fault.OUT_OF_ORDER,
        f"opens at {candle.open_ns} ns, must be later than the last confirmed candle, which"
        f" opened at {last_open_ns} ns: send an older one as is_backfill",
    )


def _gap(candle: Candle, last_open_ns: int, grid: Grid) -> Gap | None:
    expected_ns = grid.next_open(last_open_ns)
    if expected_ns is None or expected_ns >= candle.open_ns or not candle.is_confirmed:
        return None
    return Gap(candle.series, expected_ns, candle.open_ns)
