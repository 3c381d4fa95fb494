"""The stops that are watched: E1 max loss, E2 to E5 the raised initial stop, E6 signal bar."""

from runtime.atto import ATTO
from services.strategy.exits.found import Exit
from services.strategy.positions import Position
from services.strategy.terms import Bar, Direction, Setting
from services.strategy.ticks import is_tighter, stop_on_tick

MAX_LOSS, SIGNAL_BAR = "MAX_LOSS", "SIGNAL_BAR"

# A wider max loss is capped after a wide entry bar against us, and within a very wide bar.
ENTRY_BAR_WIDE, ENTRY_BAR_CAP = ATTO * 3 // 100, ATTO * 3 // 100
BAR_WIDE, BAR_CAP = ATTO * 5 // 100, ATTO * 45 // 1000

Level = tuple[int, str]
"""A price, and the rule that gave it."""


def touched_stop(position: Position, bar: Bar, setting: Setting) -> Exit | None:
    """Return the tightest stop that the bar touched: at the level, not only beyond it."""
    side = position.direction
    reached_atto = bar.extreme(side.opposite)
    touched = [
        (level, source)
        for level, source in _levels(position, bar, setting)
        if side * (reached_atto - level) <= 0
    ]
    if not touched:
        return None
    level, source = max(touched, key=lambda one: side * one[0])
    return Exit(level, source, _exit_price(position, bar, level))


def tightest_stop(position: Position, setting: Setting) -> Level | None:
    """Return the tightest stop that is watched, None without any."""
    stops = _levels(position, None, setting)
    return max(stops, key=lambda one: position.direction * one[0]) if stops else None


def is_tightened(before: Position, after: Position, setting: Setting) -> bool:
    """Whether the tightest stop of a position came nearer: by a raise, or a cap that binds."""
    is_capped = after.is_entry_bar_adverse and not before.is_entry_bar_adverse
    if after.stop_atto == before.stop_atto and not is_capped:
        return False
    was, now = tightest_stop(before, setting), tightest_stop(after, setting)
    if was is None or now is None:
        return now is not None
    return is_tighter(now[0], was[0], after.direction)


def max_loss_stop(entry_atto: int, share_atto: int, setting: Setting, side: Direction) -> int:
    """Return where a loss of `share_atto` of the entry price is reached."""
    exact_atto = entry_atto * (ATTO - side * share_atto) // ATTO
    return stop_on_tick(exact_atto, setting.tick_atto, side)


def is_adverse(position: Position, bar: Bar) -> bool:
    """Whether a wide bar closed against the position."""
    if bar.open_atto is None:
        return False
    is_against = position.direction * (bar.close_atto - bar.open_atto) < 0
    return is_against and _width_atto(bar) > ENTRY_BAR_WIDE


def _levels(position: Position, bar: Bar | None, setting: Setting) -> list[Level]:
    """Return the stops in the order of their rules; the first of equal ones gives its name."""
    rules, levels = setting.config.exit, []
    if rules.max_loss_atto:
        share = _max_loss_share(position, bar, rules.max_loss_atto)
        stop = max_loss_stop(position.entry_atto, share, setting, position.direction)
        levels.append((stop, MAX_LOSS))
    if position.stop_atto is not None and (
        rules.is_initial_stop_watched or position.stop_atto != position.initial_stop_atto
    ):
        levels.append((position.stop_atto, position.stop_source))
    if position.signal_bar_atto is not None and rules.is_signal_bar_watched:
        stop = stop_on_tick(position.signal_bar_atto, setting.tick_atto, position.direction)
        levels.append((stop, SIGNAL_BAR))
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
