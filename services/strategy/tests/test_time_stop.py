"""E7: gives up what takes too long."""

from dataclasses import replace

from services.strategy.exits import Exit, Exits, evaluate_exits
from services.strategy.positions import Position
from services.strategy.terms import Bar, Direction, ExitRules, TimeStop
from services.strategy.tests.mothers import atto, bar, held, mirrored, setting

TIMED = setting(exit=ExitRules(break_even_r_atto=0, time_stop=TimeStop()))


def aged(bars: int, quantity: int = 10) -> Position:
    """A position with its stop at 99 that has been through so many bars."""
    position = held(stop=99, quantity=quantity)
    return replace(position, bars_held=bars, is_entry_bar_adverse=False)


def found(position: Position, one: Bar) -> Exits:
    """What a bar means under the default time stop."""
    return evaluate_exits(position, one, TIMED)


def test_after_twelve_bars_a_loser_is_halved_once() -> None:
    exits = found(aged(11), bar(12, 99.5))
    assert exits.exit == Exit(None, "TIME", atto(99.5), quantity_atto=5 * 10**18)
    assert exits.position.is_halved
    assert found(exits.position, bar(13, 99.5)).exit is None


def test_a_winner_and_a_younger_loser_are_kept() -> None:
    assert found(aged(10), bar(11, 99.5)).exit is None
    assert found(aged(11), bar(12, 100.5)).exit is None


def test_after_twenty_four_bars_what_has_hardly_moved_is_closed() -> None:
    assert found(aged(23), bar(24, 100.2)).exit == Exit(None, "TIME", atto(100.2))
    assert found(aged(23), bar(24, 100.21)).exit is None
    assert found(aged(22), bar(23, 100.2)).exit is None


def test_after_forty_eight_bars_what_passed_no_tier_is_closed() -> None:
    assert found(aged(47), bar(48, 101)).exit == Exit(None, "TIME", atto(101))
    assert found(replace(aged(47), tiers_reached=1), bar(48, 101)).exit is None
    assert found(aged(46), bar(47, 101)).exit is None


def test_a_tier_passed_in_the_last_bar_counts() -> None:
    assert found(aged(47), bar(48, 101, high=101.5)).exit is None


def test_a_stop_in_the_same_bar_comes_first() -> None:
    exits = found(aged(47), bar(48, 100.1, low=98.9))
    assert exits.exit == Exit(atto(99), "ATR", atto(99))


def test_half_of_one_lot_is_nothing() -> None:
    assert found(aged(11, quantity=1), bar(12, 99.5)).exit is None


def test_bars_count_from_the_one_of_the_entry() -> None:
    position = held(stop=99)
    for minute in range(3):
        position = found(position, bar(minute, 100.5)).position
    assert position.bars_held == 3


def test_the_time_stop_is_off_by_default() -> None:
    assert evaluate_exits(aged(100), bar(101, 99.5), setting()).exit is None


def test_a_short_position_is_halved_alike() -> None:
    short = replace(held(Direction.SHORT, stop=101), bars_held=11, is_entry_bar_adverse=False)
    exit_found = found(short, mirrored(bar(12, 99.5))).exit
    assert exit_found == Exit(None, "TIME", atto(100.5), quantity_atto=5 * 10**18)
