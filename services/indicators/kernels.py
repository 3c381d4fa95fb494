"""One kernel per indicator: the only arithmetic there is, run bar by bar or over arrays.

`kernel(setup, state, bars, out)` feeds the bars to the state and writes one row of outputs
per bar, flat (`out[bar * outputs + output]`); what is not warm yet stays as it was (NaN).
`setup` are the parameters as floats; `state` is a flat list or array of floats, zero at the
start, then changed in place; `bars` are the columns high, low, close, volume.

The same source runs in plain Python (streams, small batches) and compiled (large batches),
without fast-math, so both give the same bits. Therefore only loops, floats and indexing here.
Averages of prices move by `a += weight * (x - a)`, seeds too: a flat market stays exactly flat.
"""

from collections.abc import Callable, MutableSequence, Sequence
from math import nan, sqrt

Floats = MutableSequence[float]
Bars = Sequence[Sequence[float]]
Kernel = Callable[[Sequence[float], Floats, Bars, Floats], None]

HIGH, LOW, CLOSE, VOLUME = 0, 1, 2, 3
COLUMNS = 4

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
