"""What each condition of the tunnel says, clause by clause, both sides as they are stated."""

from typing import Any

import pytest

from services.strategy.terms import Direction
from services.strategy.tests.vegas_mothers import DOWN, UP, before, view
from services.strategy.vegas.conditions import DEFAULT_WEIGHTS, votes_on
from services.strategy.vegas.view import Before, View

LONG, SHORT, NONE = Direction.LONG, Direction.SHORT, Direction.NONE


def said(name: str, seen: View) -> Direction | None:
    """Return what one condition says."""
    votes = votes_on(seen, {name: 1.0})
    return votes[0].direction if votes else None


def weight(name: str, seen: View) -> float:
    """Return what one condition weighs by default."""
    (vote,) = votes_on(seen, {name: DEFAULT_WEIGHTS[name]})
    return vote.weight


def test_a_quiet_bar_says_nothing() -> None:
    assert votes_on(view(), DEFAULT_WEIGHTS) == []


@pytest.mark.parametrize(("ratio", "vote"), [(2.0, None), (2.01, NONE)])
def test_a_surge_of_volume_takes_no_side(ratio: float, vote: Direction | None) -> None:
    """It is a ratio: a fixed volume of 5,000 meant something else on every instrument."""
    assert said("VOLUME_SURGE", view(volume_ratio=ratio)) is vote


TUNNEL = {
    "up through ema2": ("100 101 100 100.51", before(100.1), LONG),
    "not far enough above ema2": ("100 101 100 100.50", before(100.1), None),
    "above ema2 before": ("100 101 100 100.51", before(100.3), None),
    "down through ema2": ("100 100 99 99.85", before(100.3), SHORT),
    "not far enough below ema2": ("100 100 99 99.95", before(100.3), None),
    "down through ema5": ("100 100 99 99.75", before(100.15), SHORT),
    "below both before": ("100 100 99 99.75", before(100.05), None),
    "nothing before": ("100 101 100 100.51", None, None),
}


@pytest.mark.parametrize("case", TUNNEL)
def test_a_break_of_the_tunnel(case: str) -> None:
    prices, was, vote = TUNNEL[case]
    assert said("TUNNEL_BREAK", view(prices, was=was)) is vote


def test_a_break_down_that_stays_above_the_fast_average_is_none() -> None:
    low = (99.5, *view().emas[1:])
    assert said("TUNNEL_BREAK", view("100 100 99 99.75", was=before(100.3), emas=low)) is None
    assert said("TUNNEL_BREAK", view("100 100 99 99.45", was=before(100.3), emas=low)) is SHORT


# The averages: ema1 108, ema2 106, ema3 104, ema4 102, ema5 101, and mirrored.
TOUCH = {
    "touches the tunnel and holds": (UP, "107 107.5 106.21 106.5", LONG),
    "does not touch the tunnel": (UP, "107 107.5 106.22 106.5", None),
    "opened below the tunnel": (UP, "105.9 107.5 105.8 106.5", None),
    "closed below the tunnel": (UP, "107 107.5 105.5 105.9", None),
    "fast average too near": ((107.0, *UP[1:]), "107 107.5 106.21 106.5", None),
    "touches ema4 far below ema3": (UP, "103 103.5 102.61 103.2", LONG),
    "does not touch ema4": (UP, "103 103.5 102.62 103.2", None),
    "opened below ema4": (UP, "101.9 103.5 101.8 102.8", None),
    "ema4 too near to ema3": ((108, 106, 102.5, 102, 101, 100, 99), "103 103.5 102.6 103.2", None),
    "runs": (UP, "120 130 120 129", LONG),
    "runs the other way": (UP, "130 130 120 121", None),
    "runs with a body of four fifths": (UP, "120 130 120 128", None),
    "mirrored touch": (DOWN, "93 93.53 92.5 93.5", SHORT),
    "mirrored, not touched": (DOWN, "93 93.52 92.5 93.5", None),
    "mirrored, closed above": (DOWN, "93 94.5 92.5 94.1", None),
    "mirrored touch of ema4": (DOWN, "97 97.42 96.5 96.8", SHORT),
    "mirrored, ema4 not touched": (DOWN, "97 97.41 96.5 96.8", None),
    "mirrored run": (DOWN, "80 80 70 71", SHORT),
}


@pytest.mark.parametrize("case", TOUCH)
def test_a_touch_of_the_averages(case: str) -> None:
    """An up-trend is ema1 > ema2 > ema3: with that inverted the touch could never go long."""
    emas, prices, vote = TOUCH[case]
    assert said("EMA_TOUCH", view(prices, emas=emas)) is vote


# A short-term up-trend that meets a long-term down-trend: 676 at 100, 2704 at 102.
MEETS = (99.0, 98.0, 97.0, 99.5, 100.0, 101.0, 102.0)
AGAINST = {
    "reaches the slowest average": (MEETS, "101 102 100 101", SHORT),
    "does not reach it": (MEETS, "101 101.9 100 101", None),
    "the slowest is too far": ((*MEETS[:4], 99.8, 101.0, 102.0), "101 102 100 101", None),
    "long-term order broken": ((*MEETS[:5], 99.9, 102.0), "101 102 100 101", None),
    "mirrored": ((101.0, 102.0, 103.0, 100.5, 100.0, 99.0, 98.0), "99 100 98 99", LONG),
    "mirrored, not reached": (
        (101.0, 102.0, 103.0, 100.5, 100.0, 99.0, 98.0),
        "99 100 98.1 99",
        None,
    ),
}


@pytest.mark.parametrize("case", AGAINST)
def test_a_move_that_meets_the_long_term_order(case: str) -> None:
    emas, prices, vote = AGAINST[case]
    assert said("EMA_TOUCH", view(prices, emas=emas)) is vote


@pytest.mark.parametrize("cross", ["cross", "long_cross"])
def test_a_touch_on_a_bar_that_crosses_against_it_is_blocked(cross: str) -> None:
    touching, mirrored = "107 107.5 106.21 106.5", "93 93.53 92.5 93.5"
    golden: dict[str, Any] = {cross: 1}
    death: dict[str, Any] = {cross: -1}
    assert said("EMA_TOUCH", view(touching, emas=UP, **death)) is None
    assert said("EMA_TOUCH", view(touching, emas=UP, **golden)) is LONG
    assert said("EMA_TOUCH", view(mirrored, emas=DOWN, **golden)) is None
    assert said("EMA_TOUCH", view(mirrored, emas=DOWN, **death)) is SHORT


@pytest.mark.parametrize(
    ("level", "prices", "vote"),
    [
        (14.9, "100 101 99 100", LONG),
        (15.0, "100 101 99 100", None),
        (85.1, "100 101 99 100", SHORT),
        (85.0, "100 101 99 100", None),
        (14.9, "100 110 100 108", LONG),
        (14.9, "100 110 100 108.1", None),
        (85.1, "110 110 100 101.9", None),
    ],
)
def test_exhaustion_votes_unless_the_bar_is_all_body(
    level: float, prices: str, vote: Direction | None
) -> None:
    assert said("RSI", view(prices, rsi=level)) is vote


@pytest.mark.parametrize(
    ("prices", "vote"),
    [
        ("97 101 94 100.5", LONG),
        ("97 101 95 100.5", None),
        ("97 101 94 100.0", None),
        ("103 106 99 99.5", SHORT),
        ("103 106 99 100.0", None),
        ("99 104 94 100.5", None),
    ],
    ids=["low", "on the band", "behind ema12", "high", "before ema12", "two shadows"],
)
def test_a_bar_that_leaves_a_band(prices: str, vote: Direction | None) -> None:
    assert said("BOLLINGER", view(prices, lower=95, upper=105)) is vote


def test_on_four_hours_the_close_may_be_on_either_side_of_the_fast_average() -> None:
    assert said("BOLLINGER", view("97 99.5 94 99", lower=95)) is None
    assert said("BOLLINGER", view("97 99.5 94 99", lower=95, is_four_hours=True)) is LONG


def test_a_bar_that_leaves_both_bands_says_nothing() -> None:
    one, both = "95 104 94 104", "95 106 94 105"
    for prices, vote in ((one, LONG), (both, None)):
        seen = view(prices, lower=95, upper=105, is_four_hours=True)
        assert said("BOLLINGER", seen) is vote


def test_engulfing_votes_as_its_indicator_says() -> None:
    assert said("ENGULFING", view(bull=1)) is LONG
    assert said("ENGULFING", view(bear=1)) is SHORT


@pytest.mark.parametrize(
    ("prices", "emas", "ratio", "vote"),
    [
        ("100 100.1 99.5 100", None, 0.5, LONG),
        ("100 100.1 99.51 100", None, 0.5, None),
        ("100 100.1 99.5 100", DOWN, 0.99, None),
        ("100 100.1 99.5 100", DOWN, 1.0, LONG),
        ("100 100.1 99.5 100", UP, 0.5, LONG),
    ],
    ids=["wide enough", "too small", "against, little volume", "against, on volume", "with"],
)
def test_a_hammer_and_its_mirror(
    prices: str, emas: tuple[float, ...] | None, ratio: float, vote: Direction | None
) -> None:
    order = emas or view().emas
    assert said("HAMMER", view(prices, emas=order, hammer=1, volume_ratio=ratio)) is vote
    flipped = {UP: DOWN, DOWN: UP}.get(order, order)
    other = view(prices, emas=flipped, hanging_man=1, volume_ratio=ratio)
    assert said("HAMMER", other) is (None if vote is None else SHORT)


def test_a_new_leg_weighs_more_than_an_old_one() -> None:
    assert said("LEG", view(leg=1)) is LONG
    assert said("LEG", view(leg=-1)) is SHORT
    assert said("LEG", view(leg=0)) is None
    assert weight("LEG", view(leg=1)) == 1.2
    assert weight("LEG", view(leg=-1, leg_is_new=1)) == pytest.approx(1.44)


@pytest.mark.parametrize(
    ("broken", "factor"),
    [
        ({"inner_break": 1.0}, 1.0),
        ({"inner_change": 1.0}, 1.2),
        ({"swing_break": 1.0, "inner_change": -1.0}, 1.5),
        ({"swing_change": 1.0}, 1.8),
    ],
)
def test_breaks_of_structure_weigh_by_their_kind(broken: dict[str, Any], factor: float) -> None:
    (vote,) = votes_on(view(**broken), {"STRUCTURE": 2.0})
    assert vote.direction is LONG
    assert vote.weight == pytest.approx(2 * factor)


def test_a_condition_that_says_both_sides_says_nothing() -> None:
    was = Before(100.15, 101, 99, ema2=100.2, ema5=100.1)
    seen = view("100 101 99 99.9", was=was, emas=(100.0, 99.0, 98.5, 98, 101.0, 97, 96))
    assert said("TUNNEL_BREAK", seen) is None
