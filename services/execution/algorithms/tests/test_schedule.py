"""Schedules: exact at the end, never falling, in time order, and shaped as the table says."""

import random
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.execution.algorithms.profiles import (
    DAY_NS,
    SESSIONS,
    Bar,
    Profile,
    session_profile,
    u_shape,
)
from services.execution.algorithms.schedule import (
    cumulative_targets,
    due_times,
    rescaled,
    timetable,
)
from services.execution.algorithms.terms import NS_PER_S, Impact, Kind
from services.execution.algorithms.tests.mothers import MINUTE_NS, START_NS, terms
from services.execution.algorithms.weights import by_volume, even, kappa, shortfall

lots = st.integers(1, 1_000_000)
counts = st.integers(1, 400)


def rng() -> random.Random:
    return random.Random(7)


@given(quantity=lots, slices=counts)
def test_time_weighted_targets_are_rounded_half_to_even_exactly(quantity: int, slices: int) -> None:
    targets = cumulative_targets(quantity, even(slices))
    for k, target in enumerate(targets, 1):
        whole, rest = divmod(quantity * k, slices)
        is_up = 2 * rest > slices or (2 * rest == slices and whole % 2 == 1)
        assert target == whole + is_up


@given(quantity=lots, volumes=st.lists(st.floats(0.01, 1e9), min_size=1, max_size=300))
def test_targets_never_fall_and_end_with_the_whole_quantity(
    quantity: int, volumes: list[float]
) -> None:
    targets = cumulative_targets(quantity, by_volume(np.array(volumes)))
    assert targets[-1] == quantity
    assert all(0 <= one <= other for one, other in pairwise(targets))


@given(quantity=lots, interval_s=st.integers(1, 700), min_child=st.integers(1, 200))
def test_there_are_as_many_slices_as_window_and_smallest_child_allow(
    quantity: int, interval_s: int, min_child: int
) -> None:
    made = terms(
        quantity_lots=quantity, interval_ns=interval_s * NS_PER_S, min_child_lots=min_child
    )
    slices = timetable(made, rng()).slices
    assert len(slices) == max(1, min(-(-600 // interval_s), quantity // min_child))


@given(seed=st.integers(0, 2**32), interval_s=st.integers(1, 600))
def test_slices_are_due_in_order_within_a_fifth_of_their_spacing(
    seed: int, interval_s: int
) -> None:
    made = terms(quantity_lots=10_000, interval_ns=interval_s * NS_PER_S)
    dues = due_times(made, random.Random(seed))
    assert dues == sorted(dues)
    assert dues == due_times(made, random.Random(seed))
    for number, due in enumerate(dues):
        even_ns = made.start_ns + number * made.spacing_ns
        assert max(made.start_ns, even_ns - made.spacing_ns // 5 - 1) <= due
        assert due <= even_ns + made.spacing_ns // 5 + 1
        assert due < made.end_ns


def test_jitter_is_really_there() -> None:
    dues = due_times(terms(), rng())
    assert len({b - a for a, b in pairwise(dues)}) > 1


@pytest.mark.parametrize("urgency", [1, 2, 3, 4, 5])
def test_urgency_front_loads_as_the_formula_says(urgency: int) -> None:
    kappa_t = {1: 0.5, 2: 1, 3: 2, 4: 3, 5: 5}[urgency]
    weights = shortfall(10, 600.0, Impact(urgency=urgency))
    k = np.arange(1, 11)
    expected = 1 - np.sinh(kappa_t * (1 - k / 10)) / np.sinh(kappa_t)
    np.testing.assert_allclose(weights.cumulative / weights.whole, expected, rtol=1e-12)
    assert weights.cumulative[0] > 0.1


def test_an_impact_model_takes_the_place_of_the_urgency() -> None:
    impact = Impact(urgency=5, risk_aversion=1e-6, volatility=0.95, impact=2.5e-6)
    half = 0.5 * (1e-6 * 0.95**2 / 2.5e-6) * 60.0**2
    assert kappa(10, 600.0, impact) == pytest.approx(np.arccosh(half + 1) / 60.0)
    assert kappa(10, 600.0, Impact(urgency=5)) == pytest.approx(5 / 600)


def test_zero_risk_aversion_equals_the_time_weighted_schedule() -> None:
    impact = Impact(risk_aversion=0.0, volatility=0.02, impact=1e-6)
    patient = timetable(terms(Kind.IMPLEMENTATION_SHORTFALL, impact=impact), rng())
    assert patient.slices == timetable(terms(), rng()).slices


@given(kappa_t=st.floats(1e-9, 1e4))
def test_a_vanishing_urgency_approaches_the_line_and_a_huge_one_does_not_overflow(
    kappa_t: float,
) -> None:
    impact = Impact(risk_aversion=(kappa_t / 600) ** 2, volatility=1.0, impact=1.0)
    weights = shortfall(20, 600.0, impact)
    shares = weights.cumulative / weights.whole
    assert np.isfinite(shares).all()
    assert shares[-1] == 1.0
    assert (np.diff(shares) >= 0).all()
    assert (shares >= np.arange(1, 21) / 20 - 1e-12).all()
    if kappa_t < 1e-3:
        np.testing.assert_allclose(shares, np.arange(1, 21) / 20, atol=1e-6)


def test_without_volumes_the_day_is_taken_for_u_shaped_and_that_is_stated() -> None:
    made = timetable(terms(Kind.VWAP, quantity_lots=10_000), rng())
    assert made.profile == "U-shape"
    sizes = np.diff([0, *(one.target_lots for one in made.slices)])
    assert sizes[0] > 1.5 * sizes[5]
    assert sizes[-1] > 1.5 * sizes[5]
    x = (np.arange(30) + 0.5) / 30
    u = 1 + 2 * (2 * x - 1) ** 2
    np.testing.assert_allclose(u_shape(), u / u.sum())


def bars(day: int, volumes: list[float]) -> list[Bar]:
    """Return the half-hour bars of a date whose volume begins at noon."""
    noon = day * DAY_NS + DAY_NS // 2
    half_hour = 30 * MINUTE_NS
    return [
        Bar(noon + i * half_hour, noon + (i + 1) * half_hour, volume)
        for i, volume in enumerate(volumes)
    ]


def test_the_profile_is_the_mean_share_of_the_last_twenty_sessions() -> None:
    old = bars(0, [1000.0, 0.0])
    lately = [bar for day in range(1, SESSIONS) for bar in bars(day, [1.0, 3.0])]
    busy = bars(SESSIONS, [300.0, 100.0])  # A share counts, not the volume.
    profile = session_profile([*old, *lately, *busy])
    assert profile is not None
    first = profile.volumes(DAY_NS // 2, DAY_NS // 2 + 60 * MINUTE_NS, 2)
    mean = (19 * 0.25 + 0.75) / 20
    np.testing.assert_allclose(first, [mean, 1 - mean])


def test_a_schedule_after_the_profile_follows_it_and_states_it() -> None:
    profile = session_profile(bars(1, [1.0, 3.0]))
    noon = 19_675 * DAY_NS + DAY_NS // 2
    made = terms(Kind.VWAP, start_ns=noon, end_ns=noon + 60 * MINUTE_NS, interval_ns=30 * MINUTE_NS)
    planned = timetable(made, rng(), profile)
    assert planned.profile == "session volume profile"
    assert [one.target_lots for one in planned.slices] == [25, 100]


def test_a_window_in_which_nothing_ever_traded_falls_back_to_the_u_shape() -> None:
    profile = session_profile(bars(1, [1.0, 3.0]))
    midnight = 19_675 * DAY_NS
    made = terms(Kind.VWAP, start_ns=midnight, end_ns=midnight + 10 * MINUTE_NS)
    assert timetable(made, rng(), profile).profile == "U-shape"


def test_days_without_volume_make_no_profile() -> None:
    assert session_profile([]) is None
    assert session_profile(bars(1, [0.0, 0.0])) is None


def test_a_window_over_midnight_counts_both_days() -> None:
    flat = Profile("flat", np.array([0.0, float(DAY_NS)]), np.array([1.0]))
    late = START_NS - START_NS % DAY_NS + DAY_NS - 5 * MINUTE_NS
    volumes = flat.volumes(late, late + 10 * MINUTE_NS, 10)
    np.testing.assert_allclose(volumes, np.full(10, 1 / 1440))


def test_a_given_profile_is_used_and_stated() -> None:
    planned = timetable(terms(Kind.VWAP), rng(), given=(3.0, 1.0))
    assert planned.profile == "given profile"
    assert planned.slices[4].target_lots == 75


@given(target=st.integers(0, 10_000), before=st.integers(1, 10_000), after=st.integers(1, 10_000))
def test_a_target_moves_with_the_quantity(target: int, before: int, after: int) -> None:
    target = min(target, before)
    moved = rescaled(target, before_lots=before, after_lots=after)
    assert abs(moved * before - target * after) * 2 <= before
    assert rescaled(before, before_lots=before, after_lots=after) == after
