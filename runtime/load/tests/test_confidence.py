"""An interval says between which two samples a percentile lies, or that it cannot."""

import random

import pytest

from runtime.load.confidence import CONFIDENCE, Ranks, ranks, samples_needed


@pytest.mark.parametrize(
    ("count", "share", "expected"),
    [
        (100, 0.5, Ranks(40, 61)),  # David and Nagaraja, table 7.1.
        (368, 0.99, Ranks(360, 368)),
        (367, 0.99, None),
        (24_000, 0.99, Ranks(23_729, 23_791)),
        (120_000, 0.5, Ranks(59_661, 60_340)),  # Far beyond where factorials are numbers.
        (5, 0.5, None),
        (0, 0.99, None),
    ],
)
def test_the_ranks_are_those_of_the_binomial(
    count: int, share: float, expected: Ranks | None
) -> None:
    assert ranks(count, share) == expected


@pytest.mark.parametrize(("share", "needed"), [(0.5, 6), (0.99, 368), (0.999, 3_688)])
def test_a_percentile_needs_so_many_samples(share: float, needed: int) -> None:
    assert samples_needed(share) == needed
    assert ranks(needed - 1, share) is None
    assert ranks(needed, share) is not None


def test_the_interval_holds_the_true_percentile_as_often_as_it_says() -> None:
    """2,000 samples of 400 uniform numbers, whose p95 is 0.95.

    The coverage of ranks is at least 95 %; 3.5 standard errors of 2,000 trials are 1.7 %.
    """
    rng, share, trials = random.Random(7), 0.95, 2_000
    found = ranks(400, share)
    assert found is not None
    hits = 0
    for _ in range(trials):
        sample = sorted(rng.random() for _ in range(400))
        hits += sample[found.low - 1] <= share <= sample[found.high - 1]
    assert CONFIDENCE - 0.017 <= hits / trials <= CONFIDENCE + 0.035
