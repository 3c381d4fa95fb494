"""Prices of children: at the touch, never beyond limit or collar, never invented."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.execution.algorithms.prices import (
    Meeting,
    Touch,
    collar_ticks,
    is_marketable,
    price_of,
)
from services.execution.algorithms.tests.mothers import terms

TOUCH = Touch(9_990, 10_010)


def test_a_passive_child_rests_at_its_own_side() -> None:
    assert price_of(terms(), Meeting.PASSIVE, TOUCH) == 9_990
    assert price_of(terms(is_buy=False), Meeting.PASSIVE, TOUCH) == 10_010


def test_a_crossing_child_takes_the_other_side() -> None:
    assert price_of(terms(), Meeting.CROSS, TOUCH) == 10_010
    assert price_of(terms(is_buy=False), Meeting.CROSS, TOUCH) == 9_990


def test_the_last_child_goes_up_to_the_collar() -> None:
    assert price_of(terms(collar_bps=500), Meeting.COMPLETE, TOUCH) == 10_500
    assert price_of(terms(is_buy=False, collar_bps=500), Meeting.COMPLETE, TOUCH) == 9_500


@pytest.mark.parametrize("touch", [Touch(), Touch(bid_ticks=99), Touch(ask_ticks=99)])
@pytest.mark.parametrize("meeting", list(Meeting))
def test_without_a_market_price_there_is_none(touch: Touch, meeting: Meeting) -> None:
    assert price_of(terms(limit_ticks=100), meeting, touch) is None


@given(
    bid=st.integers(1, 100_000),
    spread=st.integers(1, 1_000),
    limit=st.integers(0, 100_000),
    collar=st.integers(0, 2_000),
    is_buy=st.booleans(),
    meeting=st.sampled_from(list(Meeting)),
)
def test_no_price_is_beyond_limit_or_collar(
    bid: int, spread: int, limit: int, collar: int, is_buy: bool, meeting: Meeting
) -> None:
    made = terms(is_buy=is_buy, limit_ticks=limit, collar_bps=collar)
    touch = Touch(bid, bid + spread)
    ticks = price_of(made, meeting, touch)
    assert ticks is not None
    mid2 = touch.twice_mid
    if is_buy:
        assert not limit or ticks <= limit
        assert 2 * ticks * 10_000 <= mid2 * (10_000 + collar)
    else:
        assert not limit or ticks >= limit
        assert 2 * ticks * 10_000 >= mid2 * (10_000 - collar)
        assert ticks >= 1
    assert collar_ticks(made, touch) >= 1 or is_buy


def test_a_limit_short_of_the_other_side_cannot_take() -> None:
    assert is_marketable(terms(), 10_010, TOUCH)
    assert not is_marketable(terms(), 10_009, TOUCH)
    assert not is_marketable(terms(is_buy=False), 9_991, TOUCH)
