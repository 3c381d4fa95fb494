"""Shapes of one, two or three bars: 1 where they are, 0 where they are not."""

from collections.abc import Sequence

from services.indicators.kernels.bars import CLOSE, HIGH, LOW, OPEN, Bars, Floats


def engulfing(setup: Sequence[float], state: Floats, bars: Bars, out: Floats) -> None:
    """A bar that starts beyond the one before and closes beyond its other end."""
    opened = bars[OPEN]
    high = bars[HIGH]
    low = bars[LOW]
    close = bars[CLOSE]
    for i in range(len(close)):
        was_opened, was_high, was_low, was_closed = state[1], state[2], state[3], state[4]
        span = high[i] - low[i]
        if state[0] > 0.0 and span > 0.0:
            is_bodied = abs(close[i] - opened[i]) / span > setup[0]
            is_low = opened[i] < was_opened or low[i] < was_low
            is_high = opened[i] > was_opened or high[i] > was_high
            is_above = close[i] > was_opened and close[i] > was_high
            is_below = close[i] < was_opened and close[i] < was_low
            is_bull = is_bodied and was_closed < was_opened and is_low and is_above
            is_bear = is_bodied and was_closed > was_opened and is_high and is_below
            out[2 * i] = 1.0 if is_bull else 0.0
            out[2 * i + 1] = 1.0 if is_bear else 0.0
        state[0] = 1.0
        state[1], state[2], state[3], state[4] = opened[i], high[i], low[i], close[i]


def hammer(setup: Sequence[float], state: Floats, bars: Bars, out: Floats) -> None:
    """A long shadow on one side: below is a hammer, above a hanging man."""
    opened = bars[OPEN]
    high = bars[HIGH]
    low = bars[LOW]
    close = bars[CLOSE]
    for i in range(len(close)):
        span = high[i] - low[i]
        if span > 0.0:
            below = min(opened[i], close[i]) - low[i]
            above = high[i] - max(opened[i], close[i])
            out[2 * i] = 1.0 if below / span > setup[0] and below > above else 0.0
            out[2 * i + 1] = 1.0 if above / span > setup[0] and above > below else 0.0


def fvg(setup: Sequence[float], state: Floats, bars: Bars, out: Floats) -> None:
    """A span of prices that neither this bar nor the one two before it traded at."""
    high = bars[HIGH]
    low = bars[LOW]
    for i in range(len(high)):
        before_high, before_low = state[1], state[2]
        if state[0] >= 2.0:
            is_bull = low[i] > before_high
            is_bear = high[i] < before_low
            out[4 * i] = 1.0 if is_bull else 0.0
            out[4 * i + 1] = 1.0 if is_bear else 0.0
            if is_bull:
                out[4 * i + 2] = low[i]
                out[4 * i + 3] = before_high
            elif is_bear:
                out[4 * i + 2] = before_low
                out[4 * i + 3] = high[i]
        state[0] += 1.0
        state[1], state[2] = state[3], state[4]
        state[3], state[4] = high[i], low[i]
