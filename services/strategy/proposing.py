"""What a wish and an exit come to as signals, and the position with its stops.

Source: specification of the pipeline, section 6 (T3, T4, T7).
"""

from dataclasses import replace

from services.strategy.exits import Exit, Exits, max_loss_stop, raised_to, tightest_stop
from services.strategy.exits.stops import MAX_LOSS, SIGNAL_BAR, is_tightened
from services.strategy.positions import Position
from services.strategy.registry import kind_of
from services.strategy.sizing import sized
from services.strategy.targeting import Seen, targets_of
from services.strategy.terms import (
    Action,
    Bar,
    Direction,
    Proposal,
    Setting,
    Sizing,
    SizingWay,
    Vote,
    Wish,
)
from services.strategy.ticks import entry_on_tick, is_tighter, stop_on_tick

TARGET = SizingWay.TARGET_POSITION
FLATTEN = "FLATTEN"
EXIT_STRENGTH = 1.0  # A stop that was touched is not a matter of degree.


def proposals_of(
    exits: Exits, wish: Wish | None, seen: Seen, setting: Setting
) -> tuple[list[Proposal], Position]:
    """Return what to signal, the exit first, and the position with its stops."""
    position, bar = exits.position, seen.bar
    wanted = _wanted(wish, exits, seen, setting) if wish else None
    proposals = [wanted] if wanted is not None else []
    if wanted is not None and takes_off(wanted, position):
        return proposals, position  # Its stops no longer matter, nor does an exit of this bar.
    if exits.exit is not None and exits.exit.is_whole:
        return [_closing(position, exits.exit, bar, setting), *proposals], position
    if setting.is_flattening and position.quantity_atto and not position.is_leaving(bar.close_ns):
        return [closing_all(position, bar, setting), *proposals], position
    if exits.exit is not None:
        proposals.insert(0, _closing(position, exits.exit, bar, setting))
    tightened = _tightened(position, wish, bar) if wish else position
    is_nearer = tightened is not position and is_tightened(position, tightened, setting)
    if is_nearer or exits.is_raised:
        proposals.append(_adjusting(tightened, bar, setting))
    return proposals, tightened


def takes_off(proposal: Proposal, position: Position) -> bool:
    """Whether a signal alone ends what is held: it closes it, or turns it round."""
    if not proposal.is_published or position.direction is Direction.NONE:
        return False
    if proposal.action is Action.CLOSE:
        return True
    is_opposite = proposal.action is Action.OPEN and proposal.direction == -position.direction
    is_to_end_at = proposal.sizing is not None and proposal.sizing.way is TARGET
    return is_opposite and is_to_end_at


def _wanted(wish: Wish, exits: Exits, seen: Seen, setting: Setting) -> Proposal | None:
    """Return the wish as a signal, with every reason against it."""
    bar = seen.bar
    if wish.direction is Direction.NONE:
        return _leaving(wish, exits, bar, setting) if wish.closes else None
    entry_atto = entry_on_tick(bar.close_atto, setting.tick_atto, wish.direction)
    stop_atto, source = _initial_stop(wish, entry_atto, setting)
    targets, dropped = targets_of(wish, entry_atto, seen, setting)
    return Proposal(
        action=Action.OPEN,
        direction=wish.direction,
        strength=wish.strength,
        votes=wish.votes,
        entry_atto=entry_atto,
        stop_atto=stop_atto,
        stop_source=source,
        sizing=sized(setting, entry_atto, wish.direction),
        filters=(*wish.filters, *_against_opening(wish, exits, bar, setting)),
        targets=targets,
        dropped=dropped,
        best_entry_atto=wish.best_entry_atto,
        labels=wish.labels,
        signal_bar_atto=wish.signal_bar_atto,
    )


def _initial_stop(wish: Wish, entry_atto: int, setting: Setting) -> tuple[int | None, str]:
    """Return the stop of an opening signal: the kind's own, or that at its bar if nearer."""
    rules, side = setting.config.exit, wish.direction
    if not rules.is_initial_stop_watched:
        return max_loss_stop(entry_atto, rules.max_loss_atto, setting, side), MAX_LOSS
    stop_atto, source = wish.stop_atto, wish.stop_source
    if wish.signal_bar_atto is None or not rules.is_signal_bar_watched:
        return stop_atto, source
    at_bar_atto = stop_on_tick(wish.signal_bar_atto, setting.tick_atto, side)
    is_behind = side * (entry_atto - at_bar_atto) > 0
    if is_behind and (stop_atto is None or is_tighter(at_bar_atto, stop_atto, side)):
        return at_bar_atto, SIGNAL_BAR
    return stop_atto, source


def _against_opening(wish: Wish, exits: Exits, bar: Bar, setting: Setting) -> list[str]:
    position, reasons = exits.position, []
    if wish.direction is position.direction and _is_full(position, setting):
        reasons.append("ALREADY_HELD")
    is_same_side = wish.direction is position.direction
    if position.is_leaving(bar.close_ns) or (exits.exit is not None and is_same_side):
        reasons.append("EXIT_PENDING")
    if setting.is_paused:
        reasons.append("PAUSED")
    return reasons


def _is_full(position: Position, setting: Setting) -> bool:
    """Whether a repeated signal opens nothing; a position to end at is reached by the first."""
    config = setting.config
    is_reversing = kind_of(config.kind).is_reversing(config.parameters)
    return is_reversing or position.entries >= config.max_entries


def _leaving(wish: Wish, exits: Exits, bar: Bar, setting: Setting) -> Proposal | None:
    """Return the wish to be out of one side; an exit of this bar does that already."""
    position = exits.position
    is_held = position.direction is wish.closes
    if exits.exit is not None and (exits.exit.is_whole or not is_held):
        return None
    reasons = () if is_held else ("NOTHING_HELD",)
    if is_held and position.is_leaving(bar.close_ns):
        reasons = ("EXIT_PENDING",)
    return Proposal(
        action=Action.CLOSE,
        direction=wish.closes,
        strength=wish.strength,
        votes=wish.votes,
        entry_atto=_mark(bar, setting),
        filters=(*wish.filters, *reasons),
    )


def closing_all(position: Position, bar: Bar, setting: Setting) -> Proposal:
    """Return the signal that closes a position because the strategy is to stop."""
    return Proposal(
        action=Action.CLOSE,
        direction=position.direction,
        strength=EXIT_STRENGTH,
        votes=(_own_vote(FLATTEN, position),),
        entry_atto=_mark(bar, setting),
    )


def _closing(position: Position, found: Exit, bar: Bar, setting: Setting) -> Proposal:
    return Proposal(
        action=Action.CLOSE,
        direction=position.direction,
        strength=EXIT_STRENGTH,
        votes=(_own_vote(found.source, position),),
        entry_atto=_mark(bar, setting),
        stop_atto=None if found.target else found.level_atto,
        stop_source="" if found.target else found.source,
        sizing=None if found.is_whole else Sizing(SizingWay.QUANTITY, found.quantity_atto or 0),
        targets=(found.target,) if found.target else (),
    )


def _adjusting(position: Position, bar: Bar, setting: Setting) -> Proposal:
    stop_atto, source = tightest_stop(position, setting) or (None, "")
    return Proposal(
        action=Action.ADJUST_STOP,
        direction=position.direction,
        strength=EXIT_STRENGTH,
        votes=(_own_vote(source, position),),
        entry_atto=_mark(bar, setting),
        stop_atto=stop_atto,
        stop_source=source,
    )


def _tightened(position: Position, wish: Wish, bar: Bar) -> Position:
    """Return the position after a signal of its own side: its stop may only come nearer."""
    if wish.stop_atto is None or wish.direction is not position.direction:
        return position
    if position.is_leaving(bar.close_ns):
        return position
    return raised_to(position, wish.stop_atto, wish.stop_source)


def _own_vote(rule: str, position: Position) -> Vote:
    return Vote(rule, position.direction)


def _mark(bar: Bar, setting: Setting) -> int:
    """Return the close on tick: the price the decision was made at."""
    return entry_on_tick(bar.close_atto, setting.tick_atto, Direction.LONG)


def marked_leaving(position: Position, signal_id: str, until_ns: int) -> Position:
    """Return a position that a published signal is about to take off."""
    return replace(position, leaving_signal_id=signal_id, leaving_until_ns=until_ns)
