"""The load generator (rule D9)."""

import hashlib
import os
import subprocess
import sys
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from services.marketdata.candles import rejection_of
from services.marketdata.generated import generate_series
from services.marketdata.grid import grid_of
from services.marketdata.instruments import CATALOGUE
from services.marketdata.square import square_bars
from services.marketdata.timeframes import Timeframe

CANDLES = 800
WARM = 16
SEEDS = st.integers(-(2**63), 2**63 - 1)


def ema(values: list[float], length: int) -> list[float]:
    """A naive EMA, seeded with the mean of the first `length` values."""
    average = sum(values[:length]) / length
    out = [average]
    for value in values[length:]:
        average += 2 / (length + 1) * (value - average)
        out.append(average)
    return out


@settings(max_examples=30, deadline=None)
@given(SEEDS, st.integers(0, 99))
def test_fast_and_slow_average_cross_on_exactly_a_quarter_of_the_candles(
    seed: int, index: int
) -> None:
    closes = square_bars(seed, index, CANDLES + WARM)[:, 3].tolist()
    fast, slow = ema(closes, 2)[3:], ema(closes, 5)
    signs = [f > s for f, s in zip(fast, slow, strict=True)][-CANDLES - 1 :]
    crosses = [a != b for a, b in pairwise(signs)]
    assert sum(crosses) == CANDLES // 4
    # Twice in any eight candles, not just on the average.
    assert all(sum(crosses[i : i + 8]) == 2 for i in range(CANDLES - 8))


@settings(max_examples=20, deadline=None)
@given(SEEDS, st.integers(0, 99))
def test_every_candle_is_valid_and_opens_where_the_last_one_closed(seed: int, index: int) -> None:
    instrument = CATALOGUE[f"SQ{index:02d}.XSIM"]
    series = generate_series(
        instrument.instrument, Timeframe.SECOND_1, seed=seed, start_ns=0, count=50
    )
    grid = grid_of("24/7", Timeframe.SECOND_1)
    candles = list(series.candles())
    assert [rejection_of(candle, instrument, grid, 2**62) for candle in candles] == [None] * 50
    assert [c.close for c in candles[:-1]] == [c.open for c in candles[1:]]
    assert {(c.source.is_synthetic, c.source.seed) for c in candles} == {(True, seed)}


def test_a_longer_series_begins_as_a_shorter_one_and_instruments_differ() -> None:
    np.testing.assert_array_equal(square_bars(3, 5, 1_000)[:10], square_bars(3, 5, 10))
    assert (square_bars(3, 5, 100) != square_bars(3, 13, 100)).any()
    assert (square_bars(3, 5, 100) != square_bars(4, 5, 100)).any()


def test_a_seed_gives_the_same_bytes_in_another_process() -> None:
    program = (
        "import hashlib; from services.marketdata.square import square_bars;"
        "print(hashlib.sha256(square_bars(7, 3, 5000).tobytes()).hexdigest())"
    )
    there = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONHASHSEED": "1", "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert there.stdout.strip() == hashlib.sha256(square_bars(7, 3, 5000).tobytes()).hexdigest()
