"""Wilder's averages: strength and volatility."""

from collections.abc import Sequence

from services.indicators.kernels.bars import CLOSE, HIGH, LOW, Bars, Floats


def rsi(setup: Sequence[float], state: Floats, bars: Bars, out: Floats) -> None:
    """Wilder's relative strength: 100 without losses, 50 without any move."""
    period = setup[0]
    weight = 1.0 / period
    count, previous, gain, loss = state[0], state[1], state[2], state[3]
    close = bars[CLOSE]
    for i in range(len(close)):
        move = close[i] - previous
        up = move if move > 0.0 else 0.0
        down = -move if move < 0.0 else 0.0
        previous = close[i]
        count += 1.0
        if count > period + 1.0:
            gain += weight * (up - gain)
            loss += weight * (down - loss)
        elif count > 1.0:  # The first bar has no move.
            gain += (up - gain) / (count - 1.0)
            loss += (down - loss) / (count - 1.0)
        if count > period:
            moved = gain + loss
            out[i] = 100.0 * (gain / moved) if moved > 0.0 else 50.0
    state[0], state[1], state[2], state[3] = count, previous, gain, loss


def atr(setup: Sequence[float], state: Floats, bars: Bars, out: Floats) -> None:
    """Wilder's average of the true range, seeded with the average of the first n ranges."""
    period = setup[0]
    weight = 1.0 / period
    keep = 1.0 - weight
    count, previous, value = state[0], state[1], state[2]
    high = bars[HIGH]
    low = bars[LOW]
    close = bars[CLOSE]
    for i in range(len(close)):
        true_range = max(high[i], previous) - min(low[i], previous)
        previous = close[i]
        count += 1.0
        if count > period + 1.0:
            value = keep * value + weight * true_range
        elif count > 1.0:
            value += (true_range - value) / (count - 1.0)
        if count > period:
            out[i] = value
    state[0], state[1], state[2] = count, previous, value


def abs_move(setup: Sequence[float], state: Floats, bars: Bars, out: Floats) -> None:
    """Wilder's average of |close - previous close|: volatility without a range."""
    period = setup[0]
    weight = 1.0 / period
    keep = 1.0 - weight
    count, previous, value = state[0], state[1], state[2]
    close = bars[CLOSE]
    for i in range(len(close)):
        move = abs(close[i] - previous)
        previous = close[i]
        count += 1.0
        if count > period + 1.0:
            value = keep * value + weight * move
        elif count > 1.0:
            value += (move - value) / (count - 1.0)
        if count > period:
            out[i] = value
    state[0], state[1], state[2] = count, previous, value
