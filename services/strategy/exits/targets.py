"""Where profit is taken: the last tier (E5), and the targets E8 to E12 of the signal."""

from services.strategy.exits.found import Exit
from services.strategy.exits.tiers import TIER, last_tier
from services.strategy.positions import Position
from services.strategy.terms import Bar, Setting, Target

RANGE = "RANGE"


def touched_target(position: Position, bar: Bar, setting: Setting) -> Exit | None:
    """Return the nearest target that the bar reached."""
    side = position.direction
    best_atto = bar.extreme(side)
    touched = [
        one
        for one in watched_targets(position, setting)
        if side * (best_atto - one.price_atto) >= 0
        and part_of(position, one.share, setting) != 0  # Less than a lot cannot be sold.
    ]
    if not touched:
        return None
    nearest = min(touched, key=lambda one: side * one.price_atto)
    return Exit(
        level_atto=nearest.price_atto,
        source=nearest.source,
        price_atto=_exit_price(position, bar, nearest.price_atto),
        target=nearest,
        quantity_atto=part_of(position, nearest.share, setting),
    )


def part_of(position: Position, share: float, setting: Setting) -> int | None:
    """Return a share of what is held in whole lots, rounded down; None for all of it."""
    if share >= 1:
        return None
    parts, whole = share.as_integer_ratio()
    exact_atto = abs(position.quantity_atto) * parts // whole
    return exact_atto // setting.lot_atto * setting.lot_atto


def watched_targets(position: Position, setting: Setting) -> list[Target]:
    """Return the targets that would be a gain: the fill may have gone beyond one."""
    rules, side = setting.config.exit, position.direction
    found = [
        one
        for one in position.targets
        if one.share and (rules.is_range_target_on or one.source != RANGE)
    ]
    is_named = any(one.source == TIER for one in position.targets)
    if rules.is_tiered_trail_on and not is_named:
        found.extend(Target(level, TIER) for level in last_tier(position, setting))
    entry_atto = position.entry_atto
    return [one for one in found if side * (one.price_atto - entry_atto) > 0]


def _exit_price(position: Position, bar: Bar, level_atto: int) -> int:
    if bar.open_atto is None:
        return bar.close_atto
    is_gap = position.direction * (bar.open_atto - level_atto) >= 0
    return bar.open_atto if is_gap else level_atto
