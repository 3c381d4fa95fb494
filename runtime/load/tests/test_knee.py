"""The search for the knee doubles until it breaks, then closes in."""

from collections.abc import Callable

import pytest

from runtime.load.knee import (
    LIMIT_MS,
    MULTIPLE_MAX,
    MULTIPLE_MIN,
    RESOLUTION,
    SHOWN_ANYWAY,
    VOIDS_MAX,
    Point,
    knee,
    next_multiple,
)

RATE_1X = 100.0


def server(knee_at: float) -> Callable[[float], Point]:
    """Return what measures a server that holds up to `knee_at` and no further."""

    def measure(multiple: float) -> Point:
        p99_ms = 20.0 if multiple <= knee_at else LIMIT_MS + 1
        return Point(multiple, multiple * RATE_1X, p50_ms=5.0, p99_ms=p99_ms)

    return measure


def searched(measure: Callable[[float], Point]) -> list[Point]:
    points: list[Point] = []
    while (multiple := next_multiple(points)) is not None:
        points.append(measure(multiple))
    return points


@pytest.mark.parametrize("knee_at", [0.1, 0.7, 1.0, 1.3, 2.0, 3.1, 9.9, 60.0])
def test_the_knee_lies_between_what_holds_and_what_does_not(knee_at: float) -> None:
    points = searched(server(knee_at))
    found = knee(points)
    assert found.holds is not None
    assert found.beyond is not None
    assert found.holds.multiple <= knee_at < found.beyond.multiple
    assert found.beyond.multiple / found.holds.multiple <= RESOLUTION
    assert {point.multiple for point in points} >= set(SHOWN_ANYWAY)
    assert len(points) <= 12


def test_a_search_doubles_before_it_bisects() -> None:
    asked = [point.multiple for point in searched(server(5.0))]
    assert asked[:4] == [1, 2, 4, 8]
    assert all(4 < multiple < 8 for multiple in asked[4:])


def test_what_was_not_all_done_is_beyond_the_knee_however_fast_it_was() -> None:
    assert Point(2, 200, p50_ms=1, p99_ms=2, is_kept=False).is_beyond


def test_a_server_without_a_knee_ends_the_search() -> None:
    points = searched(server(float("inf")))
    assert points[-1].multiple == MULTIPLE_MAX
    assert knee(points).beyond is None


def test_a_server_that_never_holds_ends_the_search() -> None:
    points = searched(server(0.0))
    assert points[-1].multiple == MULTIPLE_MIN
    assert knee(points).holds is None


def test_a_void_run_is_made_once_more_and_proves_nothing() -> None:
    fast = searched(lambda m: Point(m, m * RATE_1X, 1.0, 1.0, is_void=m > 2))
    assert [point.multiple for point in fast] == [1, 2, *[4] * VOIDS_MAX]
    assert knee(fast).beyond is None
    slow = Point(2, 200, 1.0, LIMIT_MS + 1, is_void=True)
    assert knee([Point(1, 100, 1.0, 10.0), slow]).beyond is None


def test_the_search_goes_on_below_a_multiple_that_is_void_again_and_again() -> None:
    points = searched(
        lambda m: Point(m, m * RATE_1X, 1.0, 900.0 if m > 0.3 else 9.0, True, m == 0.5)
    )
    found = knee(points)
    assert found.holds is not None
    assert found.beyond is not None
    assert (found.holds.multiple, found.beyond.multiple) == (0.25, 1)


def test_one_lucky_run_past_a_broken_one_does_not_move_the_knee() -> None:
    points = [
        Point(1, 100, 1, 10),
        Point(2, 200, 1, 20),
        Point(4, 400, 1, LIMIT_MS + 1),
        Point(8, 800, 1, 30),
    ]
    found = knee(points)
    assert found.holds == points[1]
    assert found.beyond == points[2]
