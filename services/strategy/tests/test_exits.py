"""Stops E1 to E3, the rules one by one."""

from typing import Any

import pytest

from runtime.atto import ATTO
from services.strategy.exits import Exit, evaluate_exits, tightest_stop
from services.strategy.positions import FLAT
from services.strategy.terms import Bar, Direction, ExitRules, Setting
from services.strategy.tests.mothers import atto, bar, close_only, held, setting

SHORT = Direction.SHORT
WIDE_LOSS = setting(exit=ExitRules(max_loss_atto=ATTO // 10))


def found(position_bar: Bar, within: Setting | None = None, **position: Any) -> Exit | None:
    """The exit of a long position entered at 100 with its stop at 98."""
    return evaluate_exits(held(**position), position_bar, within or setting()).exit


def test_the_initial_stop_closes_the_position() -> None:
    assert found(bar(1, 98.5, open_=100, low=97.9), stop=98.2) == Exit(
        atto(98.2), "ATR", atto(98.2)
    )


def test_a_stop_is_hit_when_it_is_touched_not_only_when_it_is_passed() -> None:
    assert found(bar(1, 99, open_=100, low=98.5), stop=98.5) is not None
    assert found(bar(1, 99, open_=100, low=98.51), stop=98.5) is None


def test_the_greatest_loss_closes_a_position_without_a_stop_of_its_own() -> None:
    assert found(bar(1, 99, open_=100, low=98), stop=None) == Exit(atto(98), "MAX_LOSS", atto(98))


def test_of_two_stops_in_one_bar_the_nearer_one_is_the_exit() -> None:
    nearer_stop = found(bar(1, 97, open_=100, low=95), stop=99)
    nearer_loss = found(bar(1, 97, open_=100, low=95), stop=96)
    assert nearer_stop == Exit(atto(99), "ATR", atto(99))
    assert nearer_loss == Exit(atto(98), "MAX_LOSS", atto(98))


def test_a_gap_through_the_stop_exits_at_the_open() -> None:
    assert found(bar(1, 96, open_=97, low=95), stop=98.5) == Exit(atto(98.5), "ATR", atto(97))


def test_of_closes_alone_the_close_is_compared_and_the_bar_stays_unknown() -> None:
    touched = evaluate_exits(held(stop=98.5), close_only(1, 98.2), setting())
    assert touched.exit == Exit(atto(98.5), "ATR", atto(98.2))
    assert touched.is_intrabar_unknown
    untouched = evaluate_exits(held(stop=98.5), close_only(1, 98.6), setting())
    assert (untouched.exit, untouched.is_intrabar_unknown) == (None, True)


def test_a_stop_that_is_switched_off_is_not_watched() -> None:
    off = setting(exit=ExitRules(is_initial_stop_watched=False))
    assert found(bar(1, 99, open_=100, low=98.1), off, stop=98.5) is None


def test_a_wide_loss_is_capped_within_a_very_wide_bar() -> None:
    """The cap of 4.5 % binds in a bar of over 5 %, the configured 10 % otherwise."""
    wide = found(bar(1, 97, open_=100, high=101, low=95), WIDE_LOSS, stop=None)
    assert wide == Exit(atto(95.5), "MAX_LOSS", atto(95.5))
    assert found(bar(1, 97, open_=100, low=95.1), WIDE_LOSS, stop=None) is None


def test_a_wide_loss_is_capped_within_a_later_very_wide_bar_too() -> None:
    settled = evaluate_exits(held(stop=None), bar(0, 100), WIDE_LOSS).position
    assert evaluate_exits(settled, bar(1, 99, open_=99, low=96), WIDE_LOSS).exit is None
    wide = evaluate_exits(settled, bar(1, 97, open_=100, high=101, low=95), WIDE_LOSS).exit
    assert wide == Exit(atto(95.5), "MAX_LOSS", atto(95.5))


def test_a_cap_that_begins_to_bind_is_told_as_a_raised_stop() -> None:
    entry_bar = bar(1, 98, open_=100, high=101, low=97.5)
    assert evaluate_exits(held(stop=None), entry_bar, WIDE_LOSS).is_raised
    assert not evaluate_exits(held(stop=98.5), bar(1, 99, open_=100), WIDE_LOSS).is_raised


def test_a_wide_loss_is_capped_after_a_wide_entry_bar_against_the_position() -> None:
    entry_bar = bar(1, 98, open_=100, high=101, low=97.5)
    after = evaluate_exits(held(stop=None), entry_bar, WIDE_LOSS)
    assert after.exit is None
    second = evaluate_exits(after.position, bar(2, 97.5, low=96.9), WIDE_LOSS)
    assert second.exit == Exit(atto(97), "MAX_LOSS", atto(97))


def test_a_bar_before_the_entry_says_nothing_about_the_position() -> None:
    position = held(minute=5)
    assert evaluate_exits(position, bar(4, 90), setting()).exit is None
    assert evaluate_exits(position, bar(5, 90), setting()).exit is not None


def test_break_even_works_without_targets_and_acts_from_the_next_bar() -> None:
    """R is 1: at 101.5 the stop moves to entry plus 0.4 % of costs."""
    raising = evaluate_exits(held(stop=99), bar(1, 100.1, open_=100, high=101.5), setting())
    assert (raising.exit, raising.is_raised) == (None, True)
    assert (raising.position.stop_atto, raising.position.stop_source) == (
        atto(100.4),
        "BREAK_EVEN",
    )
    after = evaluate_exits(raising.position, bar(2, 100.3, open_=101), setting())
    assert after.exit == Exit(atto(100.4), "BREAK_EVEN", atto(100.4))


def test_break_even_waits_for_the_whole_gain() -> None:
    assert not evaluate_exits(held(stop=99), bar(1, 101.49), setting()).is_raised


def test_the_stop_wins_over_break_even_in_one_bar() -> None:
    both = evaluate_exits(held(stop=99), bar(1, 100, high=102, low=98.9), setting())
    assert both.exit is not None
    assert not both.is_raised


def test_break_even_does_not_loosen_a_tighter_stop() -> None:
    untiered = setting(exit=ExitRules(is_tiered_trail_on=False))
    tight = held(stop=99)
    tight = evaluate_exits(tight, bar(1, 101, high=101.6), untiered).position
    again = evaluate_exits(tight, bar(2, 103, high=103, low=102), untiered)
    assert not again.is_raised


def test_the_tightest_stop_is_the_one_shown() -> None:
    assert tightest_stop(held(stop=97), setting()) == (atto(98), "MAX_LOSS")
    assert tightest_stop(held(stop=99), setting()) == (atto(99), "ATR")


def test_flat_has_no_exit() -> None:
    assert evaluate_exits(FLAT, bar(1, 1), setting()).exit is None


@pytest.mark.parametrize("rules", [ExitRules(break_even_r_atto=0)])
def test_break_even_can_be_switched_off(rules: ExitRules) -> None:
    within = setting(exit=rules)
    assert not evaluate_exits(held(stop=99), bar(1, 110), within).is_raised
