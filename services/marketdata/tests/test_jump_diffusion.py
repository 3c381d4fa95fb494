"""The synthetic generator (rule D8)."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.marketdata.candles import rejection_of
from services.marketdata.datasets import BUNDLED, read_series
from services.marketdata.generated import generate_series
from services.marketdata.grid import grid_of
from services.marketdata.instruments import CATALOGUE
from services.marketdata.jump_diffusion import (
    STEPS,
    Floats,
    Path,
    Terms,
    activity,
    parkinson_sigma_year,
)
from services.marketdata.timeframes import NS_PER_DAY, NS_PER_MINUTE, Timeframe

SEEDS = st.integers(-(2**63), 2**63 - 1)
DIGEST = "7676bc61ccb139fe"
PROGRAM = """
import hashlib, sys
from services.marketdata.jump_diffusion import Path
from services.marketdata.timeframes import Timeframe
digest = hashlib.sha256()
for name in sys.argv[1:]:
    bars = Path(name, Timeframe.MINUTE_1, seed=7, start_ns=0).bars(2000)
    for column in (bars.opens, bars.steps, bars.volumes):
        digest.update(column.tobytes())
print(digest.hexdigest()[:16])
"""


def digest_elsewhere(names: Sequence[str], hash_seed: str) -> str:
    """Return the digest of some paths, made in another process."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *names],
        env={"PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def digest_here(names: Sequence[str]) -> str:
    """Return the digest of some paths, made in this process."""
    digest = hashlib.sha256()
    for name in names:
        bars = a_path(name).bars(2000)
        for column in (bars.opens, bars.steps, bars.volumes):
            digest.update(column.tobytes())
    return digest.hexdigest()[:16]


def a_path(name: str = "JD00.XSIM", seed: int = 7, terms: Terms | None = None) -> Path:
    """Return a path of one-minute bars from midnight."""
    return Path(name, Timeframe.MINUTE_1, seed=seed, start_ns=0, terms=terms)


@pytest.mark.parametrize("hash_seed", ["0", "1", "12345"])
def test_a_seed_gives_the_same_bytes_in_every_process(hash_seed: str) -> None:
    names = ["JD00.XSIM", "JD01.XSIM"]
    assert digest_elsewhere(names, hash_seed) == digest_here(names) == DIGEST


def test_adding_an_instrument_changes_no_other() -> None:
    alone = generate_series("JD05.XSIM", Timeframe.MINUTE_1, seed=3, start_ns=0, count=500)
    for other in ("JD00.XSIM", "JD04.XSIM", "JD06.XSIM"):
        generate_series(other, Timeframe.MINUTE_1, seed=3, start_ns=0, count=500)
    again = generate_series("JD05.XSIM", Timeframe.MINUTE_1, seed=3, start_ns=0, count=500)
    for name, column in alone.columns.items():
        np.testing.assert_array_equal(column.values, again.columns[name].values)


def test_instruments_and_seeds_differ() -> None:
    steps = a_path().bars(100).steps
    assert (steps != a_path("JD01.XSIM").bars(100).steps).any()
    assert (steps != a_path(seed=8).bars(100).steps).any()


@settings(max_examples=25, deadline=None)
@given(SEEDS, st.lists(st.integers(1, 40), min_size=1, max_size=6))
def test_a_path_is_the_same_however_it_is_asked_for(seed: int, counts: list[int]) -> None:
    whole, parts = a_path(seed=seed).bars(sum(counts)), a_path(seed=seed)
    pieces = [parts.bars(count) for count in counts]
    np.testing.assert_array_equal(whole.steps, np.concatenate([p.steps for p in pieces]))
    np.testing.assert_array_equal(whole.volumes, np.concatenate([p.volumes for p in pieces]))
    np.testing.assert_array_equal(whole.opens, np.concatenate([p.opens for p in pieces]))


@settings(max_examples=25, deadline=None)
@given(SEEDS, st.sampled_from(BUNDLED["synthetic-jd-v1"].timeframes))
def test_every_candle_is_valid_and_opens_where_the_last_one_closed(
    seed: int, timeframe: Timeframe
) -> None:
    instrument = CATALOGUE["JD03.XSIM"]
    series = generate_series(instrument.instrument, timeframe, seed=seed, start_ns=0, count=60)
    candles = list(series.candles())
    grid = grid_of("24/7", timeframe)
    assert [rejection_of(candle, instrument, grid, 2**62) for candle in candles] == [None] * 60
    assert [c.close for c in candles[:-1]] == [c.open for c in candles[1:]]
    assert {(c.source.process, c.source.seed) for c in candles} == {("synthetic-jd-v1", seed)}


def test_the_range_of_a_candle_is_that_of_its_ten_steps() -> None:
    bars = a_path().bars(300)
    series = generate_series("JD00.XSIM", Timeframe.MINUTE_1, seed=7, start_ns=0, count=300)
    assert bars.steps.shape == (300, STEPS)
    with_open = np.column_stack([bars.opens, bars.steps])
    np.testing.assert_array_equal(series.columns["high"].values, with_open.max(axis=1))
    np.testing.assert_array_equal(series.columns["low"].values, with_open.min(axis=1))
    np.testing.assert_array_equal(series.columns["close"].values, bars.steps[:, -1])


def test_the_activity_of_a_day_is_one_on_average_and_highest_at_its_ends() -> None:
    shares = (np.arange(100_000) + 0.5) / 100_000
    assert np.mean(activity(shares) ** 2) == pytest.approx(1, abs=1e-6)
    assert activity(np.array([0.0, 0.5])) == pytest.approx([1.8**0.5, 0.6**0.5])


def test_volatility_without_jumps_is_that_of_the_terms() -> None:
    """60 days of minutes: the middle half of the moves shows the diffusion, jumps are rarer.

    Volatility wanders by exp(0.29) around its mean, so a factor of 1.6 holds for any seed that
    is not absurd; the seed is fixed.
    """
    closes = a_path(terms=Terms(sigma_year=0.4)).bars(60 * 1_440).steps[:, -1]
    moves = np.diff(np.log(closes[::15]))
    quartile = np.quantile(np.abs(moves), 0.5) / 0.6745
    sigma_year = quartile * np.sqrt(NS_PER_DAY / NS_PER_MINUTE / 15 * 365)
    assert 0.4 / 1.6 < sigma_year < 0.4 * 1.6


def test_instruments_share_half_of_a_common_factor() -> None:
    """β² = 0.25 of the variance is common. Jumps, the instrument's own, are cut off here."""

    def moves(name: str) -> Floats:
        logs = np.log(a_path(name, terms=Terms(sigma_year=2.0)).bars(40_000).steps[:, -1])
        found = np.diff(logs)
        return np.asarray(np.clip(found, *np.quantile(found, [0.01, 0.99])))

    correlation = np.corrcoef(moves("JD00.XSIM"), moves("JD01.XSIM"))[0, 1]
    assert 0.18 < correlation < 0.32


def test_volume_is_higher_at_the_ends_of_the_day_and_in_wild_bars() -> None:
    bars = a_path(terms=Terms(sigma_year=1.0)).bars(50 * 1_440)
    by_day = bars.volumes.reshape(50, 1_440)
    assert np.median(by_day[:, :60]) > 2 * np.median(by_day[:, 690:750])
    moves = np.abs(bars.steps[:, -1] - bars.opens)
    wild = moves > np.quantile(moves, 0.9)
    assert np.median(bars.volumes[wild]) > 1.5 * np.median(bars.volumes[~wild])


def test_jumps_come_once_in_two_days() -> None:
    """600 days: 300 ± 17 jumps, of which one in five is too small to be told from noise."""
    path = Path("JD00.XSIM", Timeframe.MINUTE_5, seed=11, start_ns=0)
    moves = np.diff(np.log(path.bars(600 * 288).steps[:, -1]))
    sigma_day = 0.2 / np.sqrt(365)
    assert 190 < np.sum(np.abs(moves) > sigma_day * 0.75) < 290


def test_the_volatility_of_an_index_is_estimated_from_its_ranges() -> None:
    index = read_series("sp500-index", "SPX.XSIM")
    estimate = parkinson_sigma_year(index.columns["high"].values, index.columns["low"].values)
    assert estimate == pytest.approx(0.159, abs=0.001)
    calm = generate_series("JP00.XSIM", Timeframe.MINUTE_1, seed=1, start_ns=0, count=5_000)
    terms = Terms(sigma_year=estimate)
    same = a_path("JP00.XSIM", seed=1, terms=terms).bars(5_000)
    np.testing.assert_array_equal(calm.columns["close"].values, same.steps[:, -1])
