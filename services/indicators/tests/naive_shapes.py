"""Second implementations of shapes and swings: each bar judged from the bars up to it.

Slow on purpose: every bar looks at the whole past anew. See `naive_numbers`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from services.indicators.series import Bar
from services.indicators.tests.naive_numbers import Row, Setup, atr

OPEN, HIGH, LOW, CLOSE = 0, 1, 2, 3


def _each(
    judge: Callable[[Setup, Sequence[Bar]], Row], warm: int, width: int
) -> Callable[[Setup, Sequence[Bar]], list[Row]]:
    """Return the oracle that judges the bars up to each, from bar `warm` on."""

    def rows(setup: Setup, bars: Sequence[Bar]) -> list[Row]:
        return [
            judge(setup, bars[:count]) if count >= warm else [None] * width
            for count in range(1, len(bars) + 1)
        ]

    return rows


def _mirrored(bar: Bar) -> Bar:
    """The bar upside down: what is said of highs then holds for lows."""
    return -bar[OPEN], -bar[LOW], -bar[HIGH], -bar[CLOSE], bar[4]


def _engulfs(before: Bar, bar: Bar, body: float) -> float:
    is_after_fall = before[CLOSE] < before[OPEN]
    starts_below = bar[OPEN] < before[OPEN] or bar[LOW] < before[LOW]
    ends_above = bar[CLOSE] > max(before[OPEN], before[HIGH])
    is_bodied = abs(bar[CLOSE] - bar[OPEN]) / (bar[HIGH] - bar[LOW]) > body
    return float(is_after_fall and starts_below and ends_above and is_bodied)


def _engulfing(setup: Setup, bars: Sequence[Bar]) -> Row:
    before, bar = bars[-2:]
    if bar[HIGH] == bar[LOW]:
        return [None, None]
    bear = _engulfs(_mirrored(before), _mirrored(bar), setup[0])
    return [_engulfs(before, bar, setup[0]), bear]


def _hammer(setup: Setup, bars: Sequence[Bar]) -> Row:
    opened, high, low, close, _ = bars[-1]
    if high == low:
        return [None, None]
    below, above = min(opened, close) - low, high - max(opened, close)
    is_long = [part / (high - low) > setup[0] for part in (below, above)]
    return [float(is_long[0] and below > above), float(is_long[1] and above > below)]


def _fvg(setup: Setup, bars: Sequence[Bar]) -> Row:
    first, _, last = bars[-3:]
    if last[LOW] > first[HIGH]:
        return [1.0, 0.0, last[LOW], first[HIGH]]
    if last[HIGH] < first[LOW]:
        return [0.0, 1.0, first[LOW], last[HIGH]]
    return [0.0, 0.0, None, None]


def leg(setup: Setup, bars: Sequence[Bar]) -> list[Row]:
    size, direction = int(setup[0]), 0.0
    rows: list[Row] = [[None, None] for _ in bars[:size]]
    for t in range(size, len(bars)):
        past, bar, was = bars[t - size : t], bars[t], direction
        is_up = bar[HIGH] > max(b[HIGH] for b in past)
        is_down = bar[LOW] < min(b[LOW] for b in past)
        rise = bar[CLOSE] - bars[t - 1][CLOSE]
        if is_up and is_down:
            is_up, is_down = rise > 0, rise < 0
        direction = 1.0 if is_up else -1.0 if is_down else was
        rows.append([direction, float(direction != was)])
    return rows


def pivots(values: Sequence[float], span: int) -> list[tuple[int, float]]:
    """Every pivot high: the bar that confirms it, and its level."""
    found = []
    for t in range(span, len(values) - span):
        before, after = values[t - span : t], values[t + 1 : t + span + 1]
        if values[t] >= max(before) and values[t] > max(after):
            found.append((t + span, values[t]))
    return found


@dataclass
class _Side:
    """The last pivot of highs, or of lows upside down, and whether it was broken."""

    pivots: dict[int, float]
    level: float | None = None
    is_whole: bool = False

    def reach(self, t: int) -> None:
        if t in self.pivots:
            self.level, self.is_whole = self.pivots[t], True


def _moves(bars: Sequence[Bar], span: int, share: float) -> list[Row]:
    highs = _Side(dict(pivots([bar[HIGH] for bar in bars], span)))
    lows = _Side(dict(pivots([-bar[LOW] for bar in bars], span)))
    trend, rows = 0.0, []
    for t, bar in enumerate(bars):
        highs.reach(t)
        lows.reach(t)
        was, made = trend, 0.0
        if highs.is_whole and bar[CLOSE] > (highs.level or 0) * (1 + share):
            highs.is_whole, trend, made = False, 1.0, 1.0
        elif lows.is_whole and bar[CLOSE] < -(lows.level or 0) * (1 - share):
            lows.is_whole, trend, made = False, -1.0, -1.0
        is_change = made * was < 0
        low = None if lows.level is None else -lows.level
        kinds = [0.0, made] if is_change else [made, 0.0]
        rows.append([trend, *kinds, highs.level, low])
    return rows


def structure(setup: Setup, bars: Sequence[Bar]) -> list[Row]:
    swings, inner = (_moves(bars, int(span), setup[2]) for span in setup[:2])
    warm = 2 * int(setup[0])
    return [
        [*one, *other] if t >= warm else [None] * 10
        for t, (one, other) in enumerate(zip(swings, inner, strict=True))
    ]


def _equal(setup: Setup, bars: Sequence[Bar], sign: float) -> list[tuple[float, float | None]]:
    """For each bar whether it confirms a pivot as high as the one before, and their last level."""
    column = HIGH if sign > 0 else LOW
    confirmed = dict(pivots([sign * bar[column] for bar in bars], int(setup[0])))
    ranges = atr((setup[2],), bars)
    warm = max(2 * int(setup[0]), int(setup[2]))
    before: float | None = None
    level: float | None = None
    found = []
    for t in range(len(bars)):
        flag = 0.0
        if t in confirmed:
            now, width = confirmed[t], ranges[t][0] or 0.0
            if t >= warm and before is not None and abs(now - before) <= setup[1] * width:
                flag, level = 1.0, sign * (now + before) / 2
            before = now
        found.append((flag, level))
    return found


def equal_levels(setup: Setup, bars: Sequence[Bar]) -> list[Row]:
    warm = max(2 * int(setup[0]), int(setup[2]))
    both = zip(_equal(setup, bars, 1.0), _equal(setup, bars, -1.0), strict=True)
    return [
        [high[0], low[0], high[1], low[1]] if t >= warm else [None] * 4
        for t, (high, low) in enumerate(both)
    ]


def fib(setup: Setup, bars: Sequence[Bar]) -> list[Row]:
    size = int(setup[0])
    rows: list[Row] = [[None] * 6 for _ in bars[: size - 1]]
    for t in range(size - 1, len(bars)):
        window = bars[t - size + 1 : t + 1]
        high, low = max(b[HIGH] for b in window), min(b[LOW] for b in window)
        if high == low:
            rows.append([high, low, None, None, None, None])
            continue
        top = max(k for k, b in enumerate(window) if b[HIGH] == high)
        bottom = max(k for k, b in enumerate(window) if b[LOW] == low)
        end, toward = (high, -1) if top >= bottom else (low, 1)
        zone = sorted(end + toward * part * (high - low) for part in setup[1:])
        back = abs(window[-1][CLOSE] - end) / (high - low)
        rows.append([high, low, float(-toward), *zone, back])
    return rows


engulfing = _each(_engulfing, warm=2, width=2)
hammer = _each(_hammer, warm=1, width=2)
fvg = _each(_fvg, warm=3, width=4)
