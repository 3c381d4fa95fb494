"""Schedules: when units are due, by kind, seed and part."""

from dataclasses import replace

import numpy as np
import pytest

from runtime.load.arrivals import SHAPES, Schedule
from runtime.load.plan import Plan, Profile, Target

PROFILE = Profile("ECHO", "one echo", 100.0, (), "none:None", "constant")
PLAN = Plan(PROFILE, Target({}), multiple=1.0, warmup_s=2.0, duration_s=8.0, seed=7)


def plan(arrivals: str, **changes: float) -> Plan:
    told = replace(PLAN, profile=replace(PROFILE, arrivals=arrivals))
    return replace(told, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("arrivals", SHAPES)
def test_units_are_due_in_order_within_the_run(arrivals: str) -> None:
    due_s = Schedule.of(plan(arrivals)).due_s
    assert (np.diff(due_s) >= 0).all()
    assert due_s[0] >= 0.0
    assert due_s[-1] < 10.0


@pytest.mark.parametrize("arrivals", SHAPES)
def test_one_seed_makes_one_schedule(arrivals: str) -> None:
    first, again = Schedule.of(plan(arrivals)), Schedule.of(plan(arrivals))
    assert np.array_equal(first.due_s, again.due_s)


def test_another_seed_makes_other_random_arrivals() -> None:
    first, other = Schedule.of(plan("poisson")), Schedule.of(plan("poisson", seed=8))
    assert not np.array_equal(first.due_s[:100], other.due_s[:100])


@pytest.mark.parametrize("arrivals", SHAPES)
def test_parts_together_are_the_schedule_of_one(arrivals: str) -> None:
    whole = Schedule.of(plan(arrivals))
    parts = [Schedule.of(plan(arrivals, part=part, parts=3)) for part in range(3)]
    numbers = np.concatenate([part.numbers for part in parts])
    order = np.argsort(numbers)
    assert np.array_equal(numbers[order], whole.numbers)
    due_s = np.concatenate([part.due_s for part in parts])[order]
    assert due_s == pytest.approx(whole.due_s)


@pytest.mark.parametrize("arrivals", ["constant", "burst"])
def test_even_arrivals_make_the_rate_in_every_second(arrivals: str) -> None:
    due_s = Schedule.of(plan(arrivals, multiple=2.0)).due_s
    assert np.bincount(due_s.astype(int)).tolist() == [200] * 10


def test_random_arrivals_make_the_rate_on_average() -> None:
    due_s = Schedule.of(plan("poisson", multiple=100.0)).due_s
    assert len(due_s) == pytest.approx(100_000, rel=0.02)
    gaps_s = np.diff(due_s)  # Those of a Poisson process deviate by as much as their mean.
    assert gaps_s.std() == pytest.approx(gaps_s.mean(), rel=0.05)


def test_a_burst_is_over_in_ten_milliseconds() -> None:
    due_s = Schedule.of(plan("burst")).due_s
    assert (due_s % 1.0).max() < 0.010


def test_steps_rise_by_a_quarter_of_the_rate() -> None:
    due_s = Schedule.of(plan("step", warmup_s=0.0)).due_s
    in_each = np.histogram(due_s, bins=4, range=(0.0, 8.0))[0]
    assert in_each.tolist() == pytest.approx([50, 100, 150, 200], abs=1)


def test_a_ramp_rises_evenly_to_the_rate() -> None:
    due_s = Schedule.of(plan("ramp")).due_s
    in_each = np.histogram(due_s, bins=10, range=(0.0, 10.0))[0]
    assert in_each.tolist() == pytest.approx([5 + 10 * second for second in range(10)], abs=1)


def test_arrivals_that_do_not_exist_are_refused() -> None:
    with pytest.raises(ValueError, match="arrivals is 'often', must be one of constant, poisson"):
        Schedule.of(plan("often"))
