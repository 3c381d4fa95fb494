"""Indicators of the last n bars: oscillators, ratios and the kernel regression.

A window is kept as the block before, reduced from its tail, and the block that is filling.
So each bar costs the same however long the window is, and sums only grow: nothing drifts.
"""

from collections.abc import Sequence
from math import log, sqrt

from services.indicators.kernels.bars import CLOSE, HIGH, LOW, VOLUME, Bars, Floats

FOUR_LN_2 = 2.772588722239781


def room(size: int) -> int:
    """Return how many floats of state a window of `size` takes."""
    return 2 * size + 3


def highest(state: Floats, at: int, size: int, value: float) -> float:
    """Take `value` into the window at state[at]; return the highest of its last `size`."""
    block = at + 2
    tails = block + size
    filled = int(state[at])
    head = value if filled == 0 else max(state[at + 1], value)
    state[block + filled] = value
    filled += 1
    result = max(head, state[tails + filled]) if filled < size else head
    if filled == size:
        top = value
        for j in range(size - 1, 0, -1):
            top = max(top, state[block + j])
            state[tails + j] = top
        filled = 0
    state[at] = filled
    state[at + 1] = head
    return result


def total(state: Floats, at: int, size: int, value: float) -> float:
    """Take `value` into the window at state[at]; return the sum of its last `size`."""
    block = at + 2
    tails = block + size
    filled = int(state[at])
    head = value if filled == 0 else state[at + 1] + value
    state[block + filled] = value
    filled += 1
    result = head + state[tails + filled]
    if filled == size:
        below = 0.0
        for j in range(size - 1, 0, -1):
            below += state[block + j]
            state[tails + j] = below
        filled = 0
    state[at] = filled
    state[at + 1] = head
    return result


def kdj(setup: Sequence[float], state: Floats, bars: Bars, out: Floats) -> None:
    """Stochastic of the range of n bars, smoothed twice from 50 on; J leads K."""
    size = int(setup[0])
    lows = 3 + 2 * size + 3
    count, k, d = state[0], state[1], state[2]
    close = bars[CLOSE]
    for i in range(len(close)):
        high = highest(state, 3, size, bars[HIGH][i])
        low = -highest(state, lows, size, -bars[LOW][i])
        count += 1.0
        if count == 1.0:
            k = d = 50.0
        if count < setup[0]:
            continue
        span = high - low
        if span > 0.0:  # Without a range K stays.
            k += (100.0 * ((close[i] - low) / span) - k) / setup[1]
        d += (k - d) / setup[2]
        out[3 * i] = k
        out[3 * i + 1] = d
        out[3 * i + 2] = 3.0 * k - 2.0 * d
    state[0], state[1], state[2] = count, k, d


def place(state: Floats, at: int, size: int, value: float, is_full: bool) -> float:
    """Return where `value` lies between the extremes of the last `size` values, 0 to 100.

    Without a range, or before the window is full, it is where it was: state[at] remembers that,
    the windows of highest and lowest follow.
    """
    high = highest(state, at + 1, size, value)
    low = -highest(state, at + 4 + 2 * size, size, -value)
    if is_full and high > low:
        state[at] = 100.0 * ((value - low) / (high - low))
    return state[at]


def smooth(state: Floats, at: int, period: float, value: float) -> float:
    """Return the exponential mean kept at state[at], seeded with the first `period` values."""
    state[at] += 1.0
    share = 2.0 / (period + 1.0) if state[at] > period else 1.0 / state[at]
    state[at + 1] += share * (value - state[at + 1])
    return state[at + 1]


def stc(setup: Sequence[float], state: Floats, bars: Bars, out: Floats) -> None:
    """Stochastic of a stochastic of fast less slow average, smoothed after each."""
    fast, slow, cycle, d1 = setup[0], setup[1], setup[2], setup[3]
    size = int(cycle)
    second = 9 + 4 * size + 7  # After the scalars and the first stochastic.
    close = bars[CLOSE]
    for i in range(len(close)):
        state[0] += 1.0
        count = state[0]
        if count == 1.0:
            state[9] = state[second] = 50.0
        line = -smooth(state, 1, slow, close[i])
        if count > slow - fast:  # Seeded with the closes up to bar `slow`, as in MACD.
            line += smooth(state, 3, fast, close[i])
        if count < slow:
            continue
        first = place(state, 9, size, line, count >= slow + cycle - 1.0)
        if count < slow + cycle - 1.0:
            continue
        once = smooth(state, 5, d1, first)
        if count < slow + cycle + d1 - 2.0:
            continue
        again = place(state, second, size, once, count >= slow + 2.0 * cycle + d1 - 3.0)
        if count < slow + 2.0 * cycle + d1 - 3.0:
            continue
        value = smooth(state, 7, setup[4], again)
        if count >= slow + 2.0 * cycle + d1 + setup[4] - 4.0:
            out[i] = min(100.0, max(0.0, value))


def volume_ratio(setup: Sequence[float], state: Floats, bars: Bars, out: Floats) -> None:
    """Volume over the mean volume of the n bars before it; nothing over nothing is absent."""
    size = int(setup[0])
    count, before = state[0], state[1]
    volume = bars[VOLUME]
    for i in range(len(volume)):
        if count >= setup[0] and before > 0.0:
            out[i] = volume[i] / (before / setup[0])
        count += 1.0
        before = total(state, 2, size, volume[i])
    state[0], state[1] = count, before


def parkinson(setup: Sequence[float], state: Floats, bars: Bars, out: Floats) -> None:
    """Volatility per bar from the logarithms of high over low."""
    size = int(setup[0])
    high = bars[HIGH]
    low = bars[LOW]
    for i in range(len(high)):
        width = log(high[i] / low[i])
        squares = total(state, 1, size, width * width)
        state[0] += 1.0
        if state[0] >= setup[0]:
            out[i] = sqrt(squares / (FOUR_LN_2 * setup[0]))


def nwe(setup: Sequence[float], state: Floats, bars: Bars, out: Floats) -> None:
    """Centre: past closes weighted by a bell; band: so many mean distances from the centre.

    State: count, reach, sum of weights, closes twice over (any window is then one run),
    the window of distances, and the weights that matter.
    """
    size = int(setup[2])
    reach = int(state[1])
    distances = 3 + 2 * size
    weights = distances + 2 * (size - 1) + 3
    close = bars[CLOSE]
    for i in range(len(close)):
        price = close[i]
        newest = 3 + size + int(state[0]) % size
        state[newest] = state[newest - size] = price
        state[0] += 1.0
        if state[0] < setup[2]:
            continue
        shift = 0.0
        for j in range(1, reach):
            shift += state[weights + j] * (state[newest - j] - price)
        centre = price + shift / state[2]
        distance = total(state, distances, size - 1, abs(price - centre))
        if state[0] >= 2.0 * setup[2] - 2.0:
            half = setup[1] * (distance / (setup[2] - 1.0))
            out[3 * i] = centre + half
            out[3 * i + 1] = centre
            out[3 * i + 2] = centre - half
