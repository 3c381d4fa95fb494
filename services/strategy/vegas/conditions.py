"""The conditions of the tunnel: what each says to a side, and how much that weighs.

Source: specification of the pipeline, section 6 (VEGAS, the table of conditions).
"""

from collections.abc import Callable, Mapping, Sequence

from services.strategy.terms import Direction, Vote
from services.strategy.vegas import inputs as i
from services.strategy.vegas.view import (
    LONG,
    NONE,
    SHORT,
    View,
    is_beyond,
    is_ordered,
    is_trending,
    share,
    sign_of,
)

VOLUME_SURGE, TUNNEL_BREAK, EMA_TOUCH = "VOLUME_SURGE", "TUNNEL_BREAK", "EMA_TOUCH"
RSI, BOLLINGER, ENGULFING, HAMMER = "RSI", "BOLLINGER", "ENGULFING", "HAMMER"
LEG, STRUCTURE = "LEG", "STRUCTURE"

SURGE_RATIO = 2.0
BREAK_SHARE = 0.003
TOUCH_SHARE = {LONG: 0.002, SHORT: -0.005}  # low <= ema2 x 1.002; high >= ema2 x 0.995.
APART_SHARE, TUNNEL_SHARE, LONG_TERM_SHARE = 0.010, 0.006, 0.022
MARUBOZU = 0.8  # A body that is nearly all of its bar.
OVERSOLD, OVERBOUGHT = 15.0, 85.0
BOTH_SHADOWS = 0.3
HAMMER_RANGE, HAMMER_VOLUME = 0.006, 1.0
NEW_LEG, SWING, CHANGE_OF_CHARACTER = 1.2, 1.5, 1.2

Says = Callable[[View, Direction], bool]


def tunnel_break(view: View, side: Direction) -> bool:
    """The close has left the tunnel, the one before lay on its other side."""
    before, close, emas = view.before, view.bar.close, view.emas
    if before is None:
        return False
    through: list[tuple[float, float | None]] = [(emas.ema2, before.ema2)]
    if side is SHORT:
        if close >= emas.ema1:
            return False
        through.append((emas.ema5, before.ema5))
    return any(
        was is not None
        and is_beyond(side, close, ema * share(side, BREAK_SHARE))
        and is_beyond(side, was, before.close)
        for ema, was in through
    )


def ema_touch(view: View, side: Direction) -> bool:
    """The bar came back to an average and held, or the long-term trend takes over again.

    Never on a bar whose averages cross against the trade.
    """
    crosses = (view.value(i.CROSS), view.value(i.LONG_CROSS))
    if any(side * cross < 0 for cross in crosses):
        return False
    if is_trending(side, view.emas):
        return _holds_tunnel(view, side) or _holds_long_term(view, side) or _runs(view, side)
    return is_trending(side.opposite, view.emas) and _meets_long_term(view, side)


def _holds_tunnel(view: View, side: Direction) -> bool:
    bar, emas = view.bar, view.emas
    is_touched = not is_beyond(side, bar.near(side), emas.ema2 * (1 + TOUCH_SHARE[side]))
    is_apart = is_beyond(side, emas.ema1, emas.ema2 * share(side, APART_SHARE))
    holds = is_beyond(side, bar.open, emas.ema2) and is_beyond(side, bar.close, emas.ema2)
    return is_touched and is_apart and holds


def _holds_long_term(view: View, side: Direction) -> bool:
    bar, emas = view.bar, view.emas
    factor = share(side, TUNNEL_SHARE)
    is_touched = any(
        not is_beyond(side, bar.near(side), ema * factor) for ema in (emas.ema4, emas.ema5)
    )
    is_clear = not is_beyond(side, emas.ema4 * factor, emas.ema3)
    return is_beyond(side, bar.open, emas.ema4) and is_touched and is_clear


def _runs(view: View, side: Direction) -> bool:
    return view.bar.colour is side and view.bar.body > MARUBOZU


def _meets_long_term(view: View, side: Direction) -> bool:
    """Whether a move against the long-term order has come back to its slowest average."""
    bar, emas = view.bar, view.emas
    is_reached = not is_beyond(side, bar.near(side), emas.ema7)
    is_close = is_beyond(side, emas.ema7, emas.ema5 * share(side.opposite, LONG_TERM_SHARE))
    return is_ordered(side, emas[3:]) and is_reached and is_close


def rsi(view: View, side: Direction) -> bool:
    """The market is exhausted on the other side, but not in one great bar."""
    level = view.values[i.RSI]
    is_extreme = level < OVERSOLD if side is LONG else level > OVERBOUGHT
    return is_extreme and view.bar.body <= MARUBOZU


def bollinger(view: View, side: Direction) -> bool:
    """The bar has left a band against the trade, and closed on the trade's side of EMA 12."""
    bar = view.bar
    if bar.upper > BOTH_SHADOWS and bar.lower > BOTH_SHADOWS:
        return False
    band = view.values[i.LOWER if side is LONG else i.UPPER]
    is_back = view.is_four_hours or is_beyond(side, bar.close, view.emas.ema1)
    return is_beyond(side, band, bar.near(side)) and is_back


def engulfing(view: View, side: Direction) -> bool:
    """The bar swallows the one before, as the indicator defines it."""
    return view.is_engulfing(side)


def hammer(view: View, side: Direction) -> bool:
    """A long shadow against the trade; against the order of averages only with volume."""
    if not view.value(i.HAMMER if side is LONG else i.HANGING_MAN):
        return False
    is_wide = view.bar.width >= HAMMER_RANGE
    is_against = is_ordered(side.opposite, view.emas[:4])
    return is_wide and (not is_against or view.values[i.VOLUME_RATIO] >= HAMMER_VOLUME)


DIRECTED: Mapping[str, Says] = {
    TUNNEL_BREAK: tunnel_break,
    EMA_TOUCH: ema_touch,
    RSI: rsi,
    BOLLINGER: bollinger,
    ENGULFING: engulfing,
    HAMMER: hammer,
}

DEFAULT_WEIGHTS: Mapping[str, float] = {
    VOLUME_SURGE: 1.0,
    **dict.fromkeys(DIRECTED, 1.0),
    LEG: 1.2,
    STRUCTURE: 0.0,
}
"""Every condition, in the order of its vote, with what it weighs."""

OFF_BY_DEFAULT = (LEG, STRUCTURE)


def votes_on(view: View, weights: Mapping[str, float]) -> list[Vote]:
    """Return what the conditions of `weights` say; what says both sides says nothing."""
    votes = []
    for name, weight in weights.items():
        said = _said(name, view)
        if said is not None:
            side, factor = said
            votes.append(Vote(name, side, weight * factor))
    return votes


def _said(name: str, view: View) -> tuple[Direction, float] | None:
    """Return the side a condition is for and what multiplies its weight, None for no vote."""
    if name == VOLUME_SURGE:
        return (NONE, 1.0) if view.values[i.VOLUME_RATIO] > SURGE_RATIO else None
    if name == LEG:
        leg = sign_of(view.value(i.LEG))
        is_new = view.value(i.LEG_IS_NEW) != 0
        return None if leg is NONE else (leg, NEW_LEG if is_new else 1.0)
    if name == STRUCTURE:
        return _structure(view)
    says = DIRECTED[name]
    sides: Sequence[Direction] = [side for side in (LONG, SHORT) if says(view, side)]
    return (sides[0], 1.0) if len(sides) == 1 else None


def _structure(view: View) -> tuple[Direction, float] | None:
    """Return the break of a swing or, without one, of a pivot inside it."""
    for name, factor in _BREAKS:
        side = sign_of(view.value(name))
        if side is not NONE:
            return side, factor
    return None


_BREAKS = (
    (i.SWING_CHANGE, SWING * CHANGE_OF_CHARACTER),
    (i.SWING_BREAK, SWING),
    (i.INNER_CHANGE, CHANGE_OF_CHARACTER),
    (i.INNER_BREAK, 1.0),
)
