"""What debug output adds to the labels of a signal: what was seen, never what is done."""

from services.strategy.terms import Direction
from services.strategy.vegas.filters import FILTERS, is_extreme
from services.strategy.vegas.levels import tight_distance
from services.strategy.vegas.view import LONG, SHORT, View, is_trending


def notes_on(view: View, side: Direction) -> tuple[str, ...]:
    """Return the trend, what kind of bar it was, and every filter that would speak."""
    noticed = {
        "SEEN_UP_TREND": is_trending(LONG, view.emas),
        "SEEN_DOWN_TREND": is_trending(SHORT, view.emas),
        "SEEN_EXTREME_CANDLE": is_extreme(view),
        "SEEN_NEAR_EMA4": tight_distance(view, side) is not None,
        **{f"AGAINST_{name}": speaks(view, side) for name, speaks in FILTERS.items()},
    }
    return tuple(name for name, is_so in noticed.items() if is_so)
