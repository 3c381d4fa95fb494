"""E4 and E5: the one-R bar stop and the tiered trail."""

from dataclasses import replace

import pytest

from runtime.atto import ATTO
from services.strategy.exits import Exit, evaluate_exits
from services.strategy.positions import Position
from services.strategy.terms import Direction, ExitRules, Target
from services.strategy.tests.mothers import atto, bar, close_only, held, mirrored, setting

TRAIL_ALONE = setting(exit=ExitRules(break_even_r_atto=0))
ONE_R = setting(exit=ExitRules(break_even_r_atto=0, is_one_r_bar_on=True))
SHORT = Direction.SHORT


def after(position: Position, high: float) -> Position:
    """The position after a bar that reached `high` and touched no stop; R is 1."""
    return evaluate_exits(position, bar(1, high - 0.1, high=high), TRAIL_ALONE).position


def test_the_first_tier_raises_the_stop_to_entry() -> None:
    raised = after(held(stop=99), 101.5)
    assert (raised.stop_atto, raised.stop_source) == (atto(100), "TIER_TRAIL")
    assert raised.tiers_reached == 1


def test_the_second_tier_raises_the_stop_to_the_first() -> None:
    assert after(held(stop=99), 102).stop_atto == atto(101.5)


def test_the_last_tier_closes_the_position() -> None:
    found = evaluate_exits(held(stop=99), bar(1, 104, high=105.2), TRAIL_ALONE).exit
    assert found == Exit(atto(105), "TIER", atto(105), Target(atto(105), "TIER"))


def test_a_tier_acts_from_the_next_bar() -> None:
    """The bar falls back through the level that it raised: still held, out in the next one."""
    raised = evaluate_exits(held(stop=99), bar(1, 99.5, open_=101, high=101.6), TRAIL_ALONE)
    assert (raised.exit, raised.is_raised) == (None, True)
    gone = evaluate_exits(raised.position, bar(2, 99.6, open_=99.5), TRAIL_ALONE)
    assert gone.exit == Exit(atto(100), "TIER_TRAIL", atto(99.5))


def test_a_tier_that_was_passed_raises_nothing_again() -> None:
    raised = after(held(stop=99), 101.6)
    assert evaluate_exits(raised, bar(2, 101.5, low=101), TRAIL_ALONE).position is raised


def test_tiers_of_the_signal_take_the_place_of_those_by_risk() -> None:
    tiers = tuple(
        Target(atto(price), "TIER", share) for price, share in ((100.4, 0), (100.6, 0), (100.9, 1))
    )
    position = replace(held(stop=99), targets=tiers)
    raised = evaluate_exits(position, bar(1, 100.5, high=100.7), TRAIL_ALONE)
    assert (raised.exit, raised.position.stop_atto) == (None, atto(100.4))
    found = evaluate_exits(position, bar(1, 100.5, high=101), TRAIL_ALONE).exit
    assert found is not None
    assert (found.level_atto, found.source) == (atto(100.9), "TIER")


def test_without_a_stop_there_is_no_risk_and_no_tier() -> None:
    position = evaluate_exits(held(stop=None), bar(1, 150, low=100), TRAIL_ALONE)
    assert (position.exit, position.is_raised) == (None, False)


def test_the_tiered_trail_can_be_switched_off() -> None:
    off = setting(exit=ExitRules(break_even_r_atto=0, is_tiered_trail_on=False))
    found = evaluate_exits(held(stop=99), bar(1, 150, low=100), off)
    assert (found.exit, found.is_raised) == (None, False)


def test_tiers_can_be_set() -> None:
    rules = ExitRules(break_even_r_atto=0, tiers_r_atto=(ATTO, 3 * ATTO))
    found = evaluate_exits(held(stop=99), bar(1, 102, high=103), setting(exit=rules)).exit
    assert found is not None
    assert found.level_atto == atto(103)


def test_the_one_r_bar_stop_lies_the_entry_bars_range_away_from_the_next_bar_on() -> None:
    entry = evaluate_exits(held(stop=95), bar(0, 100, high=100.3, low=99.9), ONE_R)
    assert (entry.exit, entry.is_raised) == (None, True)
    assert (entry.position.stop_atto, entry.position.stop_source) == (atto(99.6), "ONE_R_BAR")
    found = evaluate_exits(entry.position, bar(1, 99.8, low=99.5), ONE_R).exit
    assert found == Exit(atto(99.6), "ONE_R_BAR", atto(99.6))


def test_the_one_r_bar_stop_is_at_least_a_thousandth_away() -> None:
    entry = evaluate_exits(held(stop=95), bar(0, 100, high=100.02, low=100), ONE_R)
    assert entry.position.stop_atto == atto(99.9)


def test_the_one_r_bar_stop_looks_at_the_entry_bar_alone() -> None:
    second = evaluate_exits(
        evaluate_exits(held(stop=99), bar(0, 100, high=102), ONE_R).position,
        bar(1, 100.5, high=100.6),
        ONE_R,
    )
    assert second.position.stop_source != "ONE_R_BAR"


@pytest.mark.parametrize("price", [100.0, 99.5])
def test_closes_alone_have_no_one_r_bar(price: float) -> None:
    entry = evaluate_exits(held(stop=95), close_only(0, price), ONE_R)
    assert entry.position.stop_atto == atto(95)


def test_a_short_position_has_its_tiers_below() -> None:
    one = mirrored(bar(1, 101.9, high=102))
    raised = evaluate_exits(held(SHORT, stop=101), one, TRAIL_ALONE).position
    assert raised.stop_atto == atto(98.5)
