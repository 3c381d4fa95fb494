"""E7: gives up what takes too long. Looked at on the close, of which it would get the price."""

from runtime.atto import ATTO
from services.strategy.exits.found import Exit
from services.strategy.exits.targets import part_of
from services.strategy.exits.tiers import tier_levels
from services.strategy.positions import Position
from services.strategy.terms import Bar, Setting, TimeStop

TIME = "TIME"
HALF = 0.5


def time_exit(position: Position, bar: Bar, setting: Setting) -> Exit | None:
    """Return the exit, if any, of a position that has been through `bar`."""
    rules = setting.config.exit.time_stop
    if rules is None:
        return None
    if _has_stalled(position, bar, rules) or _is_untiered(position, setting, rules):
        return Exit(None, TIME, bar.close_atto)
    is_loss = position.direction * (bar.close_atto - position.entry_atto) < 0
    if position.is_halved or not is_loss or position.bars_held < rules.loss_bars:
        return None
    quantity_atto = part_of(position, HALF, setting)
    return Exit(None, TIME, bar.close_atto, quantity_atto=quantity_atto) if quantity_atto else None


def _has_stalled(position: Position, bar: Bar, rules: TimeStop) -> bool:
    if position.bars_held < rules.flat_bars or not position.risk_atto:
        return False
    moved_atto = abs(bar.close_atto - position.entry_atto)
    return bool(moved_atto * ATTO <= position.risk_atto * rules.flat_r_atto)


def _is_untiered(position: Position, setting: Setting, rules: TimeStop) -> bool:
    is_late: bool = position.bars_held >= rules.untiered_bars
    return is_late and not position.tiers_reached and bool(tier_levels(position, setting))
