"""Tiers of profit (E5): those the signal named, else multiples of R."""

from runtime.atto import ATTO
from services.strategy.positions import Position
from services.strategy.terms import Bar, Setting
from services.strategy.ticks import target_on_tick

TIER = "TIER"


def tier_levels(position: Position, setting: Setting) -> list[int]:
    """Return the prices of the tiers, nearest first; none without a risk to measure them by."""
    side, entry_atto = position.direction, position.entry_atto
    named = [one.price_atto for one in position.targets if one.source == TIER]
    if named:
        return sorted((one for one in named if side * (one - entry_atto) > 0), key=side.__mul__)
    if not position.risk_atto:
        return []
    return [
        target_on_tick(
            entry_atto + side * (position.risk_atto * multiple_atto // ATTO),
            setting.tick_atto,
            side,
        )
        for multiple_atto in setting.config.exit.tiers_r_atto
    ]


def passed_tiers(position: Position, bar: Bar, levels: list[int]) -> int:
    """Return how many tiers the bar has reached."""
    side = position.direction
    reached_atto = bar.extreme(side)
    return sum(side * (reached_atto - level) >= 0 for level in levels)
