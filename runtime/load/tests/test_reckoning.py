"""From what was noted to what it means."""

import numpy as np

from runtime.load import reckoning
from runtime.load.meter import Delivered, Ended


def ended(sent_s: list[float], took_s: list[float], codes: list[int] | None = None) -> Ended:
    """Return units that were sent when they were due."""
    sent = np.array(sent_s, float)
    failed = np.zeros(len(sent)) if codes is None else codes
    return Ended(sent, sent, sent + np.array(took_s, float), np.array(failed, np.int8))


def stalled() -> Ended:
    """Return ten seconds of a call each 10 ms that takes 1 ms, of a server that stalls for two."""
    sent_s = np.arange(1000) / 100
    free_s = np.where((sent_s >= 4) & (sent_s < 6), 6.0, sent_s)
    return ended(list(sent_s), list(free_s + 0.001 - sent_s))


def test_a_stall_shows_in_the_corrected_latencies_only() -> None:
    series = reckoning.series_of(stalled(), 0.0, 10.0)
    assert series.corrected.percentile_ms(99) > 1800
    assert series.uncorrected.percentile_ms(99) < 2
    assert series.uncorrected.max_ms > 1990  # The one call that its only caller has waited for.
    assert series.uncorrected.total == 800


def test_one_who_waits_counts_from_the_real_instant() -> None:
    intended_s, sent_s, ended_s = np.array([[1.0], [1.5], [1.6]])
    late = Ended(intended_s, sent_s, ended_s, np.zeros(1, np.int8))
    series = reckoning.series_of(late, 0.0, 2.0)
    assert round(series.corrected.max_ms) == 600
    assert round(series.uncorrected.max_ms) == 100


def test_failures_are_counted_by_their_status_and_make_nothing_look_fast() -> None:
    series = reckoning.series_of(ended([0.1, 0.2, 1.3], [0.1, 0.001, 0.1], [0, 14, 4]), 0.0, 2.0)
    assert series.counts == {"OK": 1, "UNAVAILABLE": 1, "DEADLINE_EXCEEDED": 1}
    assert (series.ended, series.failed) == (3, 2)
    assert round(series.corrected.percentile_ms(1)) == round(series.uncorrected.max_ms) == 100
    assert [(one.second, one.ended, one.failed) for one in series.timeline] == [
        (0, 2, 1),
        (1, 1, 1),
    ]


def test_seconds_go_on_while_anything_ends_and_leave_none_out() -> None:
    series = reckoning.series_of(ended([10.5, 12.9], [0.1, 0.6]), 10.0, 3.0)
    assert [one.ended for one in series.timeline] == [1, 0, 0, 1]


def test_order_gaps_and_repeats_of_a_stream_are_counted() -> None:
    ages_s = np.array([0.001, np.nan, 0.001, 0.001, 0.001, 0.001])
    seen = reckoning.stream_of(Delivered(np.array([5, 6, 9, 8, 8, 11]), ages_s))
    assert (seen.messages, seen.gaps, seen.out_of_order, seen.repeats) == (6, 2, 1, 1)
    assert seen.age.total == 5


def test_an_orderly_stream_has_nothing_to_count() -> None:
    seen = reckoning.stream_of(Delivered(np.arange(3, 50), np.full(47, np.nan)))
    assert (seen.messages, seen.gaps, seen.out_of_order, seen.repeats) == (47, 0, 0, 0)
    nothing = reckoning.stream_of(Delivered(np.empty(0, np.int64), np.empty(0)))
    assert (nothing.messages, nothing.gaps, nothing.out_of_order) == (0, 0, 0)


def test_a_server_that_was_still_slow_had_not_warmed_up() -> None:
    warmup, measured = ended([7.5, 8.5, 9.5], [0.08] * 3), ended([10.5, 11.5], [0.01] * 2)
    reason = reckoning.unsteadiness(warmup, measured, 10.0)
    assert reason.startswith("the median was 80.0 ms in the last 3 s of the warm-up and 10.0 ms")


def test_only_the_end_of_the_warm_up_counts() -> None:
    warmup, measured = ended([1.0, 2.0, 9.5], [5.0, 5.0, 0.01]), ended([10.5], [0.01])
    assert not reckoning.unsteadiness(warmup, measured, 10.0)


def test_a_server_that_grows_slower_is_overloaded_and_not_unsteady() -> None:
    warmup, measured = ended([8.0, 9.0], [0.1] * 2), ended([10.5, 11.5], [5.0] * 2)
    assert not reckoning.unsteadiness(warmup, measured, 10.0)


def test_a_run_without_a_warm_up_is_not_steady() -> None:
    none, measured = ended([], []), ended([0.5], [0.01])
    assert "warm-up" in reckoning.unsteadiness(none, measured, 0.0)
    assert not reckoning.unsteadiness(none, none, 0.0)
