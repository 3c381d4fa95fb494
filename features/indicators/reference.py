"""What the reference library says about candles."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import talib
from numpy.typing import NDArray
from trading.types.v1.indicator_pb2 import IndicatorSeries
from trading.types.v1.market_pb2 import Candle

Column = NDArray[np.float64]
Reference = Callable[[Column, Column, Column], Sequence[Column]]

REFERENCES: Mapping[str, Reference] = {
    "SMA": lambda high, low, close: [talib.SMA(close, 20)],
    "EMA": lambda high, low, close: [talib.EMA(close, 12)],
    "RSI": lambda high, low, close: [talib.RSI(close, 9)],
    "MACD": lambda high, low, close: talib.MACD(close, 12, 26, 9),
    "ATR": lambda high, low, close: [talib.ATR(high, low, close, 14)],
    "BBANDS": lambda high, low, close: talib.BBANDS(close, 13, nbdevup=2.5, nbdevdn=2.5),
}
"""By kind, with the defaults of the contract; in the order of the outputs."""


def columns_of(candles: Sequence[Candle]) -> tuple[Column, Column, Column]:
    """Return highs, lows and closes."""
    rows = [[float(getattr(c, name).value) for name in ("high", "low", "close")] for c in candles]
    high, low, close = np.ascontiguousarray(np.array(rows).T)
    return high, low, close


def assert_equal(found: Sequence[IndicatorSeries], expected: Sequence[Column]) -> None:
    """Compare each series of the library; what only the service has is passed over."""
    for series, column in zip(found, expected, strict=False):
        assert np.isnan(column[: series.first_index]).all(), series.name
        np.testing.assert_allclose(
            np.array(series.values), column[series.first_index :], rtol=1e-9, atol=1e-12
        )
