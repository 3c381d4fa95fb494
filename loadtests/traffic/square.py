"""The path of `square-v1` (D9): EMA(2) and EMA(5) of it cross on every fourth candle.

It carries no market meaning. Source: specification of the pipeline, section 4.
"""

import numpy as np
from google.type.decimal_pb2 import Decimal
from numpy.typing import NDArray
from trading.types.v1 import market_pb2

from runtime.times import NS_PER_S, to_timestamp

CENTRE_CENTS = 10_000
HALF_HEIGHT = 0.005
HALF_PERIOD, PHASES = 4, 8
WALK_SIGMA, WALK_UNIT = 0.0002, 1e-9  # Steps are whole billionths: equal bytes everywhere.
VOLUME = Decimal(value="1000")


def square_bars(seed: int, index: int, count: int) -> NDArray[np.int64]:
    """Return the first `count` bars of instrument `index`: rows of O, H, L, C in cents."""
    steps = np.arange(-1, count)
    is_high = (steps + index % PHASES) // HALF_PERIOD % 2 == 0
    key = np.array([seed % 2**64, index + 1], dtype=np.uint64)
    draws = np.random.Generator(np.random.Philox(key=key)).standard_normal(count)
    walk = np.cumsum(np.rint(draws * (WALK_SIGMA / WALK_UNIT)).astype(np.int64)) * WALK_UNIT
    height = np.where(is_high, HALF_HEIGHT, -HALF_HEIGHT)
    prices = np.rint(CENTRE_CENTS * np.exp(height + np.append(0.0, walk))).astype(np.int64)
    opens, closes = prices[:-1], prices[1:]
    highs, lows = np.maximum(opens, closes) + 1, np.minimum(opens, closes) - 1
    return np.stack([opens, highs, lows, closes], axis=1)


def second_candle(instrument: str, open_s: int, bar: list[int]) -> market_pb2.Candle:
    """Return the candle of the second that begins at `open_s`."""
    first, high, low, close = (_price(cents) for cents in bar)
    return market_pb2.Candle(
        instrument=instrument,
        timeframe=market_pb2.TIMEFRAME_SECOND_1,
        kind=market_pb2.CANDLE_KIND_OHLCV,
        open_time=to_timestamp(open_s * NS_PER_S),
        close_time=to_timestamp((open_s + 1) * NS_PER_S),
        open=first,
        high=high,
        low=low,
        close=close,
        volume=VOLUME,
        is_confirmed=True,
        source=SOURCE,
    )


SOURCE = market_pb2.DataSource(
    dataset="square-v1",
    provider="load",
    adjustment=market_pb2.ADJUSTMENT_RAW,
    is_synthetic=True,
    process="square-v1",
)


def _price(cents: int) -> Decimal:
    return Decimal(value=f"{cents // 100}.{cents % 100:02d}")
