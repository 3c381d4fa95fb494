"""Tiers of profit (E5): those the signal named, else multiples of R."""

from collections.abc import Sequence

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
    return _by_risk(position, setting, setting.config.exit.tiers_r_atto)


def last_tier(position: Position, setting: Setting) -> list[int]:
    """Return the price of the last tier by risk, which takes the profit; none without a risk."""
    return _by_risk(position, setting, setting.config.exit.tiers_r_atto[-1:])


def _by_risk(position: Position, setting: Setting, multiples_atto: Sequence[int]) -> list[int]:
    risk_atto, tick_atto = position.risk_atto, setting.tick_atto
    if not risk_atto:
        return []
    side, entry_atto = position.direction, position.entry_atto
    return [
        target_on_tick(entry_atto + side * (risk_atto * multiple_atto // ATTO), tick_atto, side)
        for multiple_atto in multiples_atto
    ]


def passed_tiers(position: Position, bar: Bar, levels: list[int]) -> int:
    """Return how many tiers the bar has reached."""
    side = position.direction
    reached_atto = bar.extreme(side)
    return sum(side * (reached_atto - level) >= 0 for level in levels)
