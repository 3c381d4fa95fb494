"""Generated trades (rule D8)."""

import hashlib
from itertools import islice

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from services.marketdata.generated import Generator, Line
from services.marketdata.instruments import CATALOGUE
from services.marketdata.live_ticks import live_ticks
from services.marketdata.tests.mothers import NOON_NS, a_market
from services.marketdata.tests.tick_mothers import publish
from services.marketdata.tick_messages import batch_of, ticks_of
from services.marketdata.ticks import Ticks, check_ticks
from services.marketdata.timeframes import NS_PER_SECOND, Timeframe

NAME = "JD02.XSIM"
DIGEST = "bed2941ff0fea5ab"


def some(count: int, *, seed: int = 7, batch: int = 200, per_second: float = 1_000) -> list[Ticks]:
    """Return the first batches from noon on."""
    endless = live_ticks(NAME, seed=seed, start_ns=NOON_NS, per_second=per_second, batch=batch)
    return list(islice(endless, count))


def joined(batches: list[Ticks], column: str) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return one column of all batches."""
    return np.concatenate([getattr(ticks, column) for ticks in batches])


@settings(max_examples=20, deadline=None)
@given(st.integers(-(2**63), 2**63 - 1))
def test_batches_are_valid_and_follow_each_other(seed: int) -> None:
    batches = some(5, seed=seed)
    assert [ticks.sequence_first for ticks in batches] == [0, 200, 400, 600, 800]
    assert (np.diff(joined(batches, "times_ns")) > 0).all()
    for ticks in batches:
        check_ticks(ticks, CATALOGUE[NAME], 2**62)
        np.testing.assert_array_equal(ticks_of(batch_of(ticks)).prices, ticks.prices)


def test_a_seed_gives_the_same_bytes_however_they_are_packed() -> None:
    for column in ("times_ns", "prices", "quantities"):
        packed, loose = joined(some(50), column), joined(some(200, batch=50), column)
        np.testing.assert_array_equal(packed, loose)
    assert (joined(some(2), "prices") != joined(some(2, seed=8), "prices")).any()
    wire = b"".join(batch_of(ticks).SerializeToString(deterministic=True) for ticks in some(50))
    assert hashlib.sha256(wire).hexdigest()[:16] == DIGEST


def test_prices_bounce_by_a_tick_around_the_path_of_the_candles() -> None:
    batches = some(200)
    line = Line(
        dataset="synthetic-jd-v1",
        instrument=NAME,
        timeframe=Timeframe.SECOND_1,
        seed=7,
        start_ns=NOON_NS,
    )
    path = Generator(line).take(120).steps.reshape(-1)
    tenths = (joined(batches, "times_ns") - NOON_NS) * 10 // NS_PER_SECOND
    over = joined(batches, "prices") - path[tenths]
    np.testing.assert_array_equal(over, joined(batches, "quantities") > 0)
    assert 0.45 < over.mean() < 0.55


def test_gaps_are_exponential() -> None:
    """40,000 gaps: mean and standard deviation are equal, within five standard errors."""
    gaps = np.diff(joined(some(200), "times_ns"))
    assert abs(gaps.mean() - 1e6) < 5 * 1e6 / 200
    assert abs(gaps.std() - 1e6) < 10 * 1e6 / 200


async def test_the_service_takes_them_in() -> None:
    market = await a_market(now_ns=NOON_NS + 60 * NS_PER_SECOND)
    answer = await publish(market, *(batch_of(ticks) for ticks in some(10)))
    assert (answer.batches, answer.ticks) == (10, 2_000)
