"""What a bar raises for the bars after it: E3 break-even, E4 one-R bar, E5 tiered trail."""

from dataclasses import replace

from runtime.atto import ATTO
from services.strategy.exits.stops import is_adverse
from services.strategy.exits.tiers import passed_tiers, tier_levels
from services.strategy.positions import Position
from services.strategy.terms import Bar, Setting
from services.strategy.ticks import is_tighter, stop_on_tick

BREAK_EVEN, ONE_R_BAR, TIER_TRAIL = "BREAK_EVEN", "ONE_R_BAR", "TIER_TRAIL"
BASIS_POINTS = 10_000
ENTRY_RANGE_MIN = 1_000  # The one-R bar stop is at least a thousandth of the entry away.


def after_bar(position: Position, bar: Bar, setting: Setting) -> Position:
    """Return the position as it enters the next bar; the same one if nothing has changed."""
    rules = setting.config.exit
    if position.is_entry_bar_adverse is None:
        position = replace(position, is_entry_bar_adverse=is_adverse(position, bar))
        if rules.is_one_r_bar_on:
            position = _one_r_bar(position, bar, setting)
    if rules.time_stop is not None:
        position = replace(position, bars_held=position.bars_held + 1)
    position = _break_even(position, bar, setting)
    return _trailed(position, bar, setting) if rules.is_tiered_trail_on else position


def raised_to(position: Position, stop_atto: int, source: str) -> Position:
    """Return `position` with a tighter stop; one that would loosen it changes nothing."""
    present = position.stop_atto
    if present is not None and not is_tighter(stop_atto, present, position.direction):
        return position
    return replace(position, stop_atto=stop_atto, stop_source=source)


def _one_r_bar(position: Position, bar: Bar, setting: Setting) -> Position:
    """Return it with a stop one range of its entry bar away; closes alone have no range."""
    if bar.high_atto is None or bar.low_atto is None:
        return position
    entry_atto, side = position.entry_atto, position.direction
    distance_atto = max(bar.high_atto - bar.low_atto, entry_atto // ENTRY_RANGE_MIN)
    stop_atto = stop_on_tick(entry_atto - side * distance_atto, setting.tick_atto, side)
    return raised_to(position, stop_atto, ONE_R_BAR)


def break_even_gain_atto(position: Position, setting: Setting) -> int | None:
    """Return from which gain on the stop moves to break-even; None if it never will."""
    rules = setting.config.exit
    if position.is_break_even or not rules.break_even_r_atto or not position.risk_atto:
        return None
    exact_atto: int = -(-position.risk_atto * rules.break_even_r_atto // ATTO)
    return exact_atto


def _break_even(position: Position, bar: Bar, setting: Setting) -> Position:
    """Return it with its stop at entry plus costs once the gain was large enough."""
    needed_atto = break_even_gain_atto(position, setting)
    side, entry_atto = position.direction, position.entry_atto
    if needed_atto is None or side * (bar.extreme(side) - entry_atto) < needed_atto:
        return position
    fee_atto = setting.config.exit.round_trip_fee_bps_atto
    costs_atto = entry_atto * fee_atto // (BASIS_POINTS * ATTO)
    stop_atto = stop_on_tick(entry_atto + side * costs_atto, setting.tick_atto, side)
    return raised_to(replace(position, is_break_even=True), stop_atto, BREAK_EVEN)


def _trailed(position: Position, bar: Bar, setting: Setting) -> Position:
    """Return it with its stop one tier behind the tiers it has passed; the first is the entry."""
    levels = tier_levels(position, setting)
    passed = passed_tiers(position, bar, levels)
    if passed <= position.tiers_reached:
        return position
    side = position.direction
    behind_atto = position.entry_atto if passed == 1 else levels[passed - 2]
    stop_atto = stop_on_tick(behind_atto, setting.tick_atto, side)
    return raised_to(replace(position, tiers_reached=passed), stop_atto, TIER_TRAIL)
