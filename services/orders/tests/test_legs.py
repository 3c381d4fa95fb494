"""Protective orders follow what is left of the entry, and never more than the position."""

from hypothesis import given
from hypothesis import strategies as st

from runtime.atto import ATTO
from services.orders.legs import (
    Change,
    Create,
    Entry,
    Leg,
    Lost,
    Role,
    Withdraw,
    open_atto,
    shares,
    steps,
)
from services.orders.states import Order, Place

P = Place
ENTRY = Entry(filled_atto=10, position_atto=10, stop_price_atto=95 * ATTO, has_target=True)


def leg(role: Role, quantity: int = 10, *, cum: int = 0, place: Place = P.NEW) -> Leg:
    order = Order(quantity, place=place, working=place, cum_atto=cum)
    return Leg(("ACC-1", role.name), role, order, 95 * ATTO)


def test_the_first_fill_makes_a_stop_and_a_target_for_what_has_filled() -> None:
    entry = ENTRY._replace(filled_atto=4, position_atto=4)
    assert steps(entry, []) == [Create(Role.STOP, 4), Create(Role.TARGET, 4)]


def test_nothing_is_made_before_the_first_fill() -> None:
    assert steps(ENTRY._replace(filled_atto=0, position_atto=0), []) == []


def test_a_further_fill_changes_both_quantities() -> None:
    stop, target = leg(Role.STOP, 4), leg(Role.TARGET, 4)
    assert steps(ENTRY, [stop, target]) == [Change(stop, 10), Change(target, 10)]


def test_legs_that_are_right_are_left_alone() -> None:
    assert steps(ENTRY, [leg(Role.STOP), leg(Role.TARGET)]) == []


def test_what_one_leg_closes_the_other_gives_up() -> None:
    stop = leg(Role.STOP)
    target = leg(Role.TARGET, cum=3, place=P.PARTIALLY_FILLED)
    entry = ENTRY._replace(position_atto=7)
    assert steps(entry, [stop, target]) == [Change(stop, 7)]


def test_a_leg_that_completes_cancels_the_other() -> None:
    stop = leg(Role.STOP, cum=10, place=P.FILLED)
    target = leg(Role.TARGET)
    entry = ENTRY._replace(position_atto=0)
    assert steps(entry, [stop, target]) == [Withdraw(target)]


def test_a_position_that_others_closed_is_not_protected_twice() -> None:
    stop, target = leg(Role.STOP), leg(Role.TARGET)
    entry = ENTRY._replace(position_atto=6)
    assert steps(entry, [stop, target]) == [Change(stop, 6), Change(target, 6)]


def test_a_leg_with_a_request_under_way_is_left_until_its_answer() -> None:
    for place in (P.SENT, P.PENDING_REPLACE, P.PENDING_CANCEL, P.DOUBT_REPLACE, P.SUSPENDED):
        assert steps(ENTRY, [leg(Role.STOP, 4, place=place), leg(Role.TARGET)]) == []


def test_a_moved_stop_is_replaced_unless_it_was_triggered() -> None:
    stop, target = leg(Role.STOP), leg(Role.TARGET)
    entry = ENTRY._replace(stop_price_atto=97 * ATTO)
    assert steps(entry, [stop, target]) == [Change(stop, 10, 97 * ATTO)]
    hit = stop._replace(order=stop.order._replace(is_triggered=True))
    assert steps(entry, [hit, target]) == []


def test_a_refused_stop_is_tried_once_at_the_edge_of_the_collar() -> None:
    refused = leg(Role.STOP, place=P.REJECTED)
    assert steps(ENTRY, [refused, leg(Role.TARGET)]) == [Create(Role.EDGE, 10)]


def test_a_stop_refused_twice_closes_at_the_market_and_alarms() -> None:
    legs = [leg(Role.STOP, place=P.REJECTED), leg(Role.EDGE, place=P.REJECTED)]
    entry = ENTRY._replace(has_target=False)
    assert steps(entry, legs) == [Lost(), Create(Role.MARKET, 10)]


def test_what_fills_after_the_stop_was_hit_is_closed_at_the_market() -> None:
    legs = [leg(Role.STOP, 6, cum=6, place=P.FILLED), leg(Role.TARGET, 6, place=P.CANCELED)]
    entry = ENTRY._replace(position_atto=4)
    assert steps(entry, legs) == [Create(Role.MARKET, 4)]


def test_a_stop_that_somebody_canceled_is_not_made_again() -> None:
    assert steps(ENTRY, [leg(Role.STOP, place=P.CANCELED), leg(Role.TARGET)]) == []


def test_closing_orders_take_from_the_oldest_entry() -> None:
    assert shares(12, [10, 5]) == [7, 5]
    assert shares(3, [10, 5]) == [0, 3]


@given(st.integers(0, 100), st.lists(st.integers(0, 50), min_size=1, max_size=6))
def test_claims_never_exceed_the_position_nor_what_is_wanted(
    position: int, wanted: list[int]
) -> None:
    claimed = shares(position, wanted)
    assert sum(claimed) == min(position, sum(wanted))
    assert all(mine <= want for mine, want in zip(claimed, wanted, strict=True))


@given(
    filled=st.integers(0, 50),
    position=st.integers(0, 50),
    stop=st.tuples(st.integers(1, 50), st.integers(0, 50)),
    target=st.tuples(st.integers(1, 50), st.integers(0, 50)),
)
def test_after_the_steps_each_leg_closes_exactly_what_is_open(
    filled: int, position: int, stop: tuple[int, int], target: tuple[int, int]
) -> None:
    legs = [
        leg(role, quantity, cum=min(cum, quantity - 1))
        for role, (quantity, cum) in ((Role.STOP, stop), (Role.TARGET, target))
    ]
    entry = ENTRY._replace(filled_atto=filled, position_atto=position)
    left = open_atto(entry, legs)
    after = {one.key: one.order.leaves_atto for one in legs}
    for step in steps(entry, legs):
        assert isinstance(step, Change | Withdraw)
        leaves = step.quantity_atto - step.leg.order.cum_atto if isinstance(step, Change) else 0
        after[step.leg.key] = leaves
    assert set(after.values()) <= {left}
    assert left <= position
