"""The times of a user's file as UTC nanoseconds; how they are written is declared (D10)."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from zoneinfo import ZoneInfo

import numpy as np

from services.marketdata.calendars import Instants
from services.marketdata.cells import BadCell, Cells, RowFault
from services.marketdata.grid import OFF_GRID, Grid
from services.marketdata.timeframes import NS_PER_DAY, NS_PER_HOUR

NS_PER_MICRO = 1_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DATE_LENGTH = 10
DAYS_MAX = 100_000  # Until the year 2243; beyond, nanoseconds leave 64 bits.

DATE = r"\d{4}-\d\d-\d\d"
CLOCK = r"[Tt ]\d\d:\d\d:\d\d(?:\.\d{1,6}0*)?"
OFFSET = r"(?:[Zz]|[+-]\d\d:\d\d)"
INSTANT = re.compile(f"{DATE}{CLOCK}{OFFSET}?", re.ASCII)
UTC_INSTANTS = re.compile(f"(?:{DATE}{CLOCK}[Zz](?:\n|\\Z))+", re.ASCII)
LOCAL_INSTANTS = re.compile(f"(?:{DATE}{CLOCK}(?:\n|\\Z))+", re.ASCII)
SESSION_DATE = re.compile(rf"{DATE}(?:[Tt ]00:00:00(?:\.0+)?{OFFSET}?)?", re.ASCII)
INTEGER = re.compile(r"-?\d{1,18}", re.ASCII)


class TimeFormat(IntEnum):
    """How times are written; the numbers are those of the contract."""

    RFC3339 = 1
    EPOCH_S = 2
    EPOCH_MS = 3
    EPOCH_US = 4
    EPOCH_NS = 5
    SESSION_DATE = 6


NS_PER_UNIT = {
    TimeFormat.EPOCH_S: 1_000_000_000,
    TimeFormat.EPOCH_MS: 1_000_000,
    TimeFormat.EPOCH_US: 1_000,
    TimeFormat.EPOCH_NS: 1,
    TimeFormat.SESSION_DATE: 1,
}


@dataclass(frozen=True, slots=True)
class TimeRules:
    """How to read the times of one file."""

    format: TimeFormat
    zone: ZoneInfo | None
    grid: Grid


def read_times(cells: Cells, rules: TimeRules) -> tuple[Instants, list[BadCell]]:
    """Return when each candle opens, and the cells that do not say so (their time is 0)."""
    if rules.format is TimeFormat.RFC3339:
        return _instants(cells.texts, rules.zone)
    if rules.format is not TimeFormat.SESSION_DATE:
        return _scaled_integers(cells, NS_PER_UNIT[rules.format], rules.format.name)
    days, bad = _days(cells)
    opens_ns = rules.grid.opens_on(days)
    known_bad = {cell.row for cell in bad}
    for row in np.flatnonzero(opens_ns == OFF_GRID).tolist():
        if row not in known_bad:
            date = np.datetime64(int(days[row]), "D")
            text = f"{date} is no session of the instrument's calendar"
            bad.append(BadCell(row, RowFault.OFF_GRID, text))
    return np.where(opens_ns == OFF_GRID, 0, opens_ns), bad


def _days(cells: Cells) -> tuple[Instants, list[BadCell]]:
    if cells.numbers is not None:
        return _scaled_integers(cells, 1, "SESSION_DATE")
    return _read_each(cells.texts, _day, "must be a date such as '2024-01-02'")


def _day(text: str) -> int:
    if not SESSION_DATE.fullmatch(text):
        raise ValueError
    date = datetime.fromisoformat(text[:DATE_LENGTH])
    return date.toordinal() - EPOCH.toordinal()


def _scaled_integers(cells: Cells, unit: int, name: str) -> tuple[Instants, list[BadCell]]:
    """Return whole numbers times `unit`; fractions of the smallest unit are refused."""
    divisor = 10**-cells.exponent
    limit = DAYS_MAX * NS_PER_DAY // unit

    def scaled(number: int) -> int:
        whole, rest = divmod(number * unit, divisor)
        if abs(number) >= limit * divisor or rest:
            raise ValueError
        return int(whole)

    hint = f"must be a whole number as {name} says, before the year 2243"
    if cells.numbers is None:
        return _read_each(cells.texts, lambda text: scaled(_integer(text)), hint)
    if cells.exponent == 0 and int(np.abs(cells.numbers).max(initial=0)) < limit:
        return cells.numbers * unit, []
    return _read_each(
        [str(n) for n in cells.numbers.tolist()], lambda text: scaled(int(text)), hint
    )


def _integer(text: str) -> int:
    if not INTEGER.fullmatch(text):
        raise ValueError
    return int(text)


def _instants(texts: Sequence[str], zone: ZoneInfo | None) -> tuple[Instants, list[BadCell]]:
    joined = "\n".join(texts)
    try:
        if UTC_INSTANTS.fullmatch(joined):
            return _utc_ns(joined.translate(NO_ZULU)), []
        if zone and LOCAL_INSTANTS.fullmatch(joined):
            local_ns = _utc_ns(joined)
            offsets_ns = _offsets_ns(local_ns, zone)
            if offsets_ns is not None:
                return local_ns - offsets_ns, []
    except ValueError:
        pass  # Some date does not exist, such as 30 February: find which.
    return _read_each(
        texts,
        lambda text: _instant_ns(text, zone),
        "must be a time such as '2024-01-02T14:30:00Z'",
    )


NO_ZULU = str.maketrans("Tt", "TT", "Zz")


def _utc_ns(joined: str) -> Instants:
    micros = np.array(joined.split("\n"), dtype="datetime64[us]").astype(np.int64)
    return np.asarray(micros * NS_PER_MICRO)


def _offsets_ns(local_ns: Instants, zone: ZoneInfo) -> Instants | None:
    """Return the zone's offset at each local time; None if clocks change in one of the hours."""
    hours, places = np.unique(local_ns // NS_PER_HOUR, return_inverse=True)
    offsets = []
    for hour in hours.tolist():
        start = EPOCH.replace(tzinfo=None) + timedelta(hours=hour)  # What the clocks show.
        ends = (start, start + timedelta(seconds=3599))
        seen = {zone.utcoffset(end.replace(fold=fold)) for end in ends for fold in (0, 1)}
        if len(seen) > 1:
            return None
        offsets.append(_as_ns(seen.pop() or timedelta()))
    return np.array(offsets, dtype=np.int64)[places]


class WithoutZone(ValueError):
    """The time states no zone, and none was declared."""


class Ambiguous(ValueError):
    """The zone's clocks showed this time twice, or never."""


def _instant_ns(text: str, zone: ZoneInfo | None) -> int:
    if not INSTANT.fullmatch(text):
        raise ValueError
    time = datetime.fromisoformat(text.upper())
    if time.tzinfo is None:
        if zone is None:
            raise WithoutZone
        time = time.replace(tzinfo=zone)
        if time.utcoffset() != time.replace(fold=1).utcoffset():
            raise Ambiguous
    return _as_ns(time - EPOCH)


def _as_ns(span: timedelta) -> int:
    return (span // timedelta(microseconds=1)) * NS_PER_MICRO


def _read_each(
    texts: Sequence[str], read: Callable[[str], int], hint: str
) -> tuple[Instants, list[BadCell]]:
    times = np.zeros(len(texts), dtype=np.int64)
    bad = []
    for row, text in enumerate(texts):
        try:
            times[row] = read(text)
        except (ValueError, OverflowError) as error:
            fault, must = _what_is_wrong(error, text, hint)
            bad.append(BadCell(row, fault, f"time is {text!r}, {must}"))
    return times, bad


def _what_is_wrong(error: Exception, text: str, hint: str) -> tuple[RowFault, str]:
    if isinstance(error, WithoutZone):
        return RowFault.TIME_WITHOUT_ZONE, "must state its offset, or the import its timezone"
    if isinstance(error, Ambiguous):
        must = "must state its offset: the zone's clocks show this time twice or never"
        return RowFault.TIME_AMBIGUOUS, must
    return RowFault.TIME_MALFORMED if text else RowFault.VALUE_MISSING, hint
