"""Who wins the vote of the tunnel."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.strategy.terms import Direction, Vote
from services.strategy.vegas.voting import decided, strength_of

LONG, SHORT, NONE = Direction.LONG, Direction.SHORT, Direction.NONE
VOTES = st.lists(
    st.builds(
        Vote, st.just("X"), st.sampled_from(Direction), st.integers(0, 50).map(lambda n: n / 10)
    )
)


def votes(**weights: list[float]) -> list[Vote]:
    """Return votes of some weights by side."""
    return [Vote("X", Direction[side], w) for side, some in weights.items() for w in some]


def won(cast: list[Vote], *, by_count: bool = False, needed: float = 2.0) -> Direction:
    """Return who won."""
    return decided(cast, support_min=needed, is_by_count=by_count)[0]


def test_heavier_conditions_outvote_more_numerous_ones() -> None:
    """Votes used to be counted: a side of many light conditions beat a heavier one."""
    cast = votes(LONG=[2.5], SHORT=[1.0, 1.0])
    assert won(cast) is LONG
    assert won(cast, by_count=True) is SHORT


def test_opposing_votes_do_not_raise_the_support() -> None:
    """The score used to be the weight of all votes: opposition made a signal stronger."""
    cast = votes(LONG=[1.5], SHORT=[1.0])
    assert decided(cast, support_min=2.0, is_by_count=False) == (NONE, 1.5)
    assert won(votes(LONG=[1.5], NONE=[0.5])) is LONG


@pytest.mark.parametrize("by_count", [False, True], ids=["weighted", "counted"])
def test_a_tie_opens_nothing(*, by_count: bool) -> None:
    assert won(votes(LONG=[1.0, 2.0], SHORT=[2.0, 1.0], NONE=[5.0]), by_count=by_count) is NONE
    assert won([], by_count=by_count, needed=0) is NONE
    assert won(votes(NONE=[3.0]), by_count=by_count) is NONE


def test_equal_weights_added_in_another_way_still_tie() -> None:
    assert won(votes(LONG=[0.1, 0.2, 0.3], SHORT=[0.6], NONE=[2])) is NONE


def test_support_of_exactly_what_is_needed_is_enough() -> None:
    assert won(votes(LONG=[1.0], NONE=[1.0])) is LONG
    assert won(votes(LONG=[1.0], NONE=[0.99])) is NONE


def test_by_count_every_vote_is_support_and_numbers_decide() -> None:
    assert won(votes(LONG=[0.5, 0.5], SHORT=[1.0]), by_count=True) is LONG
    assert won(votes(LONG=[0.5, 0.4], SHORT=[1.0]), by_count=True) is NONE


@given(VOTES, st.booleans())
def test_mirrored_votes_give_the_mirrored_winner(cast: list[Vote], by_count: bool) -> None:
    mirrored = [Vote(one.name, one.direction.opposite, one.weight) for one in cast]
    side, support = decided(cast, support_min=2.0, is_by_count=by_count)
    other, same = decided(mirrored, support_min=2.0, is_by_count=by_count)
    assert other is side.opposite
    assert side is NONE or support == same


def test_strength_is_the_share_of_all_weight_that_supports() -> None:
    assert strength_of(2.0, [1.0] * 7) < 0.3
    assert strength_of(5.0, [1.0] * 7) >= 0.7
    assert strength_of(1.44, [1.2]) == 1.0
    assert strength_of(0.0, []) == 0.0
