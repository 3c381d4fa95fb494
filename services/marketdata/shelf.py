"""The datasets that can be replayed: bundled ones, generators, and the user's imports."""

from collections.abc import Sequence

import numpy as np

from runtime.stores import Database
from services.marketdata import library
from services.marketdata.candles import CandleKind
from services.marketdata.datasets import BUNDLED, Dataset, read_series
from services.marketdata.generated import GENERATORS, generate_series
from services.marketdata.library import ImportedLine
from services.marketdata.plan import Plan, Wanted
from services.marketdata.refusals import MarketDataRefused, Refusal
from services.marketdata.series import Series
from services.marketdata.timeframes import DURATION_NS, Timeframe

GENERATED_ROWS_MAX = 2_000_000
IMPORT_PREFIX = "import:"


class Shelf:
    """Knows every dataset and reads what a replay needs of it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lines: dict[tuple[str, str, Timeframe], ImportedLine] = {}

    async def start(self) -> None:
        """Learn which imports are stored."""
        for line in await self._database.read(library.lines):
            self.put(line)

    def put(self, line: ImportedLine) -> None:
        """Add a line that was just stored, or replace the former one."""
        self._lines[line.dataset, line.instrument, line.timeframe] = line

    def datasets(self) -> list[Dataset]:
        """Return every dataset, by name."""
        imported = sorted({name for name, _, _ in self._lines})
        found = [*BUNDLED.values(), *(self.imported(name) for name in imported)]
        return sorted(found, key=lambda dataset: dataset.name)

    def dataset(self, name: str) -> Dataset:
        """Return one dataset. Raises MarketDataRefused."""
        if name in BUNDLED:
            return BUNDLED[name]
        if not any(name == known for known, _, _ in self._lines):
            names = ", ".join(dataset.name for dataset in self.datasets())
            raise MarketDataRefused(
                Refusal.UNKNOWN_DATASET, f"dataset is {name!r}, must be one of: {names}"
            )
        return self.imported(name)

    def imported(self, name: str, *more: ImportedLine) -> Dataset:
        """Return an imported dataset, as it will be with `more` lines."""
        lines = {key: line for key, line in self._lines.items() if line.dataset == name}
        lines |= {(line.dataset, line.instrument, line.timeframe): line for line in more}
        return _as_dataset(name, [lines[key] for key in sorted(lines)])

    async def plan(self, wanted: Wanted) -> Plan:
        """Read what a replay needs. Raises MarketDataRefused."""
        dataset = self.dataset(wanted.dataset)
        names = wanted.instruments or dataset.instruments
        missing = [name for name in names if name not in dataset.instruments]
        if missing:
            raise MarketDataRefused(
                Refusal.UNKNOWN_INSTRUMENT,
                f"{dataset.name} has no {', '.join(missing)}, must be of"
                f" {', '.join(dataset.instruments)}",
            )
        if wanted.timeframe not in dataset.timeframes:
            known = ", ".join(timeframe.name for timeframe in dataset.timeframes)
            raise MarketDataRefused(
                Refusal.TIMEFRAME_UNAVAILABLE,
                f"{dataset.name} has no {wanted.timeframe.name} candles, must be {known}",
            )
        if dataset.name in GENERATORS:
            return _generated(wanted, names)
        return _recorded(wanted, [await self._read(wanted, name) for name in names])

    async def _read(self, wanted: Wanted, instrument: str) -> Series:
        if wanted.dataset in BUNDLED:
            return read_series(wanted.dataset, instrument)
        line = self._lines.get((wanted.dataset, instrument, wanted.timeframe))
        if line is None:
            raise MarketDataRefused(
                Refusal.TIMEFRAME_UNAVAILABLE,
                f"{wanted.dataset} has no {wanted.timeframe.name} candles of {instrument}:"
                " import them, or leave the instrument out",
            )
        return await self._database.read(lambda tx: library.read_line(tx, line))


def _recorded(wanted: Wanted, lines: Sequence[Series]) -> Plan:
    first_ns = min(int(line.opens_ns[0]) for line in lines)
    last_ns = max(int(line.opens_ns[-1]) for line in lines)
    plan = Plan(
        lines,
        first_ns if wanted.from_ns is None else wanted.from_ns,
        last_ns + 1 if wanted.to_ns is None else wanted.to_ns,
        wanted.history_count,
    )
    if plan.total:
        return plan
    raise MarketDataRefused(
        Refusal.SPAN_EMPTY,
        f"{wanted.dataset} has no candle that opens from from_time on and before to_time,"
        f" must have one: it has them from {np.datetime64(first_ns, 'ns')}"
        f" to {np.datetime64(last_ns, 'ns')}",
    )


def _generated(wanted: Wanted, instruments: Sequence[str]) -> Plan:
    if wanted.from_ns is None or wanted.to_ns is None or wanted.from_ns >= wanted.to_ns:
        raise MarketDataRefused(
            Refusal.SPAN_EMPTY,
            f"{wanted.dataset} has no span of its own: from_time and to_time must be given,"
            " and leave room for a candle",
        )
    step_ns = DURATION_NS[wanted.timeframe]
    from_ns = -(-wanted.from_ns // step_ns) * step_ns  # The first opening on the grid.
    count = -(-(wanted.to_ns - from_ns) // step_ns) + wanted.history_count
    if count > GENERATED_ROWS_MAX:
        raise MarketDataRefused(
            Refusal.SPAN_TOO_LONG,
            f"{count} candles of each instrument, must be {GENERATED_ROWS_MAX} or fewer",
        )
    start_ns = from_ns - wanted.history_count * step_ns
    lines = [
        generate_series(name, wanted.timeframe, seed=wanted.seed, start_ns=start_ns, count=count)
        for name in instruments
    ]
    return Plan(lines, from_ns, wanted.to_ns, wanted.history_count)


def _as_dataset(name: str, lines: Sequence[ImportedLine]) -> Dataset:
    has_range = [any(column == "open" for column, _ in line.exponents) for line in lines]
    has_volume = [any(column == "volume" for column, _ in line.exponents) for line in lines]
    kind = CandleKind.OHLC if all(has_range) else CandleKind.CLOSE_ONLY
    return Dataset(
        name=name,
        kind=CandleKind.OHLCV if all(has_volume) else kind,
        instruments=tuple(sorted({line.instrument for line in lines})),
        timeframes=tuple(sorted({line.timeframe for line in lines})),
        first_open_ns=min(line.first_open_ns for line in lines),
        last_close_ns=max(line.last_close_ns for line in lines),
        row_count=max(line.row_count for line in lines),
        gap_count=sum(line.gap_count for line in lines),
        adjustment=max(line.adjustment for line in lines),
        licence_note="Imported by a user, who answers for the right to use it.",
        caveat="As the user's file has it; checked for consistency, not for truth.",
    )
