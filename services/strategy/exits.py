"""Exits E1 to E3: pure, one bar at a time, stops before anything else.

Levels count as they were when the bar opened; what this bar raises acts from the next one.
Of several stops touched the tightest was reached first. A bar that opened beyond a level
exits at its open. Of closes alone nothing within the bar is known: the close is compared.
Source: specification of the pipeline, section 6 (exits).
"""

from dataclasses import dataclass, replace

from runtime.atto import ATTO
from services.strategy.positions import Position
from services.strategy.terms import Bar, Direction, Setting
from services.strategy.ticks import is_tighter, stop_on_tick

MAX_LOSS, BREAK_EVEN = "MAX_LOSS", "BREAK_EVEN"
BASIS_POINTS = 10_000

# A wider max loss is capped after a wide entry bar against us, and within a very wide bar.
ENTRY_BAR_WIDE, ENTRY_BAR_CAP = ATTO * 3 // 100, ATTO * 3 // 100
BAR_WIDE, BAR_CAP = ATTO * 5 // 100, ATTO * 45 // 1000


@dataclass(frozen=True, slots=True)
class Exit:
    """A stop was touched: which one, and the price it would have got."""

    level_atto: int
    source: str
    price_atto: int


@dataclass(frozen=True, slots=True)
class Exits:
    """What one bar means for a position: out, or on with raised stops."""

    position: Position
    exit: Exit | None = None
    is_raised: bool = False
    is_intrabar_unknown: bool = False


def evaluate_exits(position: Position, bar: Bar, setting: Setting) -> Exits:
    """Return whether `bar` ends `position`, and the stops that hold from the next bar on.

    A bar that ended before the position was opened says nothing about it.
    """
    if not position.quantity_atto or bar.close_ns <= position.opened_ns:
        return Exits(position)
    side = position.direction
    reached_atto = bar.extreme(side.opposite)
    touched = [
        (level, source)
        for level, source in _levels(position, bar, setting)
        if side * (reached_atto - level) <= 0  # Touched, not passed.
    ]
    if not touched:
        return _carried_on(position, bar, setting)
    level, source = max(touched, key=lambda one: side * one[0])
    return Exits(
        position,
        Exit(level, source, _exit_price(position, bar, level)),
        is_intrabar_unknown=not bar.has_range,
    )


def tightest_stop(position: Position, setting: Setting) -> tuple[int, str] | None:
    """Return the tightest stop that is watched, None without any."""
    stops = _levels(position, None, setting)
    return max(stops, key=lambda one: position.direction * one[0]) if stops else None


def max_loss_stop(entry_atto: int, share_atto: int, setting: Setting, side: Direction) -> int:
    """Return where a loss of `share_atto` of the entry price is reached."""
    exact_atto = entry_atto * (ATTO - side * share_atto) // ATTO
    return stop_on_tick(exact_atto, setting.tick_atto, side)


def _levels(position: Position, bar: Bar | None, setting: Setting) -> list[tuple[int, str]]:
    rules, levels = setting.config.exit, []
    if rules.max_loss_atto:
        share = _max_loss_share(position, bar, rules.max_loss_atto)
        stop = max_loss_stop(position.entry_atto, share, setting, position.direction)
        levels.append((stop, MAX_LOSS))
    if position.stop_atto is not None and (
        rules.is_initial_stop_watched or position.stop_atto != position.initial_stop_atto
    ):
        levels.append((position.stop_atto, position.stop_source))
    return levels


def _max_loss_share(position: Position, bar: Bar | None, share_atto: int) -> int:
    if position.is_entry_bar_adverse:
        share_atto = min(share_atto, ENTRY_BAR_CAP)
    if bar is not None and _width_atto(bar) > BAR_WIDE:
        share_atto = min(share_atto, BAR_CAP)
    return share_atto


def _width_atto(bar: Bar) -> int:
    """Return the bar's range as a share of its open; 0 where it is not known."""
    if bar.open_atto is None or bar.high_atto is None or bar.low_atto is None:
        return 0
    share_atto: int = (bar.high_atto - bar.low_atto) * ATTO // bar.open_atto
    return share_atto


def _exit_price(position: Position, bar: Bar, level_atto: int) -> int:
    if bar.open_atto is None:
        return bar.close_atto
    is_gap = position.direction * (bar.open_atto - level_atto) <= 0
    return bar.open_atto if is_gap else level_atto


def _carried_on(position: Position, bar: Bar, setting: Setting) -> Exits:
    is_unknown = not bar.has_range
    if position.is_entry_bar_adverse is None:
        position = replace(position, is_entry_bar_adverse=_is_adverse(position, bar))
    stop_atto = _break_even_stop(position, bar, setting)
    if stop_atto is None:
        return Exits(position, is_intrabar_unknown=is_unknown)
    position = replace(position, is_break_even=True)
    raised = raised_to(position, stop_atto, BREAK_EVEN)
    return Exits(raised, is_raised=raised is not position, is_intrabar_unknown=is_unknown)


def raised_to(position: Position, stop_atto: int, source: str) -> Position:
    """Return `position` with a tighter stop; one that would loosen it changes nothing."""
    present = position.stop_atto
    if present is not None and not is_tighter(stop_atto, present, position.direction):
        return position
    return replace(position, stop_atto=stop_atto, stop_source=source)


def _is_adverse(position: Position, bar: Bar) -> bool:
    if bar.open_atto is None:
        return False
    is_against = position.direction * (bar.close_atto - bar.open_atto) < 0
    return is_against and _width_atto(bar) > ENTRY_BAR_WIDE


def _break_even_stop(position: Position, bar: Bar, setting: Setting) -> int | None:
    """Return the stop at entry plus costs once the gain is large enough, else None."""
    rules = setting.config.exit
    if position.is_break_even or not rules.break_even_r_atto or position.initial_stop_atto is None:
        return None
    side, entry_atto = position.direction, position.entry_atto
    risk_atto = abs(entry_atto - position.initial_stop_atto)
    gain_atto = side * (bar.extreme(side) - entry_atto)
    if not risk_atto or gain_atto * ATTO < risk_atto * rules.break_even_r_atto:
        return None
    costs_atto = entry_atto * rules.round_trip_fee_bps_atto // (BASIS_POINTS * ATTO)
    return stop_on_tick(entry_atto + side * costs_atto, setting.tick_atto, side)
