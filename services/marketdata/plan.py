"""The order of a replay: which candles of which instruments come together, and when."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from services.marketdata.candles import Candle
from services.marketdata.series import Series
from services.marketdata.timeframes import Timeframe


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What somebody wants replayed; no instruments: all of the dataset."""

    dataset: str
    timeframe: Timeframe
    instruments: tuple[str, ...] = ()
    from_ns: int | None = None
    to_ns: int | None = None
    seed: int = 0
    history_count: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """Lines of candles to replay; of each, `history_count` before `from_ns` come first."""

    lines: Sequence[Series]
    from_ns: int
    to_ns: int
    history_count: int = 0

    @property
    def instruments(self) -> frozenset[str]:
        """Whose candles these are."""
        return frozenset(line.instrument for line in self.lines)

    @property
    def total(self) -> int:
        """How many candles there are, the history not counted."""
        return sum(len(line) for line in self._spans())

    def steps(self) -> Iterator[list[Candle]]:
        """Yield all candles that close at one instant, by instrument, instant after instant."""
        return _by_close(self._spans())

    def history(self) -> Iterator[list[Candle]]:
        """Yield the candles before, in the same way."""
        rows = [line.row_at(self.from_ns) for line in self.lines]
        return _by_close(
            [
                line.rows(max(0, row - self.history_count), row)
                for line, row in zip(self.lines, rows, strict=True)
            ]
        )

    def _spans(self) -> list[Series]:
        return [
            line.rows(line.row_at(self.from_ns), line.row_at(self.to_ns)) for line in self.lines
        ]


def _by_close(lines: Sequence[Series]) -> Iterator[list[Candle]]:
    in_order = sorted((line for line in lines if len(line)), key=lambda line: line.instrument)
    if not in_order:
        return
    closes_ns = [line.closes_ns.tolist() for line in in_order]
    rows = [0] * len(in_order)
    for now_ns in np.unique(np.concatenate([line.closes_ns for line in in_order])).tolist():
        step = []
        for place, line in enumerate(in_order):
            row = rows[place]
            if row < len(line) and closes_ns[place][row] == now_ns:
                step.append(line.candle(row))
                rows[place] = row + 1
        yield step
