"""The import of a user's history (rule D10): blocks of columns in, one valid series out.

Whole columns are judged at once; only rows that are wrong are looked at one by one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from services.marketdata.calendars import Instants
from services.marketdata.candles import Adjustment, Source
from services.marketdata.cell_times import TimeRules, read_times
from services.marketdata.cells import Cells, RowFault, read_numbers
from services.marketdata.grid import OFF_GRID
from services.marketdata.refusals import MarketDataRefused, Refusal, RejectedRow
from services.marketdata.series import OPTIONAL, PRICES, RANGE, Column, Series
from services.marketdata.timeframes import Timeframe

REJECTED_SHARE_MAX = 0.1
REJECTED_SHOWN_MAX = 100
ROWS_BEFORE_STOP = 1_000  # Fewer rows say nothing about the share of the whole file.

USUAL_NAMES = {"trade_count": "trades"}  # Where files name a column otherwise than we do.

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What the rows are. `names` maps our column names to the file's, where it says so.

    `tick_size` is None when the instrument is not known yet.
    """

    instrument: str
    timeframe: Timeframe
    source: Source
    times: TimeRules
    names: Mapping[str, str] = field(default_factory=dict)
    tick_size: Decimal | None = None
    is_decimal_comma: bool = False
    is_partial_allowed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What an import came to. `accepted` counts rows, merged ones once."""

    series: Series
    rows: int
    rejected: tuple[RejectedRow, ...]

    @property
    def accepted(self) -> int:
        """How many candles there are."""
        return len(self.series)


@dataclass(frozen=True, slots=True, eq=False)
class _Block:
    lines: Instants
    opens_ns: Instants
    closes_ns: Instants
    columns: dict[str, Column]


class CandleImport:
    """Takes the rows of one file block by block; `finish` gives the series they make."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._columns: dict[str, str] = {}  # Our name to the file's, of the columns there are.
        self._blocks: list[_Block] = []
        self._rejected: dict[int, RejectedRow] = {}
        self._rows = 0

    def add(self, lines: Instants, columns: Mapping[str, Cells]) -> None:
        """Judge some rows. Raises MarketDataRefused: wrong columns, or over 10 % of rows wrong."""
        self._columns = self._columns or present_columns(self._layout.names, columns)
        cells = {ours: columns.get(theirs) for ours, theirs in self._columns.items()}
        if any(c is None or len(c) != len(lines) for c in cells.values()):
            raise MarketDataRefused(
                Refusal.COLUMNS_UNEVEN,
                f"rows from line {lines[0]} on: every block must have the columns"
                f" {sorted(self._columns.values())} with one cell for each of its"
                f" {len(lines)} lines",
            )
        self._rows += len(lines)
        self._judge(lines, {ours: c for ours, c in cells.items() if c is not None})
        if self._rows >= ROWS_BEFORE_STOP:
            self._stop_if_hopeless()

    def finish(self) -> Imported:
        """Return the sorted series. Raises MarketDataRefused if no row, or too many wrong ones."""
        series = self._sorted() if self._blocks else None
        rejected = self.rejected
        if rejected and not self._layout.is_partial_allowed:
            raise MarketDataRefused(
                Refusal.LINES_REJECTED,
                f"{len(self._rejected)} of {self._rows} lines are wrong, nothing is stored."
                f" {rejected[0]}",
                rejected,
            )
        self._stop_if_hopeless()
        if series is None:
            raise MarketDataRefused(
                Refusal.NO_ROWS, "the file has no rows, must have at least one candle"
            )
        return Imported(series=series, rows=self._rows, rejected=rejected)

    @property
    def rejected(self) -> tuple[RejectedRow, ...]:
        """The first 100 wrong lines, by line."""
        return tuple(sorted(self._rejected.values())[:REJECTED_SHOWN_MAX])

    def _judge(self, lines: Instants, cells: Mapping[str, Cells]) -> None:
        opens_ns, bad = read_times(cells["time"], self._layout.times)
        columns = {}
        for name in sorted(cells):
            if name != "time":
                columns[name], wrong = read_numbers(
                    self._columns[name],
                    cells[name],
                    is_decimal_comma=self._layout.is_decimal_comma,
                )
                bad += wrong
        for cell in bad:
            self._reject(int(lines[cell.row]), cell.fault, cell.text)
        is_good = np.ones(len(lines), dtype=np.bool_)
        is_good[[cell.row for cell in bad]] = False
        closes_ns = self._layout.times.grid.closes_of(opens_ns)
        block = _Block(lines, opens_ns, closes_ns, columns)
        for fault, is_wrong in faults(block, self._layout):
            for row in np.flatnonzero(is_wrong & is_good).tolist():
                self._reject(int(lines[row]), fault, _row_text(block, row))
            is_good &= ~is_wrong
        self._blocks.append(_chosen(block, is_good))

    def _sorted(self) -> Series:
        """Return all rows by time, equal ones merged; different ones of one time rejected."""
        rows = _joined(self._blocks)
        rows = _chosen(rows, np.argsort(rows.opens_ns, kind="stable"))
        is_repeat = np.zeros(len(rows.lines), dtype=np.bool_)
        is_repeat[1:] = rows.opens_ns[1:] == rows.opens_ns[:-1]
        first = np.maximum.accumulate(np.where(is_repeat, 0, np.arange(len(is_repeat))))
        differs = np.zeros_like(is_repeat)
        for column in rows.columns.values():
            differs |= column.values != column.values[first]
        for row in np.flatnonzero(differs).tolist():
            text = f"line {rows.lines[first[row]]} has other values for the same time"
            self._reject(int(rows.lines[row]), RowFault.CONFLICT, text)
        rows = _chosen(rows, ~is_repeat)
        return Series(
            instrument=self._layout.instrument,
            timeframe=self._layout.timeframe,
            source=self._layout.source,
            opens_ns=rows.opens_ns,
            closes_ns=rows.closes_ns,
            columns=rows.columns,
        )

    def _reject(self, line: int, fault: RowFault, text: str) -> None:
        self._rejected.setdefault(line, RejectedRow(line, fault, text))

    def _stop_if_hopeless(self) -> None:
        if len(self._rejected) > REJECTED_SHARE_MAX * self._rows:
            rejected = self.rejected
            raise MarketDataRefused(
                Refusal.TOO_MANY_REJECTED,
                f"{len(self._rejected)} of the first {self._rows} lines are wrong, over"
                f" {REJECTED_SHARE_MAX:.0%}: is the layout declared right?"
                f" {rejected[0]}",
                rejected,
            )


def present_columns(names: Mapping[str, str], columns: Mapping[str, Cells]) -> dict[str, str]:
    """Return which columns there are: our name to the file's.

    Raises MarketDataRefused when a stated or required one is missing, or when what is there is
    neither O,H,L,C,V nor O,H,L,C nor the close alone.
    """
    ours = ("time", *PRICES, *OPTIONAL)
    wanted = {name: names.get(name) or USUAL_NAMES.get(name, name) for name in ours}
    for name, theirs in wanted.items():
        if theirs not in columns and (names.get(name) or name in {"time", "close"}):
            raise MarketDataRefused(
                Refusal.COLUMN_MISSING,
                f"column {theirs!r} for {name} must be in the file, which has {sorted(columns)}",
            )
    present = {name: theirs for name, theirs in wanted.items() if theirs in columns}
    has_range = [name in present for name in RANGE]
    if not all(has_range) and (any(has_range) or any(name in present for name in OPTIONAL)):
        raise MarketDataRefused(
            Refusal.COLUMNS_AMBIGUOUS,
            f"columns are {sorted(present)}, must be time and open, high, low, close with or"
            " without volume, or time and close alone: map or remove columns",
        )
    return present


def faults(block: _Block, layout: Layout) -> list[tuple[RowFault, Flags]]:
    """Return the rules of D2 in order, each with the rows that break it."""
    prices = [block.columns[name] for name in PRICES if name in block.columns]
    counts = [block.columns[name] for name in OPTIONAL if name in block.columns]
    no = np.zeros(len(block.lines), dtype=np.bool_)
    return [
        (RowFault.PRICE_NOT_POSITIVE, _any_of(no, [price.values <= 0 for price in prices])),
        (RowFault.VOLUME_NEGATIVE, _any_of(no, [count.values < 0 for count in counts])),
        (RowFault.VOLUME_NEGATIVE, _is_fraction(block.columns.get("trade_count"), no)),
        (RowFault.OHLC_INCONSISTENT, _is_inconsistent(block.columns) if len(prices) > 1 else no),
        (RowFault.PRICE_OFF_TICK, _any_of(no, [_is_off_tick(price, layout) for price in prices])),
        (RowFault.OFF_GRID, block.closes_ns == OFF_GRID),
    ]


def _any_of(no: Flags, flags: Sequence[Flags]) -> Flags:
    return np.asarray(np.logical_or.reduce([no, *flags]), dtype=np.bool_)


def _is_fraction(count: Column | None, no: Flags) -> Flags:
    return no if count is None else np.asarray(count.values % 10**-count.exponent != 0)


def _is_inconsistent(columns: Mapping[str, Column]) -> Flags:
    exponent = min(columns[name].exponent for name in PRICES)
    opens, highs, lows, closes = (columns[name].rescaled(exponent).values for name in PRICES)
    return np.asarray(
        (lows > np.minimum(opens, closes)) | (highs < np.maximum(opens, closes)), dtype=np.bool_
    )


def _is_off_tick(price: Column, layout: Layout) -> Flags:
    if layout.tick_size is None or layout.source.adjustment is not Adjustment.RAW:
        return np.zeros(len(price.values), dtype=np.bool_)
    tick = layout.tick_size.scaleb(-price.exponent)
    if tick == tick.to_integral_value():
        return np.asarray(price.values % int(tick) != 0)
    # The tick is finer than the file's decimals.
    ticks = [Decimal(value) % tick != 0 for value in price.values.tolist()]
    return np.array(ticks, dtype=np.bool_)


def _chosen(block: _Block, rows: Flags | Instants) -> _Block:
    return _Block(
        block.lines[rows],
        block.opens_ns[rows],
        block.closes_ns[rows],
        {n: Column(c.values[rows], c.exponent) for n, c in block.columns.items()},
    )


def _joined(blocks: Sequence[_Block]) -> _Block:
    columns = {}
    for name in blocks[0].columns:
        parts = [block.columns[name] for block in blocks]
        exponent = min(part.exponent for part in parts)
        try:
            values = np.concatenate([part.rescaled(exponent).values for part in parts])
        except OverflowError as error:
            raise MarketDataRefused(Refusal.NUMBERS_TOO_WIDE, f"column {name}: {error}") from None
        columns[name] = Column(values, exponent)
    return _Block(
        np.concatenate([block.lines for block in blocks]),
        np.concatenate([block.opens_ns for block in blocks]),
        np.concatenate([block.closes_ns for block in blocks]),
        columns,
    )


def _row_text(block: _Block, row: int) -> str:
    time = np.datetime64(int(block.opens_ns[row]), "ns")
    cells = ", ".join(f"{name} {column.at(row)}" for name, column in block.columns.items())
    return f"{np.datetime_as_string(time, unit='s')}Z {cells}"
