"""What a strategy decides after one bar: pure, the same live, in replays and in backtests.

    evaluate(setting, state, tail, point, position) -> (state, evaluation)

Source: specification of the pipeline, section 6 (T1, T3, T4, T7).
"""

from collections.abc import Sequence
from typing import NamedTuple

from services.strategy.exits import Exit, Exits, evaluate_exits
from services.strategy.kinds import Kind, KindState
from services.strategy.positions import Position
from services.strategy.proposing import proposals_of
from services.strategy.registry import kind_of
from services.strategy.runs import run_after
from services.strategy.targeting import Seen, with_indicator_target
from services.strategy.terms import Bar, Outcome, Point, Proposal, Setting, Vote, Wish


class Evaluation(NamedTuple):  # One is made for every candle: this is the cheapest value.
    """What came of one bar; `position` holds the stops from the next bar on."""

    outcome: Outcome
    position: Position
    votes: tuple[Vote, ...] = ()
    labels: tuple[str, ...] = ()
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
    lack = _lack(kind, point, setting)
    wish: Wish | None = None
    run_state = state
    if point is not None and lack is None:
        state, wish = kind.evaluate(setting, state, tail, point)
    else:
        state = kind.prime(state, point.values if point else {})
    if setting.config.exit.is_pull_back_on:
        state = {**state, **run_after(run_state, bar)}
    proposals: Sequence[Proposal] = ()
    held = exits.position
    if wish is not None or exits.has_news or setting.is_flattening:  # Not so after most bars.
        proposals, held = proposals_of(exits, wish, Seen(bar, point, state), setting)
    if point is not None and setting.config.exit.indicator_target:
        held = with_indicator_target(held, point, setting)
    return kind.remember(state, bar), Evaluation(
        outcome=_outcome(proposals, lack),
        position=held,
        votes=wish.votes if wish else (),
        labels=wish.labels if wish else (),
        proposals=tuple(proposals),
        exit=exits.exit,
        is_intrabar_unknown=exits.is_intrabar_unknown,
    )


def _exits(position: Position, bar: Bar, setting: Setting) -> Exits:
    """Return what the bar means for the position; one that is being left is left alone."""
    if position.is_leaving(bar.close_ns):
        return Exits(position)
    return evaluate_exits(position, bar, setting)


def _lack(kind: Kind, point: Point | None, setting: Setting) -> Outcome | None:
    if point is None:
        return Outcome.INPUT_MISSING
    if not point.is_warm:
        return Outcome.NOT_WARM
    is_lacking = kind.lacking(setting.config.parameters, point.values)
    return Outcome.INPUT_MISSING if is_lacking else None


def _outcome(proposals: Sequence[Proposal], lack: Outcome | None) -> Outcome:
    if proposals and any(proposal.is_published for proposal in proposals):
        return Outcome.SIGNALLED
    if lack is not None:
        return lack
    return Outcome.FILTERED if proposals else Outcome.NOTHING
