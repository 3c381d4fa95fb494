"""VEGAS as a kind: conditions vote, filters object, levels protect.

Needs whole candles with their volume. Warm once the slowest average is.
Source: specification of the pipeline, section 6 (VEGAS).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from runtime.atto import ATTO
from services.strategy.kinds import Kind, KindState
from services.strategy.terms import Bar, Direction, Point, Setting, Vote, Wish
from services.strategy.vegas import inputs as i
from services.strategy.vegas import levels
from services.strategy.vegas.conditions import votes_on
from services.strategy.vegas.filters import labels_of, reasons_against
from services.strategy.vegas.notes import notes_on
from services.strategy.vegas.rules import (
    SCHEMA,
    STOP_AND_REVERSE,
    Rules,
    check,
    periods_of,
    rules_of,
)
from services.strategy.vegas.view import NONE, Before, Emas, View, shape_of
from services.strategy.vegas.voting import decided, strength_of

NAME = "VEGAS"
HISTORY = 7_000
TIMEFRAME_HOUR_4 = 7  # As the contract numbers it.
EMA2, EMA5 = "ema2", "ema5"
CLOSE, HIGH, LOW = "close", "high", "low"


def _warm_after(parameters: Mapping[str, float | str]) -> int:
    return max(periods_of(parameters)[-1], i.WARM_AFTER)


def _prime(state: KindState, values: Mapping[str, float]) -> KindState:
    """Return the state with the averages of this bar; without them they are not known."""
    ema2, ema5 = values.get(i.EMAS[1]), values.get(i.EMAS[4])
    if ema2 is None or ema5 is None:
        return _without(state, EMA2, EMA5)
    return {**state, EMA2: ema2, EMA5: ema5}


def _remember(state: KindState, bar: Bar) -> KindState:
    """Return the state with the prices of this bar, the next one's bar before."""
    if bar.high_atto is None or bar.low_atto is None:
        return _without(state, CLOSE, HIGH, LOW)
    return {
        **state,
        CLOSE: bar.close_atto / ATTO,
        HIGH: bar.high_atto / ATTO,
        LOW: bar.low_atto / ATTO,
    }


def _without(state: KindState, *names: str) -> KindState:
    return {name: value for name, value in state.items() if name not in names}


def _before(state: KindState) -> Before | None:
    if CLOSE not in state:
        return None
    return Before(state[CLOSE], state[HIGH], state[LOW], state.get(EMA2), state.get(EMA5))


def view_of(setting: Setting, state: KindState, bar: Bar, point: Point) -> View:
    """Return what the rules look at."""
    values = point.values
    return View(
        bar=shape_of(bar),
        emas=Emas._make([values[name] for name in i.EMAS]),
        before=_before(state),
        values=values,
        is_four_hours=setting.config.timeframe == TIMEFRAME_HOUR_4,
    )


def _evaluate(
    setting: Setting, state: KindState, tail: Sequence[Bar], point: Point
) -> tuple[KindState, Wish | None]:
    bar, rules = tail[-1], rules_of(setting.config.parameters)
    view = view_of(setting, state, bar, point)
    votes = tuple(votes_on(view, rules.weights))
    side, support = decided(votes, support_min=rules.support_min, is_by_count=rules.is_by_count)
    state = _prime(state, point.values)
    if side is NONE:
        return state, Wish(NONE, 0.0, votes, labels=labels_of(view))
    strength = strength_of(support, rules.weights.values())
    return state, _wish(view, bar, (setting, rules), (side, strength), votes)


def _wish(
    view: View,
    bar: Bar,
    within: tuple[Setting, Rules],
    won: tuple[Direction, float],
    votes: tuple[Vote, ...],
) -> Wish:
    """Return the trade of the side that won, with everything that speaks against it."""
    (setting, rules), (side, strength) = within, won
    stop_atto, source = levels.stop_of(view, bar, setting, side, is_tight_on=rules.is_tight_stop_on)
    notes = notes_on(view, side) if rules.is_debug else ()
    return Wish(
        direction=side,
        strength=strength,
        votes=votes,
        stop_atto=stop_atto,
        stop_source=source,
        filters=reasons_against(view, side, rules.filters),
        targets=levels.targets_of(view, bar, setting, side),
        best_entry_atto=levels.best_entry_of(bar, setting, side),
        labels=(*labels_of(view), *notes),
        signal_bar_atto=levels.signal_bar_of(view, bar, side),
        move=view.values[i.ATR],
    )


def _is_reversing(parameters: Mapping[str, Any]) -> bool:
    return bool(parameters["mode"] == STOP_AND_REVERSE)


VEGAS = Kind(
    name=NAME,
    schema=SCHEMA,
    outputs=i.NEEDED,
    indicators=i.indicators,
    warm_after=_warm_after,
    check=check,
    prime=_prime,
    evaluate=_evaluate,
    is_reversing=_is_reversing,
    needs_range=True,
    remember=_remember,
    history=HISTORY,
)
