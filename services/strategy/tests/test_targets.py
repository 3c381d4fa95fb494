"""Targets while a position is held, and the stop at the signal's bar."""

from dataclasses import replace

from services.strategy.exits import Exit, Exits, evaluate_exits
from services.strategy.positions import Position
from services.strategy.terms import Direction, ExitRules, Target
from services.strategy.tests.mothers import atto, bar, close_only, held, mirrored, setting

SHORT = Direction.SHORT
PLAIN = setting(exit=ExitRules(is_tiered_trail_on=False, break_even_r_atto=0))


def aiming(*targets: Target, side: Direction = Direction.LONG) -> Position:
    """A position from 100 with these targets, its stop 2 away."""
    return replace(held(side, stop=100 - 2 * side), targets=targets)


def target(price: float, source: str = "ATR_RATIO", share: float = 1) -> Target:
    """A target."""
    return Target(atto(price), source, share)


def test_a_target_is_hit_when_it_is_reached() -> None:
    near = target(103)
    hit = evaluate_exits(aiming(near), bar(1, 101, high=103), PLAIN).exit
    assert hit == Exit(atto(103), "ATR_RATIO", atto(103), near)
    assert evaluate_exits(aiming(near), bar(1, 101, high=102.99), PLAIN).exit is None


def test_of_two_targets_in_one_bar_the_nearer_one_is_the_exit() -> None:
    both = aiming(target(104), target(103, "PULL_BACK"))
    hit = evaluate_exits(both, bar(1, 103, high=105), PLAIN).exit
    assert hit is not None
    assert (hit.level_atto, hit.source) == (atto(103), "PULL_BACK")


def test_in_one_bar_the_stop_wins_over_the_target() -> None:
    hit = evaluate_exits(aiming(target(103)), bar(1, 101, high=104, low=97.9), PLAIN).exit
    assert hit == Exit(atto(98), "MAX_LOSS", atto(98))


def test_a_gap_beyond_the_target_exits_at_the_open() -> None:
    hit = evaluate_exits(aiming(target(103)), bar(1, 104, open_=105), PLAIN).exit
    assert hit is not None
    assert hit.price_atto == atto(105)


def test_of_closes_alone_the_close_is_compared_with_the_target() -> None:
    hit = evaluate_exits(aiming(target(103)), close_only(1, 103.4), PLAIN)
    assert hit == Exits(
        aiming(target(103)),
        Exit(atto(103), "ATR_RATIO", atto(103.4), target(103)),
        is_intrabar_unknown=True,
    )


def test_a_target_on_the_wrong_side_of_the_fill_is_left_out() -> None:
    wrong = aiming(target(99.5, "INDICATOR"))
    assert evaluate_exits(wrong, bar(1, 100, high=101), PLAIN).exit is None


def test_a_target_of_a_share_closes_that_share_once() -> None:
    exits = evaluate_exits(
        aiming(target(102, share=0.25), target(104)), bar(1, 102, high=103), PLAIN
    )
    assert exits.exit is not None
    assert exits.exit.quantity_atto == 2 * 10**18  # A quarter of ten, in whole lots.
    assert exits.position.targets == (target(104),)


def test_range_targets_can_be_switched_off() -> None:
    off = setting(exit=ExitRules(is_tiered_trail_on=False, is_range_target_on=False))
    narrow = aiming(target(100.6, "RANGE"))
    assert evaluate_exits(narrow, bar(1, 100, high=101), off).exit is None
    assert evaluate_exits(narrow, bar(1, 100, high=101), PLAIN).exit is not None


def test_long_and_short_take_profit_alike() -> None:
    up = evaluate_exits(aiming(target(103)), bar(1, 102, open_=101, high=104), PLAIN).exit
    down = evaluate_exits(
        aiming(target(97), side=SHORT), mirrored(bar(1, 102, open_=101, high=104)), PLAIN
    ).exit
    assert up is not None
    assert down is not None
    assert (up.price_atto, down.price_atto) == (atto(103), atto(97))


def test_the_stop_at_the_signals_bar_is_watched_beside_the_others() -> None:
    position = replace(held(stop=98.5), signal_bar_atto=atto(99.2))
    hit = evaluate_exits(position, bar(1, 99.5, open_=100, low=99.1), PLAIN).exit
    assert hit == Exit(atto(99.2), "SIGNAL_BAR", atto(99.2))


def test_the_stop_at_the_signals_bar_can_be_switched_off() -> None:
    off = setting(exit=ExitRules(is_signal_bar_watched=False))
    position = replace(held(stop=98.5), signal_bar_atto=atto(99.2))
    assert evaluate_exits(position, bar(1, 99.5, open_=100, low=99.1), off).exit is None
