"""What speaks against a side that has won the vote, in the order in which it is looked at.

Source: specification of the pipeline, section 6 (VEGAS, filters).
"""

from collections.abc import Callable, Mapping, Sequence

from services.strategy.terms import Direction
from services.strategy.vegas import inputs as i
from services.strategy.vegas.view import (
    LONG,
    View,
    is_beyond,
    is_ordered,
    is_trending,
    share,
)

RSI_EXTREME_EVENT, EMA_DISTANCE = "RSI_EXTREME_EVENT", "EMA_DISTANCE"
CHASE_UNCONFIRMED, EXTREME_CANDLE = "CHASE_UNCONFIRMED", "EXTREME_CANDLE"
MACD_FALLING_KNIFE, FIB_AGAINST_TREND = "MACD_FALLING_KNIFE", "FIB_AGAINST_TREND"
RANGING, TANGLED = "RANGING", "TANGLED"

RSI_LOW, RSI_HIGH, EVENT_SHARE = 30.0, 70.0, 0.05
FAR_SHARE, RANGING_SHARE, TANGLED_SHARE = 0.05, 0.02, 0.01
CHASE_SHARE = {LONG: 0.18, Direction.SHORT: 0.10}
CHASE_TOUCH_SHARE, CHASE_BODY = 0.05, 0.5
EXTREME_BODY, EXTREME_MOVE, EXTREME_CROSSED = 0.65, 0.01, 2
FIB_VOLUME = 1.5

Speaks = Callable[[View, Direction], bool]


def rsi_extreme_event(view: View, side: Direction) -> bool:
    """The exhaustion comes from an event: far off the bar before's extreme, and going on."""
    before, level = view.before, view.values[i.RSI]
    is_extreme = level < RSI_LOW if side is LONG else level > RSI_HIGH
    if before is None or not is_extreme or view.bar.colour is not side.opposite:
        return False
    edge = before.far(side) * share(side.opposite, EVENT_SHARE)
    return is_beyond(side, edge, before.close)


def ema_distance(view: View, side: Direction) -> bool:
    """The averages are ordered against the trade and lie far apart, the close is beyond them."""
    emas = view.emas
    is_against = is_ordered(side.opposite, emas[1:4])
    is_far = abs(emas.ema2 - emas.ema4) / emas.ema4 > FAR_SHARE
    return is_far and is_against and is_beyond(side, view.bar.close, emas.ema3)


def chase_unconfirmed(view: View, side: Direction) -> bool:
    """The close has run far from the tunnel, and neither a touch nor the bar confirms it."""
    bar, tunnel = view.bar, view.emas.ema2
    if not is_beyond(side, bar.close, tunnel * share(side, CHASE_SHARE[side])):
        return False
    is_touched = not is_beyond(side, bar.near(side), tunnel * share(side, CHASE_TOUCH_SHARE))
    is_with = bar.colour is side and bar.body > CHASE_BODY
    return not (is_touched or is_with or view.is_engulfing(side))


def extreme_candle(view: View, side: Direction) -> bool:
    """A great bar through several averages, unless it and their order are with the trade."""
    if not is_extreme(view):
        return False
    return not (view.bar.colour is side and is_ordered(side, view.emas[:4]))


def is_extreme(view: View) -> bool:
    """Whether the bar is great and crosses at least two of the first five averages."""
    bar = view.bar
    bottom, top = sorted((bar.open, bar.close))
    crossed = sum(bottom < ema < top for ema in view.emas[:5])
    is_great = bar.body >= EXTREME_BODY and bar.move >= EXTREME_MOVE
    return is_great and crossed >= EXTREME_CROSSED


def macd_falling_knife(view: View, side: Direction) -> bool:
    """Momentum is against the trade and grows."""
    against = side.opposite
    return against * view.values[i.HISTOGRAM] > 0 and against * view.values[i.HISTOGRAM_CHANGE] > 0


def fib_against_trend(view: View, side: Direction) -> bool:
    """Not an entry in the zone of the last swing, on volume, with the trend."""
    zone = view.values.get(i.ZONE_LOW), view.values.get(i.ZONE_HIGH)
    is_inside = zone[0] is not None and zone[1] is not None and zone[0] <= view.bar.close <= zone[1]
    is_on_volume = view.values[i.VOLUME_RATIO] >= FIB_VOLUME
    return not (is_inside and is_on_volume and is_trending(side, view.emas))


FILTERS: Mapping[str, Speaks] = {
    RSI_EXTREME_EVENT: rsi_extreme_event,
    EMA_DISTANCE: ema_distance,
    CHASE_UNCONFIRMED: chase_unconfirmed,
    EXTREME_CANDLE: extreme_candle,
    MACD_FALLING_KNIFE: macd_falling_knife,
    FIB_AGAINST_TREND: fib_against_trend,
}
"""In their order: the first that speaks is the primary reason."""


def reasons_against(view: View, side: Direction, names: Sequence[str]) -> tuple[str, ...]:
    """Return every filter of `names` that speaks against `side`, the primary reason first."""
    return tuple(name for name in names if FILTERS[name](view, side))


def labels_of(view: View) -> tuple[str, ...]:
    """Return what the distances of the averages are called; it decides nothing."""
    tunnel = view.emas[1:4]
    ema2, _, ema4 = tunnel
    labels = []
    if abs(ema2 - ema4) / ema4 <= RANGING_SHARE:
        labels.append(RANGING)
    if max(tunnel) - min(tunnel) <= TANGLED_SHARE * ema4:
        labels.append(TANGLED)
    return tuple(labels)
