"""Profile after profile is measured, its repeats, then its knee; what is missing makes it void."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from runtime.load.histogram import Latencies
from runtime.load.measured import Measured, Series
from runtime.load.on_locust.options import Asked
from runtime.load.on_locust.tour import Leg, Tour
from runtime.load.plan import ENGINES_MAX, Gate, Profile, Target
from runtime.load.verdict import Outcome

A = Profile("A", "a unit", 100.0, (Gate("done", p99_ms=500.0),), "a:A")
B = replace(A, name="B", multiple_max=1.0)
ASKED = Asked(Target({"*": "h:1"}), repeats=2, duration_s=60.0)
COUNT = 1_000


def line(leg: Leg, part: int, latency_ms: float = 5.0) -> dict[str, Any]:
    """Return what an engine says that measured this latency again and again."""
    plan = leg.plans[part]
    latencies = Latencies.of(np.full(COUNT, latency_ms / 1e3))
    measured = Measured(
        profile=leg.profile.name,
        multiple=plan.multiple,
        rate=plan.rate,
        parts=1,
        warmup_s=plan.warmup_s,
        duration_s=plan.duration_s,
        seed=plan.seed,
        scheduled=COUNT,
        sent=COUNT,
        late=0,
        dropped=0,
        lateness=Latencies.of(),
        series={"done": Series(latencies, latencies, {"OK": COUNT})},
    )
    return {"kind": "measured", **measured.to_object()}


def begun(tour: Tour, parts: int = 1) -> Leg:
    leg = tour.begin(parts)
    assert leg is not None
    return leg


def measure(tour: Tour, *, latency_ms: float = 5.0, parts: int = 1) -> list[Leg]:
    """Have everything measured; return the legs."""
    legs = []
    while (leg := tour.begin(parts)) is not None:
        legs.append(leg)
        hear_all(tour, leg, latency_ms)
    return legs


def hear_all(tour: Tour, leg: Leg, latency_ms: float) -> None:
    """Have each engine of a leg say that it measured this."""
    for part in range(len(leg.plans)):
        tour.hear(leg.number, part, line(leg, part, latency_ms))


def test_profiles_are_measured_in_turn_and_repeatedly_each_time_with_another_seed() -> None:
    legs = measure(tour := Tour(ASKED, [A, B]))
    assert [(leg.profile.name, leg.plans[0].multiple) for leg in legs] == [
        ("A", 2.0),
        ("A", 2.0),
        ("B", 1.0),  # It is not doubled.
        ("B", 1.0),
    ]
    assert [leg.plans[0].seed for leg in legs] == [1, 2, 3, 4]
    assert tour.result().outcome is Outcome.PASSED


def test_engines_share_the_rate_and_are_judged_together() -> None:
    tour = Tour(replace(ASKED, repeats=1), [A])
    leg = begun(tour, parts=2)
    assert [(plan.part, plan.parts, plan.rate) for plan in leg.plans] == [
        (0, 2, 100.0),
        (1, 2, 100.0),
    ]
    tour.hear(leg.number, 1, line(leg, 1, latency_ms=5))
    assert tour.leg is leg  # One is still at it.
    tour.hear(leg.number, 0, line(leg, 0, latency_ms=900))
    (run,) = tour.result(seed="1").runs
    assert run.measured.sent == 2 * COUNT
    assert run.measured.rate == 200.0
    assert run.measured.series["done"].corrected.total == 2 * COUNT
    assert run.verdict.outcome is Outcome.FAILED


def test_a_rate_that_is_too_much_for_one_engine_is_shared_by_more_on_the_same_worker() -> None:
    heavy = replace(A, engine_rate=70.0)
    tour = Tour(replace(ASKED, repeats=1), [heavy])
    (leg,) = measure(tour)
    assert [plan.rate for plan in leg.plans] == pytest.approx([200 / 3] * 3)
    assert tour.result().runs[0].measured.sent == 3 * COUNT
    assert len(begun(Tour(ASKED, [heavy]), parts=4).plans) == 4  # No worker is left idle.
    assert len(begun(Tour(replace(ASKED, multiple=64.0), [heavy])).plans) == ENGINES_MAX


def test_an_engine_counts_once_and_only_for_its_own_leg() -> None:
    tour = Tour(replace(ASKED, repeats=2), [A])
    first = begun(tour)
    tour.hear(first.number, 0, line(first, 0))
    second = begun(tour, parts=2)
    tour.hear(first.number, 0, line(first, 0))
    tour.hear(second.number, 0, line(second, 0))
    tour.hear(second.number, 0, line(second, 0))
    assert tour.leg is second
    assert [(one["leg"], one["part"]) for one in tour.told] == [(1, 0), (2, 0)]


def test_the_knee_is_searched_after_the_repeats_and_judged_by_no_limit() -> None:
    tour = Tour(replace(ASKED, repeats=1, is_knee_wanted=True), [A, B])
    searched = []
    while (leg := tour.begin(1)) is not None:
        searched.append((leg.profile.name, leg.plans[0].multiple, leg.is_judged))
        hear_all(tour, leg, latency_ms=2_000 if leg.plans[0].multiple > 5 else 5)
    assert searched[:4] == [("A", 2.0, True), ("A", 1.0, False), ("A", 4.0, False), ("A", 8, False)]
    assert searched[-1] == ("B", 1.0, True)  # What is never doubled has no knee to be found.
    result = tour.result()
    assert [run.profile.name for run in result.runs] == ["A", "B"]
    assert {point.multiple for point in result.curves["A"]} >= {1.0, 2.0, 4.0, 8.0}
    assert result.outcome is Outcome.PASSED


def test_what_was_void_is_measured_twice_as_long_when_the_knee_is_searched() -> None:
    tour = Tour(replace(ASKED, repeats=1, is_knee_wanted=True), [A])
    legs: list[Leg] = []
    while (leg := tour.begin(1)) is not None and len(legs) < 4:
        legs.append(leg)
        is_void = leg.plans[0].multiple == 1.0
        tour.hear(leg.number, 0, {"kind": "void", "reason": "-"} if is_void else line(leg, 0))
    spans_s = [(one.plans[0].multiple, one.plans[0].duration_s) for one in legs]
    assert spans_s == [(2.0, 60.0), (1.0, 60.0), (1.0, 120.0)]  # Not a third time.
    assert [one.plans[0].warmup_s for one in legs] == [10.0, 10.0, 20.0]


def test_a_leg_without_one_of_its_engines_is_over_and_void_and_says_why() -> None:
    tour = Tour(replace(ASKED, repeats=1), [A])
    leg = begun(tour, parts=2)
    tour.hear(leg.number, 1, {"kind": "void", "reason": "it fell over"})
    assert tour.leg is None
    result = tour.result()
    assert result.outcome is Outcome.VOID
    assert result.facts == {"A, leg 1": "it fell over"}


@pytest.mark.parametrize(("apart_s", "is_void"), [(14.0, False), (16.0, True)])
def test_engines_that_do_not_offer_their_parts_together_offer_nothing(
    apart_s: float, is_void: bool
) -> None:
    tour = Tour(replace(ASKED, repeats=1), [A])
    leg = begun(tour, parts=2)
    tour.hear(leg.number, 0, {**line(leg, 0), "began_s": 100.0})
    tour.hear(leg.number, 1, {**line(leg, 1), "began_s": 100.0 + apart_s})
    assert (tour.result().outcome is Outcome.VOID) == is_void
    assert ("began 16.0 s apart" in str(tour.notes)) == is_void


def test_what_cannot_be_done_ends_the_tour_at_once() -> None:
    tour = Tour(ASKED, [A, B])
    leg = begun(tour)
    tour.hear(leg.number, 0, {"kind": "wrong", "message": "A: UNAVAILABLE: nobody is there"})
    assert tour.begin(1) is None
    assert tour.wrong == "A: UNAVAILABLE: nobody is there"


def test_a_lost_worker_ends_its_leg_and_the_next_has_one_engine_less() -> None:
    tour = Tour(ASKED, [A])
    leg = begun(tour, parts=2)
    tour.hear(leg.number, 0, line(leg, 0))
    tour.lose("a worker was lost")
    assert len(begun(tour).plans) == 1
    assert tour.result().facts == {"A, leg 1": "a worker was lost"}


@pytest.mark.parametrize("is_measuring", [True, False])
def test_a_tour_that_is_stopped_before_its_end_is_void(is_measuring: bool) -> None:
    tour = Tour(ASKED, [A])
    leg = begun(tour)
    if not is_measuring:
        tour.hear(leg.number, 0, line(leg, 0))
    tour.stop()
    assert tour.result().outcome is Outcome.VOID


def test_stopping_a_tour_that_is_done_changes_nothing() -> None:
    measure(tour := Tour(ASKED, [A]))
    tour.stop()
    assert len(tour.done) == 2
    assert tour.result().outcome is Outcome.PASSED


def test_engines_that_say_nothing_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    tour = Tour(ASKED, [A])
    leg = begun(tour)
    tour.check_time()
    assert tour.leg is leg
    monkeypatch.setattr("runtime.load.on_locust.tour.GRACE_S", -1_000.0)
    tour.stop()
    begun(tour)
    tour.check_time()
    assert tour.leg is None
