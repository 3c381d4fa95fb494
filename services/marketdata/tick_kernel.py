"""Folds ticks into bars: a compiled kernel of plain integers.

The compiler takes a moment to import: call `compiled` before the first ticks come, and not in
a process that never sees any.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from services.marketdata.calendars import Instants

COLUMNS = 9
OPEN_NS, FIRST_NS, OPEN, HIGH, LOW, LAST_NS, CLOSE, VOLUME, COUNT = range(COLUMNS)


def fold(times: Any, prices: Any, quantities: Any, length_ns: int, rows: Any) -> int:
    """Write one row per run of ticks in one interval into `rows`; return how many there are.

    The first and last of an interval are those by time; of one time those by sequence.
    """
    count = 0
    for place in range(len(times)):
        time_ns, price = times[place], prices[place]
        open_ns = time_ns - time_ns % length_ns
        if count == 0 or rows[count - 1][OPEN_NS] != open_ns:
            row = rows[count]
            row[OPEN_NS], row[FIRST_NS], row[LAST_NS] = open_ns, time_ns, time_ns
            row[OPEN], row[HIGH], row[LOW], row[CLOSE] = price, price, price, price
            count += 1
        row = rows[count - 1]
        if time_ns < row[FIRST_NS]:
            row[FIRST_NS], row[OPEN] = time_ns, price
        if time_ns >= row[LAST_NS]:
            row[LAST_NS], row[CLOSE] = time_ns, price
        row[HIGH] = max(row[HIGH], price)
        row[LOW] = min(row[LOW], price)
        row[VOLUME] += abs(quantities[place])
        row[COUNT] += 1
    return count


def folded(
    times_ns: Instants, prices: Instants, quantities: Instants, length_ns: int
) -> list[list[int]]:
    """Return the rows that some ticks make, their columns as named above."""
    out = np.zeros((len(times_ns), COLUMNS), dtype=np.int64)
    count = compiled()(times_ns, prices, quantities, length_ns, out)
    rows: list[list[int]] = out[:count].tolist()
    return rows


@cache
def compiled() -> Callable[..., int]:
    """Return `fold` as machine code, kept on disk between runs where that is possible."""
    from numba import njit

    try:
        return njit(cache=True)(fold)
    except RuntimeError:  # No folder to keep it in may be written: compile for this run alone.
        return njit(fold)  # type: ignore[no-any-return]
