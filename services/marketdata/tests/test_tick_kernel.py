"""The kernel that folds ticks into bars, against a slow and obvious one."""

from itertools import groupby

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from services.marketdata import tick_kernel
from services.marketdata.tick_kernel import COLUMNS, Folder, compiled, interpreted

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


@given(TICKS)
def test_the_kernel_makes_the_rows_of_the_obvious_way(ticks: list[tuple[int, int, int]]) -> None:
    times, prices, quantities = columns(ticks)
    assert interpreted(times, prices, quantities, LENGTH) == naive(ticks)


@settings(max_examples=50, deadline=None)  # The first example waits for the compiler.
@given(TICKS)
def test_compiled_it_makes_the_same_rows(ticks: list[tuple[int, int, int]]) -> None:
    times, prices, quantities = columns(ticks)
    out = np.zeros((len(ticks), COLUMNS), dtype=np.int64)
    count = compiled()(times, prices, quantities, LENGTH, out)
    assert out[:count].tolist() == naive(ticks)


def test_a_process_that_sees_many_ticks_compiles() -> None:
    times, prices, quantities = columns([(at // 7, at % 5 + 1, at % 3 - 1) for at in range(15_000)])
    folder = Folder()
    first = folder.rows(times, prices, quantities, LENGTH)
    used = compiled.cache_info()
    assert folder.rows(times, prices, quantities, LENGTH) == first  # Now 30,000: compiled.
    assert compiled.cache_info() != used
    assert tick_kernel.COMPILE_TICKS < 30_000
