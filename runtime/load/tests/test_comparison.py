"""A regression is what is slower beyond noise and beyond the factor, and nothing else is."""

import json

import pytest

from runtime.load.comparison import FACTOR, Baseline, Change, Reading, compare
from runtime.load.measured import Measured
from runtime.load.report.result import Result, Run
from runtime.load.tests.made_up import SUBMIT, measured, series, served
from runtime.load.verdict import Outcome

BOOKED = "SUBMIT at 2x booked p99, ms"
CPU = "SUBMIT at 2x servers' CPU, ms a unit"


def run(median_ms: float = 45.0, seed: int = 2) -> Measured:
    return measured(series={"booked": series(median_ms, seed=seed), "acknowledged": series(20.0)})


def side(*runs: Measured, cpu: float = 1.0) -> Baseline:
    """Return what runs say, each a result of its own, as alternating sides have them."""
    return Baseline.of(Result((Run(SUBMIT, one, served(cpu)),)) for one in runs)


def changes(before: Baseline, now: Baseline) -> dict[str, Change]:
    return {change.name: change for change in compare(before, now).changes}


def test_the_same_again_is_no_regression() -> None:
    found = compare(side(run(seed=2), run(seed=3)), side(run(seed=4), run(seed=5)))
    assert found.outcome is Outcome.PASSED
    assert {change.name for change in found.changes} >= {BOOKED, CPU}
    assert all(change.low <= change.ratio <= change.high for change in found.changes)


@pytest.mark.parametrize(("slower", "expected"), [(1.15, Outcome.PASSED), (1.6, Outcome.FAILED)])
def test_slower_beyond_the_factor_is_a_regression(slower: float, expected: Outcome) -> None:
    before, now = side(run(), run(seed=3)), side(run(45 * slower), run(45 * slower, seed=3))
    found = compare(before, now)
    assert found.outcome is expected
    assert changes(before, now)[BOOKED].ratio == pytest.approx(slower, rel=0.02)
    assert changes(now, before)[BOOKED].is_improvement is (expected is Outcome.FAILED)


@pytest.mark.parametrize("medians_ms", [(45.0, 90.0, 45.0), (90.0, 45.0, 90.0)], ids=str)
def test_sides_whose_runs_overlap_prove_nothing(medians_ms: tuple[float, ...]) -> None:
    now = side(*(run(ms, seed) for seed, ms in enumerate(medians_ms, 3)))
    change = changes(side(run(), run(seed=3)), now)[BOOKED]
    assert change.high > FACTOR
    assert not change.is_regression


def test_more_processor_time_for_each_unit_is_a_regression() -> None:
    found = compare(side(run()), side(run(), cpu=1.5))
    assert found.outcome is Outcome.FAILED
    assert [change.name for change in found.changes if change.is_regression] == [CPU]


def test_void_runs_say_nothing() -> None:
    late = measured(late=900, series={"booked": series(400.0)})
    assert side(run(), late) == side(run())
    found = compare(side(run()), side(late))
    assert found.outcome is Outcome.VOID
    assert BOOKED in found.missing


def test_a_baseline_survives_json() -> None:
    baseline = side(run())
    assert Baseline.from_object(json.loads(json.dumps(baseline.to_object()))) == baseline


def test_a_figure_that_was_nothing_has_no_ratio_to_speak_of() -> None:
    nothing, some = Reading(0, 0, 0), Reading(1, 1, 1)
    assert Change("n", nothing, nothing, FACTOR).ratio == 1
    assert Change("n", nothing, some, FACTOR).is_regression


def test_a_comparison_tells_ratios_and_ends_with_its_verdict() -> None:
    told = list(compare(side(run()), side(run(90.0))).lines())
    (line,) = (one for one in told if one.startswith(BOOKED))
    assert " 2.00x " in line
    assert line.endswith("SLOWER")
    assert told[-1] == "FAILED"
