"""The candles of one instrument and timeframe as columns of exact integers."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np

from services.marketdata.calendars import Instants
from services.marketdata.candles import Candle, CandleKind, Source
from services.marketdata.timeframes import Timeframe

UNKNOWN = -1
RANGE = ("open", "high", "low")
PRICES = (*RANGE, "close")
OPTIONAL = ("volume", "quote_volume", "trade_count")


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """Numbers as integers times 10^`exponent`; UNKNOWN where the source has none."""

    values: Instants
    exponent: int = 0

    def at(self, row: int) -> Decimal | None:
        """Return the number in `row`, exactly."""
        value = int(self.values[row])
        return None if value == UNKNOWN else Decimal(value).scaleb(self.exponent)

    def rescaled(self, exponent: int) -> "Column":
        """Return the same numbers with a finer `exponent`; raises OverflowError beyond int64."""
        if exponent == self.exponent:
            return self
        factor = 10 ** (self.exponent - exponent)
        known = self.values != UNKNOWN
        if known.any() and int(np.abs(self.values[known]).max()) * factor >= 2**63:
            raise OverflowError(f"numbers need more than 18 digits at 10^{exponent}")
        return Column(np.where(known, self.values * factor, UNKNOWN), exponent)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Series:
    """Candles of one line, oldest first; `columns` has what the source knows, by field name."""

    instrument: str
    timeframe: Timeframe
    source: Source
    opens_ns: Instants
    closes_ns: Instants
    columns: Mapping[str, Column]

    def __len__(self) -> int:
        return len(self.opens_ns)

    @property
    def kind(self) -> CandleKind:
        """What the columns allow; a single candle may know less."""
        if "open" not in self.columns:
            return CandleKind.CLOSE_ONLY
        return CandleKind.OHLCV if "volume" in self.columns else CandleKind.OHLC

    def candle(self, row: int) -> Candle:
        """Return the candle in `row`, confirmed and in its first revision."""
        cells = {name: column.at(row) for name, column in self.columns.items()}
        close, trades = cells["close"], cells.get("trade_count")
        assert close is not None
        is_volume_lost = self.kind is CandleKind.OHLCV and cells["volume"] is None
        return Candle(
            instrument=self.instrument,
            timeframe=self.timeframe,
            kind=CandleKind.OHLC if is_volume_lost else self.kind,
            open_ns=int(self.opens_ns[row]),
            close_ns=int(self.closes_ns[row]),
            open=cells.get("open"),
            high=cells.get("high"),
            low=cells.get("low"),
            close=close,
            volume=cells.get("volume"),
            quote_volume=cells.get("quote_volume"),
            trade_count=None if trades is None else int(trades),
            source=self.source,
        )

    def candles(self) -> Iterator[Candle]:
        """Yield every candle, oldest first."""
        return (self.candle(row) for row in range(len(self)))

    def rows(self, first: int, stop: int) -> "Series":
        """Return the candles in rows `first` to `stop`, the latter left out."""
        return replace(
            self,
            opens_ns=self.opens_ns[first:stop],
            closes_ns=self.closes_ns[first:stop],
            columns={
                name: Column(column.values[first:stop], column.exponent)
                for name, column in self.columns.items()
            },
        )

    def row_at(self, time_ns: int) -> int:
        """Return the first row that opens at or after `time_ns`."""
        return int(np.searchsorted(self.opens_ns, time_ns))
