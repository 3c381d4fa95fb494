"""What a strategy decides after one bar: pure, the same live, in replays and in backtests.

    evaluate(setting, state, tail, point, position) -> (state, evaluation)

Source: specification of the pipeline, section 6 (T1, T3, T4, T7).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from services.strategy.exits import Exit, Exits, evaluate_exits, max_loss_stop, raised_to
from services.strategy.kinds import Kind, KindState
from services.strategy.positions import Position
from services.strategy.registry import kind_of
from services.strategy.sizing import sized
from services.strategy.terms import (
    Action,
    Bar,
    Direction,
    Outcome,
    Point,
    Proposal,
    Setting,
    SizingWay,
    Vote,
    Wish,
)
from services.strategy.ticks import entry_on_tick

TARGET = SizingWay.TARGET_POSITION
FLATTEN = "FLATTEN"
EXIT_STRENGTH = 1.0  # A stop that was touched is not a matter of degree.


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What came of one bar; `position` holds the stops from the next bar on."""

    outcome: Outcome
    position: Position
    votes: tuple[Vote, ...] = ()
    proposals: tuple[Proposal, ...] = ()
    exit: Exit | None = None
    is_intrabar_unknown: bool = False


def evaluate(
    setting: Setting,
    state: KindState,
    tail: Sequence[Bar],
    point: Point | None,
    position: Position,
) -> tuple[KindState, Evaluation]:
    """Return what to remember and what to do after the last bar of `tail`.

    Exits are looked at whatever the indicators say. Without a point, or when a needed value
    is missing or not warm, nothing is opened: NOT_WARM or INPUT_MISSING.
    """
    kind, bar = kind_of(setting.config.kind), tail[-1]
    exits = _exits(position, bar, setting)
    lack = _lack(kind, point)
    wish: Wish | None = None
    if point is not None:
        if lack is None:
            state, wish = kind.evaluate(setting, state, tail, point)
        else:
            state = kind.prime(state, point.values)
    proposals, held = _proposals(exits, wish, bar, setting)
    return state, Evaluation(
        outcome=_outcome(proposals, lack),
        position=held,
        votes=wish.votes if wish else (),
        proposals=tuple(proposals),
        exit=exits.exit,
        is_intrabar_unknown=exits.is_intrabar_unknown,
    )


def _exits(position: Position, bar: Bar, setting: Setting) -> Exits:
    """Return what the bar means for the position; one that is being left is left alone."""
    if position.is_leaving(bar.close_ns):
        return Exits(position)
    return evaluate_exits(position, bar, setting)


def _lack(kind: Kind, point: Point | None) -> Outcome | None:
    if point is None:
        return Outcome.INPUT_MISSING
    if not point.is_warm:
        return Outcome.NOT_WARM
    is_complete = all(name in point.values for name in kind.outputs)
    return None if is_complete else Outcome.INPUT_MISSING


def _outcome(proposals: Sequence[Proposal], lack: Outcome | None) -> Outcome:
    if proposals and any(proposal.is_published for proposal in proposals):
        return Outcome.SIGNALLED
    if lack is not None:
        return lack
    return Outcome.FILTERED if proposals else Outcome.NOTHING


def _proposals(
    exits: Exits, wish: Wish | None, bar: Bar, setting: Setting
) -> tuple[list[Proposal], Position]:
    """Return what to signal, the exit first, and the position with its stops."""
    position = exits.position
    wanted = _wanted(wish, exits, bar, setting) if wish else None
    proposals = [wanted] if wanted is not None else []
    if wanted is not None and takes_off(wanted, position):
        return proposals, position  # Its stops no longer matter, nor does an exit of this bar.
    if exits.exit is not None:
        return [_closing(position, exits.exit, bar, setting), *proposals], position
    if setting.is_flattening and position.quantity_atto and not position.is_leaving(bar.close_ns):
        return [closing_all(position, bar, setting), *proposals], position
    tightened = _tightened(position, wish, bar) if wish else position
    if tightened is not position or exits.is_raised:
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


def _wanted(wish: Wish, exits: Exits, bar: Bar, setting: Setting) -> Proposal | None:
    """Return the wish as a signal, with every reason against it."""
    if wish.direction is Direction.NONE:
        return _leaving(wish, exits, bar, setting)
    entry_atto = entry_on_tick(bar.close_atto, setting.tick_atto, wish.direction)
    rules = setting.config.exit
    stop_atto, source = wish.stop_atto, wish.stop_source
    if not rules.is_initial_stop_watched:
        stop_atto = max_loss_stop(entry_atto, rules.max_loss_atto, setting, wish.direction)
        source = "MAX_LOSS"
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
        targets=wish.targets,
        best_entry_atto=wish.best_entry_atto,
        labels=wish.labels,
        signal_bar_atto=wish.signal_bar_atto,
    )


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
    if exits.exit is not None:
        return None
    is_held = position.direction is wish.closes
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
        stop_atto=found.level_atto,
        stop_source=found.source,
    )


def _adjusting(position: Position, bar: Bar, setting: Setting) -> Proposal:
    return Proposal(
        action=Action.ADJUST_STOP,
        direction=position.direction,
        strength=EXIT_STRENGTH,
        votes=(_own_vote(position.stop_source, position),),
        entry_atto=_mark(bar, setting),
        stop_atto=position.stop_atto,
        stop_source=position.stop_source,
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
