"""How a run is shared by engines: as many as its rate takes, each with its part of the rest."""

from dataclasses import replace

import pytest

from runtime.load.plan import ENGINES_MAX, Gate, Plan, Profile, Target

PROFILE = Profile("A", "a unit", 100.0, (Gate("done", 500.0),), "a:A", engine_rate=150.0)


@pytest.mark.parametrize(("multiple", "engines"), [(0.1, 1), (1.5, 1), (2.0, 2), (64.0, 4)])
def test_engines_are_as_many_as_the_rate_takes_and_never_many(
    multiple: float, engines: int
) -> None:
    assert PROFILE.engines(multiple) == engines <= ENGINES_MAX


def test_what_is_never_doubled_takes_the_engines_of_what_is_offered() -> None:
    assert replace(PROFILE, multiple_max=1.0).engines(3.0) == 1


def test_engines_share_what_they_have_together() -> None:
    plans = [Plan(PROFILE, Target({}), part=part, parts=3) for part in range(3)]
    assert [plan.share(50) for plan in plans] == [17, 17, 16]
    assert [plan.share(1) for plan in plans] == [1, 1, 1]  # None of them does without.
