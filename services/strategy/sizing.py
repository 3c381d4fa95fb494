"""How much an opening signal asks for."""

from runtime.atto import ATTO
from services.strategy.registry import kind_of
from services.strategy.terms import Direction, Setting, Sizing, SizingWay


def sized(setting: Setting, entry_atto: int, direction: Direction) -> Sizing:
    """Return the configured sizing, or for a kind that reverses the position to end at.

    A target position has the sign of the direction; a notional buys whole lots at the entry.
    """
    sizing = setting.config.sizing
    if not kind_of(setting.config.kind).is_reversing(setting.config.parameters):
        return sizing
    amount_atto = sizing.amount_atto
    if sizing.way is SizingWay.NOTIONAL:
        amount_atto = amount_atto * ATTO // entry_atto // setting.lot_atto * setting.lot_atto
    return Sizing(SizingWay.TARGET_POSITION, direction * amount_atto)
