"""Who wins the vote: the heavier side, if enough supports it; equal sides open nothing."""

from collections.abc import Iterable, Sequence
from math import fsum

from services.strategy.terms import Direction, Vote
from services.strategy.vegas.view import LONG, NONE, SHORT, sign_of

DECIMALS = 9  # Weights are a few decimals; what is left of adding them is not a difference.


def decided(
    votes: Sequence[Vote], *, support_min: float, is_by_count: bool
) -> tuple[Direction, float]:
    """Return the side that won, NONE if nobody did, and what supports it.

    By weight, neutral votes support the heavier side and opposing ones do not. By count, the
    more numerous side wins, and every vote is support.
    """
    of_long, of_short, neutral = (_weight(votes, side) for side in (LONG, SHORT, NONE))
    if is_by_count:
        side = sign_of(_number(votes, LONG) - _number(votes, SHORT))
        support = total(of_long, of_short, neutral)
    else:
        side = sign_of(of_long - of_short)
        support = total(of_long if side is LONG else of_short, neutral)
    return (side if support >= support_min else NONE), support


def total(*weights: float) -> float:
    """Return the sum of weights, whatever their order."""
    return round(fsum(weights), DECIMALS)


def strength_of(support: float, weights: Iterable[float]) -> float:
    """Return support as a share of what all conditions together weigh, at most 1."""
    possible = total(*weights)
    return min(1.0, support / possible) if possible else 0.0


def _weight(votes: Sequence[Vote], side: Direction) -> float:
    return total(*(vote.weight for vote in votes if vote.direction is side))


def _number(votes: Sequence[Vote], side: Direction) -> int:
    return sum(vote.direction is side for vote in votes)
