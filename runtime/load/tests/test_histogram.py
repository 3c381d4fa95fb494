"""Histograms of latencies, held against HDR's own implementation."""

import numpy as np
import pytest
from hdrh.histogram import HdrHistogram  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st

from runtime.load.histogram import DIGITS, HIGHEST_US, LOWEST_US, Latencies

micros = st.lists(st.integers(0, HIGHEST_US + 1000), min_size=1, max_size=200)


@given(micros)
def test_the_steps_and_the_text_are_those_of_the_reference(seen: list[int]) -> None:
    reference = HdrHistogram(LOWEST_US, HIGHEST_US, DIGITS)
    for one in seen:
        reference.record_value(min(max(one, LOWEST_US), HIGHEST_US))
    ours = Latencies.of(one / 1e6 for one in seen)
    assert ours.to_text() == reference.encode().decode()
    assert ours.max_ms == reference.get_value_at_percentile(100) / 1e3


@given(micros)
def test_what_is_read_is_never_less_and_at_most_a_thousandth_more(seen: list[int]) -> None:
    ours = Latencies.of(one / 1e6 for one in seen)
    for rank, exact in enumerate(sorted(seen), 1):
        exact_ms = min(max(exact, LOWEST_US), HIGHEST_US) / 1e3
        assert exact_ms <= ours.rank_ms(rank) <= exact_ms * 1.001


@given(micros, micros)
def test_merged_histograms_are_the_histogram_of_both(first: list[int], second: list[int]) -> None:
    both = Latencies.of(one / 1e6 for one in first + second)
    parts = [Latencies.of(one / 1e6 for one in part) for part in (first, second)]
    assert Latencies.merged(parts) == both
    assert both.total == len(first) + len(second)


@given(micros)
def test_a_histogram_comes_back_from_its_text(seen: list[int]) -> None:
    ours = Latencies.of(one / 1e6 for one in seen)
    assert Latencies.from_text(ours.to_text()) == ours


@pytest.mark.parametrize(("percent", "ms"), [(50, 500), (99, 990), (99.9, 999), (100, 1000)])
def test_a_percentile_is_what_that_share_does_not_exceed(percent: float, ms: float) -> None:
    ours = Latencies.of(np.arange(1, 1001) / 1e3)
    assert ours.percentile_ms(percent) == pytest.approx(ms, rel=1e-3)
    assert ours.percentile_ms(percent + 0.0001) >= ours.percentile_ms(percent)


def test_a_percentile_between_two_ranks_is_the_greater() -> None:
    ours = Latencies.of([0.001, 0.002, 0.003])
    assert [ours.percentile_ms(percent) for percent in (1, 33, 34, 66, 67, 99)] == pytest.approx(
        [1, 1, 2, 2, 3, 3], rel=1e-3
    )


def test_nothing_seen_reads_as_nothing() -> None:
    nothing = Latencies.merged([])
    assert (nothing.total, nothing.max_ms, nothing.mean_ms) == (0, 0.0, 0.0)
    assert nothing.percentile_ms(99) == 0.0
    assert Latencies.from_text(nothing.to_text()) == nothing


def test_counts_up_to_a_limit_leave_out_what_took_longer() -> None:
    ours = Latencies.of([0.010, 0.020, 0.500, 0.5011])
    assert [ours.count_to(ms) for ms in (9.9, 10.01, 20.02, 500.3, 600)] == [0, 1, 2, 3, 4]
    assert [count for _, count in ours.buckets()] == [1, 1, 1, 1]
    assert ours.mean_ms == pytest.approx(257.775, rel=1e-3)
