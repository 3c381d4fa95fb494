"""Where a trade of the tunnel would stop, take profit, and rather have been opened.

Prices of the bar stay whole numbers here, so that a stop at its low lies at its low.
Source: specification of the pipeline, section 6 (VEGAS, stops and targets), rule M2.
"""

from services.strategy.terms import Bar, Direction, Setting, Target
from services.strategy.ticks import entry_on_tick, is_tighter, stop_at_distance
from services.strategy.vegas import inputs as i
from services.strategy.vegas.view import LONG, View, is_beyond, prices_of, share

ATR_MULTIPLE = 1.5
NEAR_SHARE, BEHIND_SHARE, CLOSEST_SHARE = 0.0025, 0.002, 0.001
NARROW_WIDTH, RANGE_TENTHS, RANGE_PER_MILLE = 0.03, 6, 1
WIDE_PER_MILLE, RETRACED_PER_MILLE = 12, 382
ATR, TIGHT, RANGE = "ATR", "TIGHT", "RANGE"


def stop_of(
    view: View, bar: Bar, setting: Setting, side: Direction, *, is_tight_on: bool
) -> tuple[int, str]:
    """Return the nearer of the ATR stop and the tight stop, and which one it is."""
    tick_atto, close_atto = setting.tick_atto, bar.close_atto
    atr_stop = stop_at_distance(close_atto, ATR_MULTIPLE * view.values[i.ATR], tick_atto, side)
    distance = tight_distance(view, side) if is_tight_on else None
    if distance is None:
        return atr_stop, ATR
    tight_stop = stop_at_distance(close_atto, distance, tick_atto, side)
    return (tight_stop, TIGHT) if is_tighter(tight_stop, atr_stop, side) else (atr_stop, ATR)


def tight_distance(view: View, side: Direction) -> float | None:
    """Return how far behind the close a stop just behind ema4 lies, if the close is just beyond.

    At least 0.1 % of the close.
    """
    close, ema4 = view.bar.close, view.emas.ema4
    is_just_beyond = is_beyond(side, close, ema4) and not is_beyond(
        side, close, ema4 * share(side, NEAR_SHARE)
    )
    if not is_just_beyond:
        return None
    return max(side * (close - ema4 * share(side.opposite, BEHIND_SHARE)), CLOSEST_SHARE * close)


def signal_bar_of(view: View, bar: Bar, side: Direction) -> int | None:
    """Return where a stop at the signal's bar lies: None if that is not behind the close.

    The open of a bar that engulfs for the trade, else its extreme against the trade.
    """
    opened_atto, high_atto, low_atto = prices_of(bar)
    extreme_atto = low_atto if side is LONG else high_atto
    level_atto = opened_atto if view.is_engulfing(side) else extreme_atto
    return level_atto if side * (bar.close_atto - level_atto) > 0 else None


def targets_of(view: View, bar: Bar, setting: Setting, side: Direction) -> tuple[Target, ...]:
    """Return the target of a narrow market: a share of the bar's range beyond the close."""
    if view.values[i.WIDTH] > NARROW_WIDTH:
        return ()
    _, high_atto, low_atto = prices_of(bar)
    reach = RANGE_TENTHS * max(1000 * (high_atto - low_atto), RANGE_PER_MILLE * bar.close_atto)
    exact_atto = side * ((side * bar.close_atto * 10_000 + reach) // 10_000)  # Toward the close.
    return (Target(entry_on_tick(exact_atto, setting.tick_atto, side), RANGE),)


def best_entry_of(bar: Bar, setting: Setting, side: Direction) -> int | None:
    """Return the price after a wide bar has retraced 38.2 %, if that is better than its close."""
    opened_atto, high_atto, low_atto = prices_of(bar)
    range_atto = high_atto - low_atto
    if 1000 * range_atto <= WIDE_PER_MILLE * opened_atto:
        return None
    back_atto = range_atto * RETRACED_PER_MILLE // 1000
    if side is LONG:
        best_atto = entry_on_tick(high_atto - back_atto, setting.tick_atto, side)
    else:
        best_atto = entry_on_tick(low_atto + back_atto, setting.tick_atto, side)
    return best_atto if side * (bar.close_atto - best_atto) > 0 else None
