"""Prices onto the tick, always to the careful side (rule M2)."""

from runtime.atto import ATTO
from services.strategy.terms import Direction


def stop_on_tick(price_atto: int, tick_atto: int, direction: Direction) -> int:
    """Return a stop toward the entry: of a long up, of a short down; at least one tick."""
    if direction is Direction.LONG:
        return max(_up(price_atto, tick_atto), tick_atto)
    return max(_down(price_atto, tick_atto), tick_atto)


def target_on_tick(price_atto: int, tick_atto: int, direction: Direction) -> int:
    """Return a target toward the entry: of a long down, of a short up; at least one tick."""
    return entry_on_tick(price_atto, tick_atto, direction)


def entry_on_tick(price_atto: int, tick_atto: int, direction: Direction) -> int:
    """Return an entry that waits rather than pays: a buy down, a sell up; at least one tick."""
    if direction is Direction.LONG:
        return max(_down(price_atto, tick_atto), tick_atto)
    return _up(price_atto, tick_atto)


def stop_at_distance(entry_atto: int, distance: float, tick_atto: int, direction: Direction) -> int:
    """Return the stop `distance` behind an entry, at least one tick away from it."""
    exact_atto = entry_atto - direction * round(distance * ATTO)
    stop_atto = stop_on_tick(exact_atto, tick_atto, direction)
    nearest_atto = stop_on_tick(entry_atto, tick_atto, direction) - direction * tick_atto
    return max(looser(stop_atto, nearest_atto, direction), tick_atto)


def tighter(one_atto: int, other_atto: int, direction: Direction) -> int:
    """Return the stop that is reached first: of a long the higher one."""
    return max(one_atto, other_atto) if direction is Direction.LONG else min(one_atto, other_atto)


def looser(one_atto: int, other_atto: int, direction: Direction) -> int:
    """Return the stop that is reached later: of a long the lower one."""
    return min(one_atto, other_atto) if direction is Direction.LONG else max(one_atto, other_atto)


def is_tighter(one_atto: int, than_atto: int, direction: Direction) -> bool:
    """Whether a stop is reached before another one."""
    return direction * (one_atto - than_atto) > 0


def _down(price_atto: int, tick_atto: int) -> int:
    return price_atto // tick_atto * tick_atto


def _up(price_atto: int, tick_atto: int) -> int:
    return -(-price_atto // tick_atto) * tick_atto
