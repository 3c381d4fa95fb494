"""Swings of the market: legs, pivots and their breaks, equal levels, retracements."""

from collections.abc import Sequence
from math import nan

from services.indicators.kernels.bars import CLOSE, HIGH, LOW, Bars, Floats


def peak(state: Floats, at: int, size: int, value: float) -> float:
    """Return the highest of the last `size` values before `value`, which joins them.

    State: count, highest, how long ago it was, then a ring of the values.
    """
    count = int(state[at])
    top = state[at + 1]
    state[at + 2] += 1.0
    if count == 0 or value >= top:
        state[at + 1], state[at + 2] = value, 0.0
    state[at + 3 + count % size] = value
    state[at] += 1.0
    if state[at + 2] >= size:  # The highest has left: look for the newest among the rest.
        state[at + 1], state[at + 2] = value, 0.0
        for age in range(1, size):
            one = state[at + 3 + (count - age) % size]
            if one > state[at + 1]:
                state[at + 1], state[at + 2] = one, age
    return top


def pivot(state: Floats, at: int, span: int, value: float) -> float:
    """Return the value `span` bars ago if it is a pivot now, else NaN.

    A pivot is higher than each of the `span` values after it and not lower than any before.
    State: count, then a ring of 2 * span + 1 values.
    """
    size = 2 * span + 1
    count = int(state[at])
    state[at + 1 + count % size] = value
    state[at] += 1.0
    if count + 1 < size:
        return nan
    middle = state[at + 1 + (count - span) % size]
    for j in range(1, span + 1):
        after = state[at + 1 + (count - span + j) % size]
        before = state[at + 1 + (count - span - j) % size]
        if after >= middle or before > middle:
            return nan
    return middle


def leg(setup: Sequence[float], state: Floats, bars: Bars, out: Floats) -> None:
    """Which side made the last new extreme against the n bars before it."""
    size = int(setup[0])
    high = bars[HIGH]
    low = bars[LOW]
    close = bars[CLOSE]
    for i in range(len(close)):
        is_high = high[i] > peak(state, 3, size, high[i])
        is_low = -low[i] > peak(state, 6 + size, size, -low[i])
        was, before = state[1], state[2]
        if state[0] >= setup[0]:
            if is_high and is_low:  # Both at once: the close tells which came last.
                is_high = close[i] > before
                is_low = close[i] < before
            if is_high != is_low:
                state[1] = 1.0 if is_high else -1.0
            out[2 * i] = state[1]
            out[2 * i + 1] = 1.0 if state[1] != was else 0.0
        state[0] += 1.0
        state[2] = close[i]


def broken(state: Floats, at: int, close: float, share: float) -> float:
    """Return how `close` breaks the levels at state[at]: 1 with, 2 against the side; or 0.

    Negative downward. State: the prevailing side, then high and low level, each with
    whether it can still be broken.
    """
    was = state[at]
    if state[at + 2] > 0.0 and close > state[at + 1] * (1.0 + share):
        state[at] = 1.0
        state[at + 2] = 0.0
        return 2.0 if was < 0.0 else 1.0
    if state[at + 4] > 0.0 and close < state[at + 3] * (1.0 - share):
        state[at] = -1.0
        state[at + 4] = 0.0
        return -2.0 if was > 0.0 else -1.0
    return 0.0


def level(state: Floats, at: int, price: float) -> None:
    """Make a confirmed pivot the level that can be broken next."""
    if price == price:
        state[at] = abs(price)
        state[at + 1] = 1.0


def structure(setup: Sequence[float], state: Floats, bars: Bars, out: Floats) -> None:
    """Breaks of the last confirmed pivots, of swings and of the small moves inside them."""
    levels, pivots = 1, 11
    for i in range(len(bars[CLOSE])):
        state[0] += 1.0
        at = pivots
        for k in range(2):
            span = int(setup[k])
            mine = levels + 5 * k
            level(state, mine + 1, pivot(state, at, span, bars[HIGH][i]))
            level(state, mine + 3, pivot(state, at + 2 * span + 2, span, -bars[LOW][i]))
            at += 4 * span + 4
            kind = broken(state, mine, bars[CLOSE][i], setup[2])
            if state[0] < 2.0 * setup[0] + 1.0:
                continue
            row = 10 * i + 5 * k
            out[row] = state[mine]
            out[row + 1] = kind if abs(kind) == 1.0 else 0.0
            out[row + 2] = kind / 2.0 if abs(kind) == 2.0 else 0.0
            if state[mine + 1] > 0.0:
                out[row + 3] = state[mine + 1]
            if state[mine + 3] > 0.0:
                out[row + 4] = state[mine + 3]


def equal_levels(setup: Sequence[float], state: Floats, bars: Bars, out: Floats) -> None:
    """Two pivots in a row at one level, within a share of the average true range."""
    span, period = int(setup[0]), setup[2]
    warm = max(2.0 * setup[0] + 1.0, period + 1.0)
    close = bars[CLOSE]
    for i in range(len(close)):
        true_range = max(bars[HIGH][i], state[1]) - min(bars[LOW][i], state[1])
        state[1] = close[i]
        state[0] += 1.0
        if state[0] > 1.0:  # The first bar has no true range.
            state[2] += (true_range - state[2]) / min(period, state[0] - 1.0)
        for side in range(2):
            mine = 3 + 2 * side
            price = bars[HIGH][i] if side == 0 else -bars[LOW][i]
            found = pivot(state, 7 + side * (2 * span + 2), span, price)
            is_new = found == found
            is_equal = is_new and state[mine] != 0.0 and state[0] >= warm
            is_equal = is_equal and abs(found - state[mine]) <= setup[1] * state[2]
            if is_equal:
                state[mine + 1] = abs((found + state[mine]) / 2.0)
            if is_new:
                state[mine] = found
            if state[0] >= warm:
                out[4 * i + side] = 1.0 if is_equal else 0.0
            if state[0] >= warm and state[mine + 1] > 0.0:
                out[4 * i + 2 + side] = state[mine + 1]


def fib(setup: Sequence[float], state: Floats, bars: Bars, out: Floats) -> None:
    """The extremes of the last n bars, and the zone that a retracement between them crosses."""
    size = int(setup[0])
    high_at, low_at = 1, 4 + size
    for i in range(len(bars[CLOSE])):
        peak(state, high_at, size, bars[HIGH][i])
        peak(state, low_at, size, -bars[LOW][i])
        state[0] += 1.0
        if state[0] < setup[0]:
            continue
        high, low = state[high_at + 1], -state[low_at + 1]
        span, row = high - low, 6 * i
        out[row] = high
        out[row + 1] = low
        if span <= 0.0:
            continue
        is_up = state[high_at + 2] <= state[low_at + 2]  # The high is the newer extreme.
        near = high - setup[1] * span if is_up else low + setup[1] * span
        far = high - setup[2] * span if is_up else low + setup[2] * span
        out[row + 2] = 1.0 if is_up else -1.0
        out[row + 3] = min(near, far)
        out[row + 4] = max(near, far)
        back = high - bars[CLOSE][i] if is_up else bars[CLOSE][i] - low
        out[row + 5] = back / span
