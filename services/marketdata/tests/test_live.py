"""Generated bars, step by step."""

from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.marketdata.generated import generate_series
from services.marketdata.live import Course, LiveBar, live_bars
from services.marketdata.tests.mothers import NOON_NS
from services.marketdata.timeframes import Timeframe

DATASETS = {"square-v1": "SQ03.XSIM", "synthetic-jd-v1": "JD03.XSIM"}
SEEDS = st.integers(-(2**63), 2**63 - 1)


def bars_of(dataset: str, count: int, *, seed: int = 7) -> list[LiveBar]:
    """Return the first one-minute bars of the third instrument."""
    endless = live_bars(
        dataset,
        DATASETS[dataset],
        index=3,
        seed=seed,
        start_ns=NOON_NS,
        timeframe=Timeframe.MINUTE_1,
    )
    return list(islice(endless, count))


@pytest.mark.parametrize("dataset", DATASETS)
def test_live_candles_are_those_of_a_replay(dataset: str) -> None:
    bars = bars_of(dataset, 700)  # More than are made at once.
    replayed = generate_series(
        DATASETS[dataset], Timeframe.MINUTE_1, seed=7, start_ns=NOON_NS, count=700
    )
    assert [bar.candle for bar in bars] == list(replayed.candles())


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(sorted(DATASETS)), SEEDS)
def test_ten_steps_make_the_candle_of_a_bar(dataset: str, seed: int) -> None:
    for bar in bars_of(dataset, 40, seed=seed):
        prices = [step.price for step in bar.steps]
        candle = bar.candle
        opens, high, low, close = (int(price * 100) for price in candle.prices)
        assert (max(opens, *prices), min(opens, *prices), prices[-1]) == (high, low, close)
        assert sum(step.lots for step in bar.steps) == candle.volume
        assert min(step.lots for step in bar.steps) >= 0


def test_a_step_ends_every_tenth_of_a_bar() -> None:
    first, second = bars_of("square-v1", 2)
    times_ns = [step.time_ns for step in (*first.steps, *second.steps)]
    assert times_ns == [NOON_NS + 6_000_000_000 * number for number in range(1, 21)]
    assert (first.close_ns, second.open_ns) == (times_ns[9], times_ns[9])


def test_the_square_wave_of_an_index_is_the_one_of_its_number() -> None:
    course = Course(index=3, seed=1, start_ns=0, timeframe=Timeframe.SECOND_1)
    third = next(live_bars("square-v1", "SQ07.XSIM", **course))
    named = next(live_bars("square-v1", "SQ03.XSIM", **course))
    assert third.steps == named.steps


@pytest.mark.parametrize(
    ("dataset", "timeframe", "start_ns", "words"),
    [
        ("sp500-index", Timeframe.DAY_1, 0, "must be one of"),
        ("square-v1", Timeframe.HOUR_1, 0, "makes no HOUR_1"),
        ("square-v1", Timeframe.MINUTE_1, 1, "must be a multiple"),
    ],
    ids=["no generator", "no such timeframe", "off the grid"],
)
def test_what_no_generator_makes_is_refused(
    dataset: str, timeframe: Timeframe, start_ns: int, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        live_bars(dataset, "SQ00.XSIM", index=0, seed=1, start_ns=start_ns, timeframe=timeframe)
