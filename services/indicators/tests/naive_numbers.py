"""Second implementations of what is continuous: each value from the definition, from scratch.

Slow on purpose, and written without a look at the kernels: no state, no windows that slide.
A row holds one value per output, None where there is none.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from math import exp, log, sqrt
from statistics import fmean, pstdev

from services.indicators.series import Bar

Row = list[float | None]
Setup = Sequence[float]
Oracle = Callable[[Setup, Sequence[Bar]], list[Row]]
Line = list[float | None]
"""A value per bar; None before the first."""


def _closes(bars: Sequence[Bar]) -> list[float]:
    return [bar[3] for bar in bars]


def _mean_from(values: Sequence[float | None], n: float, weight: float) -> Line:
    """Exponential mean of the values there are, seeded with the plain mean of the first n."""
    size, seen, line = int(n), [], []
    now: float | None = None
    for value in values:
        if value is not None:
            seen.append(value)
            if len(seen) == size:
                now = fmean(seen)
            elif now is not None:
                now = (1 - weight) * now + weight * value
        line.append(now)
    return line


def _ema(values: Sequence[float | None], n: float) -> Line:
    return _mean_from(values, n, 2 / (n + 1))


def _single(line: Line) -> list[Row]:
    return [[value] for value in line]


def _windows(values: Sequence[float], n: float) -> list[Sequence[float] | None]:
    size = int(n)
    return [values[t - size + 1 : t + 1] if t >= size - 1 else None for t in range(len(values))]


def sma(setup: Setup, bars: Sequence[Bar]) -> list[Row]:
    return [[w and fmean(w)] for w in _windows(_closes(bars), setup[0])]  # type: ignore[list-item]


def ema(setup: Setup, bars: Sequence[Bar]) -> list[Row]:
    return _single(_ema(_closes(bars), setup[0]))


def ema_set(setup: Setup, bars: Sequence[Bar]) -> list[Row]:
    lines = [_ema(_closes(bars), n) for n in setup]
    rows: list[Row] = []
    for t, values in enumerate(zip(*lines, strict=True)):
        if None in values:
            rows.append([None] * 9)
            continue
        one, two, three, four = (float(v) for v in values[:4] if v is not None)
        short, long = _cross(lines[0], lines[1], t), _cross(lines[0], lines[3], t)
        ordered = one > two > three > four if long > 0 else one < two < three < four
        rows.append([*values, short, long if ordered else 0.0])
    return rows


def _cross(one: Line, other: Line, t: int) -> float:
    """Tell on which side `one` is at bar t if it was on the other when they last differed."""
    pairs = zip(one[: t + 1], other, strict=False)
    gaps = [a - b for a, b in pairs if a is not None and b is not None]
    sides = [1.0 if gap > 0 else -1.0 for gap in gaps if gap]
    is_crossed = bool(gaps[-1]) and len(sides) > 1 and sides[-1] != sides[-2]
    return sides[-1] if is_crossed else 0.0


def _fast_less_slow(bars: Sequence[Bar], fast: float, slow: float) -> Line:
    """EMA(fast) - EMA(slow), the fast one seeded with the closes that end at bar `slow`."""
    closes = _closes(bars)
    late: list[float | None] = [None] * int(slow - fast)
    slows, fasts = _ema(closes, slow), _ema([*late, *closes[int(slow - fast) :]], fast)
    return [None if s is None or f is None else f - s for f, s in zip(fasts, slows, strict=False)]


def macd(setup: Setup, bars: Sequence[Bar]) -> list[Row]:
    line = _fast_less_slow(bars, setup[0], setup[1])
    rows: list[Row] = []
    before: float | None = None
    for value, signal in zip(line, _ema(line, setup[2]), strict=True):
        gap = None if value is None or signal is None else value - signal
        change = None if gap is None or before is None else gap - before
        rows.append([value if gap is not None else None, signal, gap, change])
        before = gap
    return rows


def bbands(setup: Setup, bars: Sequence[Bar]) -> list[Row]:
    rows: list[Row] = []
    for window in _windows(_closes(bars), setup[0]):
        if window is None:
            rows.append([None] * 4)
            continue
        middle, half = fmean(window), setup[1] * pstdev(window)
        rows.append([middle + half, middle, middle - half, 2 * half / middle])
    return rows


def rsi(setup: Setup, bars: Sequence[Bar]) -> list[Row]:
    closes = _closes(bars)
    moves: list[float | None] = [b - a for a, b in pairwise(closes)]
    ups = _mean_from([max(m or 0, 0.0) for m in moves], setup[0], 1 / setup[0])
    downs = _mean_from([max(-(m or 0), 0.0) for m in moves], setup[0], 1 / setup[0])
    rows: list[Row] = [[None]] if bars else []
    for up, down in zip(ups, downs, strict=True):
        if up is None or down is None:
            rows.append([None])
        else:
            rows.append([100 * up / (up + down) if up + down else 50.0])
    return rows


def _after_first(values: list[float], n: float) -> list[Row]:
    return [[None], *_single(_mean_from(values, n, 1 / n))]


def atr(setup: Setup, bars: Sequence[Bar]) -> list[Row]:
    ranges = [max(b[1] - b[2], abs(b[1] - a[3]), abs(b[2] - a[3])) for a, b in pairwise(bars)]
    return _after_first(ranges, setup[0])


def abs_move(setup: Setup, bars: Sequence[Bar]) -> list[Row]:
    moves = [abs(b[3] - a[3]) for a, b in pairwise(bars)]
    return _after_first(moves, setup[0])


def kdj(setup: Setup, bars: Sequence[Bar]) -> list[Row]:
    size, k, d = int(setup[0]), 50.0, 50.0
    rows: list[Row] = [[None] * 3 for _ in bars[: size - 1]]
    for t in range(size - 1, len(bars)):
        window = bars[t - size + 1 : t + 1]
        high, low = max(bar[1] for bar in window), min(bar[2] for bar in window)
        raw = 100 * (bars[t][3] - low) / (high - low) if high > low else k
        k = (1 - 1 / setup[1]) * k + raw / setup[1]
        d = (1 - 1 / setup[2]) * d + k / setup[2]
        rows.append([k, d, 3 * k - 2 * d])
    return rows


def stc(setup: Setup, bars: Sequence[Bar]) -> list[Row]:
    once = _ema(_stochastic(_fast_less_slow(bars, setup[0], setup[1]), setup[2]), setup[3])
    twice = _ema(_stochastic(once, setup[2]), setup[4])
    return [[None if v is None else min(100.0, max(0.0, v))] for v in twice]


def _stochastic(line: Line, cycle: float) -> Line:
    places: Line = []
    place = 50.0
    for t in range(len(line)):
        window = [v for v in line[max(0, t + 1 - int(cycle)) : t + 1] if v is not None]
        if len(window) < cycle:
            places.append(None)
            continue
        low, high = min(window), max(window)
        place = 100 * (window[-1] - low) / (high - low) if high > low else place
        places.append(place)
    return places


def volume_ratio(setup: Setup, bars: Sequence[Bar]) -> list[Row]:
    size = int(setup[0])
    rows: list[Row] = []
    for t, bar in enumerate(bars):
        mean = fmean(b[4] for b in bars[t - size : t]) if t >= size else 0.0
        rows.append([bar[4] / mean if mean else None])
    return rows


def parkinson(setup: Setup, bars: Sequence[Bar]) -> list[Row]:
    squares = [log(bar[1] / bar[2]) ** 2 for bar in bars]
    windows = _windows(squares, setup[0])
    return [[None if w is None else sqrt(sum(w) / (4 * setup[0] * log(2)))] for w in windows]


def nwe(setup: Setup, bars: Sequence[Bar]) -> list[Row]:
    size = int(setup[2])
    weights = [exp(-(j**2) / (2 * setup[0] ** 2)) for j in range(size)]
    closes, centres = _closes(bars), []
    rows: list[Row] = [[None] * 3 for _ in bars[: 2 * size - 3]]
    for t in range(size - 1, len(bars)):
        weighed = (w * closes[t - j] for j, w in enumerate(weights))
        centres.append(sum(weighed) / sum(weights))
        if len(centres) >= size - 1:
            pairs = zip(closes[t - size + 2 : t + 1], centres[1 - size :], strict=True)
            half = setup[1] * fmean(abs(a - b) for a, b in pairs)
            rows.append([centres[-1] + half, centres[-1], centres[-1] - half])
    return rows
