"""The load generator `square-v1` (rule D9): a price wave that turns every four candles.

It carries no market meaning. EMA(2) and EMA(5) of it cross on exactly a quarter of the
candles, so a crossover strategy has a known share of signals.
"""

import numpy as np

from services.marketdata.calendars import Instants
from services.marketdata.timeframes import Timeframe

DATASET = "square-v1"
TIMEFRAMES = (Timeframe.SECOND_1, Timeframe.MINUTE_1)
EXPONENT = -2  # Prices are whole cents.
VOLUME = 1_000
CENTRE_CENTS = 10_000
HALF_HEIGHT = 0.005
WALK_SIGMA = 0.0002
WALK_UNIT = 1e-9
HALF_PERIOD = 4
PHASES = 8
STEPS = (0, 3, 8, 10)  # When it is at its open, first extreme, second extreme and close.


def square_bars(seed: int, index: int, count: int) -> Instants:
    """Return the first `count` bars of instrument `index` (0..99): rows of O, H, L, C in cents.

    The walk's steps are whole billionths and summed as integers, so the same seed gives the
    same bytes in any process; one instrument's path does not depend on the others.
    """
    steps = np.arange(-1, count)
    is_high = (steps + index % PHASES) // HALF_PERIOD % 2 == 0
    walk = np.concatenate([[0], np.cumsum(_walk_steps(seed, index, count))]) * WALK_UNIT
    height = np.where(is_high, HALF_HEIGHT, -HALF_HEIGHT)
    prices = np.rint(CENTRE_CENTS * np.exp(height + walk)).astype(np.int64)
    opens, closes = prices[:-1], prices[1:]
    highs, lows = np.maximum(opens, closes) + 1, np.minimum(opens, closes) - 1
    return np.stack([opens, highs, lows, closes], axis=1)


def _walk_steps(seed: int, index: int, count: int) -> Instants:
    """Return the random walk's steps in billionths; the generator's key is (seed, index)."""
    key = np.array([seed % 2**64, index + 1], dtype=np.uint64)
    draws = np.random.Generator(np.random.Philox(key=key)).standard_normal(count)
    return np.asarray(np.rint(draws * (WALK_SIGMA / WALK_UNIT)), dtype=np.int64)


def square_steps(bars: Instants) -> Instants:
    """Return ten prices in each bar, in cents: by its low and high to its close, or the reverse.

    A rising bar goes down to its low first, a falling one up to its high.
    """
    opens, highs, lows, closes = bars.T
    is_rising = closes >= opens
    points = [opens, np.where(is_rising, lows, highs), np.where(is_rising, highs, lows), closes]
    steps = []
    for number in range(1, STEPS[-1] + 1):
        leg = next(leg for leg in range(1, len(STEPS)) if number <= STEPS[leg])
        gone, length = number - STEPS[leg - 1], STEPS[leg] - STEPS[leg - 1]
        steps.append(points[leg - 1] + (points[leg] - points[leg - 1]) * gone // length)
    return np.stack(steps, axis=1)
