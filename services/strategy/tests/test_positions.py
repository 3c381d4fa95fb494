"""Positions by fills alone."""

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from runtime.atto import ATTO
from services.strategy.positions import (
    FLAT,
    Fill,
    Position,
    after_fill,
    after_fills,
    from_plain,
    plain,
)
from services.strategy.terms import Direction, Target
from services.strategy.tests.mothers import atto, held


def fill(quantity: int, price: float = 100, *, signal: str = "s", stop: float = 98) -> Fill:
    return Fill("e", quantity * ATTO, atto(price), 7, signal, atto(stop), "ATR")


def test_the_first_fill_opens_with_the_stop_of_its_signal() -> None:
    position = after_fill(FLAT, fill(5, 100))
    assert (position.direction, position.entry_atto) == (Direction.LONG, atto(100))
    assert (position.stop_atto, position.initial_stop_atto) == (atto(98), atto(98))
    assert (position.opened_ns, position.entries) == (7, 1)


def test_more_fills_of_one_signal_are_one_entry_at_the_average_price() -> None:
    position = after_fills([fill(5, 100), fill(5, 102)])
    assert (position.entries, position.entry_atto) == (1, atto(101))


def test_a_second_signal_is_a_second_entry_that_keeps_the_stop() -> None:
    position = after_fills([fill(5, 100), fill(5, 102, signal="t", stop=90)])
    assert (position.entries, position.stop_atto) == (2, atto(98))


def test_a_partial_close_keeps_the_average_price() -> None:
    position = after_fills([fill(5, 100), fill(5, 102), fill(-4, 110)])
    assert (position.quantity_atto, position.entry_atto) == (6 * ATTO, atto(101))


def test_closing_everything_leaves_nothing_behind() -> None:
    assert after_fills([fill(5, 100), fill(-5, 101)]) == FLAT


def test_a_fill_through_zero_opens_anew_at_its_price() -> None:
    position = after_fills([fill(5, 100), fill(-15, 99, signal="t", stop=101)])
    assert (position.quantity_atto, position.entry_atto) == (-10 * ATTO, atto(99))
    assert (position.stop_atto, position.signal_id) == (atto(101), "t")


def test_a_replay_of_fills_keeps_the_stops_of_a_position_still_held() -> None:
    raised = held(stop=98)
    assert after_fills([fill(4, 100)], like=raised).stop_atto == raised.stop_atto
    assert after_fills([fill(-4, 100, stop=103)], like=raised).stop_atto == atto(103)
    assert after_fills([], like=raised) == FLAT


quantities = st.integers(-20, 20).filter(bool)


@given(st.lists(st.tuples(quantities, st.integers(50, 150))))
def test_a_position_is_the_sum_of_its_fills(fills: list[tuple[int, int]]) -> None:
    position = after_fills(fill(quantity, price) for quantity, price in fills)
    assert position.quantity_atto == sum(quantity for quantity, _ in fills) * ATTO
    if position.quantity_atto:
        assert atto(50) <= position.entry_atto <= atto(150)
    else:
        assert position == Position()


def test_a_position_is_stored_with_everything_its_exits_need() -> None:
    position = replace(
        held(),
        targets=(Target(atto(103), "ATR_RATIO"), Target(atto(104), "TIER", 0.5)),
        signal_bar_atto=atto(99),
        tiers_reached=1,
        bars_held=7,
        is_halved=True,
    )
    assert from_plain(json.loads(json.dumps(plain(position)))) == position
