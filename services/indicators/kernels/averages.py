"""Averages of closes, and bands and differences made of them."""

from collections.abc import Sequence
from math import nan, sqrt

from services.indicators.kernels.bars import CLOSE, Bars, Floats

# Where the windowed kernels keep what: scalars, then the running block, then its tail sums.
COUNT, AT, REFERENCE, SUM, SQUARES, WINDOW = 0, 1, 2, 3, 4, 5


def ema(setup: Sequence[float], state: Floats, bars: Bars, out: Floats) -> None:
    """Exponential average, seeded with the plain average of the first n closes."""
    period = setup[0]
    weight = 2.0 / (period + 1.0)
    count, value = state[0], state[1]
    close = bars[CLOSE]
    for i in range(len(close)):
        count += 1.0
        if count > period:
            value += weight * (close[i] - value)
        else:
            value += (close[i] - value) / count
        if count >= period:
            out[i] = value
    state[0], state[1] = count, value


def ema_set(setup: Sequence[float], state: Floats, bars: Bars, out: Floats) -> None:
    """Seven exponential averages, and where the first crosses the second and the fourth."""
    count = state[0]
    close = bars[CLOSE]
    for i in range(len(close)):
        count += 1.0
        for k in range(7):
            move = close[i] - state[3 + k]
            is_seeded = count > setup[k]
            state[3 + k] += 2.0 / (setup[k] + 1.0) * move if is_seeded else move / count
        first, second, third, fourth = state[3], state[4], state[5], state[6]
        short, long = side(first, second, state[1]), side(first, fourth, state[2])
        short_cross = short if short != state[1] and state[1] != 0.0 else 0.0
        long_cross = long if long != state[2] and state[2] != 0.0 else 0.0
        if count >= setup[1]:
            state[1] = short
        if count >= setup[3]:
            state[2] = long
        if count < setup[6]:
            continue
        is_up = first > second and second > third and third > fourth
        is_down = first < second and second < third and third < fourth
        for k in range(7):
            out[9 * i + k] = state[3 + k]
        out[9 * i + 7] = short_cross
        is_ordered = is_up if long_cross > 0.0 else is_down
        out[9 * i + 8] = long_cross if is_ordered else 0.0
    state[0] = count


def side(one: float, other: float, was: float) -> float:
    """Return 1 if `one` is above `other`, -1 if it is below, `was` if they are equal."""
    if one > other:
        return 1.0
    return -1.0 if one < other else was


def sma(setup: Sequence[float], state: Floats, bars: Bars, out: Floats) -> None:
    """Plain average of the last n closes.

    The window is the tail of the block before and the head of this one; both sums only grow,
    so nothing cancels and nothing drifts, however long the series.
    """
    period = int(setup[0])
    share = 1.0 / setup[0]
    tails = WINDOW + period
    count, at = state[COUNT], int(state[AT])
    reference, head = state[REFERENCE], state[SUM]
    close = bars[CLOSE]
    for i in range(len(close)):
        price = close[i]
        if count == 0.0:
            reference = price
        count += 1.0
        state[WINDOW + at] = price
        at += 1
        head += price - reference
        if count >= period:
            out[i] = reference + (head + state[tails + at]) * share
        if at == period:
            reference = price
            head = 0.0
            for j in range(period - 1, 0, -1):
                head += state[WINDOW + j] - reference
                state[tails + j] = head
            at = 0
            head = 0.0
    state[COUNT], state[AT] = count, at
    state[REFERENCE], state[SUM] = reference, head


def bbands(setup: Sequence[float], state: Floats, bars: Bars, out: Floats) -> None:
    """Bands of so many population standard deviations around the average: see `sma`.

    Squares are taken from a price inside the window, so they do not cancel at high prices.
    """
    period = int(setup[0])
    share = 1.0 / setup[0]
    tails = WINDOW + period
    square_tails = tails + period + 1
    count, at, reference = state[COUNT], int(state[AT]), state[REFERENCE]
    head, squares = state[SUM], state[SQUARES]
    close = bars[CLOSE]
    for i in range(len(close)):
        price = close[i]
        if count == 0.0:
            reference = price
        count += 1.0
        state[WINDOW + at] = price
        at += 1
        shifted = price - reference
        head += shifted
        squares += shifted * shifted
        if count >= period:
            total = head + state[tails + at]
            mean = total * share
            middle = reference + mean
            variance = (squares + state[square_tails + at] - total * mean) * share
            half = setup[1] * sqrt(variance) if variance > 0.0 else 0.0
            out[4 * i] = middle + half
            out[4 * i + 1] = middle
            out[4 * i + 2] = middle - half
            out[4 * i + 3] = 2.0 * half / middle if middle > 0.0 else nan
        if at == period:
            reference = price
            head = squares = 0.0
            for j in range(period - 1, 0, -1):
                shifted = state[WINDOW + j] - reference
                head += shifted
                squares += shifted * shifted
                state[tails + j] = head
                state[square_tails + j] = squares
            at = 0
            head = squares = 0.0
    state[COUNT], state[AT], state[REFERENCE] = count, at, reference
    state[SUM], state[SQUARES] = head, squares


def macd(setup: Sequence[float], state: Floats, bars: Bars, out: Floats) -> None:
    """Fast less slow average, its signal average, their difference and its change.

    Both averages are seeded at bar `slow`, the fast one with the closes just before it, as
    the reference library does.
    """
    fast_period = setup[0]
    slow_period = setup[1]
    signal_period = setup[2]
    fast_weight = 2.0 / (fast_period + 1.0)
    slow_weight = 2.0 / (slow_period + 1.0)
    signal_weight = 2.0 / (signal_period + 1.0)
    warm = slow_period + signal_period - 1.0
    count, fast, slow, signal, previous = state[0], state[1], state[2], state[3], state[4]
    close = bars[CLOSE]
    for i in range(len(close)):
        price = close[i]
        count += 1.0
        if count > slow_period:
            fast += fast_weight * (price - fast)
            slow += slow_weight * (price - slow)
        else:
            slow += (price - slow) / count
            if count > slow_period - fast_period:
                fast += (price - fast) / (count - slow_period + fast_period)
        if count < slow_period:
            continue
        line = fast - slow
        if count > warm:
            signal += signal_weight * (line - signal)
        else:
            signal += (line - signal) / (count - slow_period + 1.0)
        if count < warm:
            continue
        histogram = line - signal
        out[4 * i] = line
        out[4 * i + 1] = signal
        out[4 * i + 2] = histogram
        if count > warm:
            out[4 * i + 3] = histogram - previous
        previous = histogram
    state[0], state[1], state[2], state[3], state[4] = count, fast, slow, signal, previous
