"""The kernel that folds ticks into bars, against a slow and obvious one."""

from itertools import groupby

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from services.marketdata.tick_kernel import COLUMNS, fold, folded

LENGTH = 10
TICKS = st.lists(
    st.tuples(st.integers(0, 45), st.integers(1, 9), st.integers(-5, 5)), min_size=1, max_size=60
)


def naive(ticks: list[tuple[int, int, int]]) -> list[list[int]]:
    """One row per run of ticks in the same interval."""
    rows = []
    for interval, run in groupby(ticks, key=lambda tick: tick[0] // LENGTH):
        group = list(run)
        by_time = sorted(group, key=lambda tick: tick[0])  # Stable: sequence within a time.
        prices = [price for _, price, _ in group]
        first, last = by_time[0], by_time[-1]
        volume = sum(abs(quantity) for _, _, quantity in group)
        row = [interval * LENGTH, first[0], first[1], max(prices), min(prices)]
        rows.append([*row, last[0], last[1], volume, len(group)])
    return rows


def columns(ticks: list[tuple[int, int, int]]) -> list[np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """Return ticks as arrays."""
    return [np.array(column, dtype=np.int64) for column in zip(*ticks, strict=True)]


def test_the_kernel_itself_makes_the_rows_of_the_obvious_way() -> None:
    ticks = [(at // 7, at % 5 + 1, at % 3 - 1) for at in range(500)]
    times, prices, quantities = columns(ticks)
    out = np.zeros((500, COLUMNS), dtype=np.int64)
    count = fold(times, prices, quantities, LENGTH, out)
    assert out[:count].tolist() == naive(ticks)


@settings(max_examples=50, deadline=None)  # The first example waits for the compiler.
@given(TICKS)
def test_compiled_it_makes_the_rows_of_the_obvious_way(ticks: list[tuple[int, int, int]]) -> None:
    times, prices, quantities = columns(ticks)
    assert folded(times, prices, quantities, LENGTH) == naive(ticks)
