"""NWE as a kind: a close back inside the envelope after a look outside it.

Long when the bar before closed below the lower band or this one reached below it, and this
one closed at or above the band and below the centre; short mirrored with the same strictness.
Source: specification of the pipeline, section 6 (NWE).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runtime.atto import ATTO
from services.strategy.envelope import rules as r
from services.strategy.envelope.confirming import reasons_against, votes_of
from services.strategy.envelope.levels import stop_of, targets_of
from services.strategy.kinds import Kind, KindState
from services.strategy.terms import Bar, Direction, Point, Setting, Wish

NAME = "NWE"
CLOSE = "close"
RANGE_BARS = 20
RANGES = tuple(f"range{age}" for age in range(RANGE_BARS))  # Newest first.
SCALE_MIN, SCALE_MAX = 0.6, 2.0


@dataclass(frozen=True, slots=True)
class Envelope:
    """The band around the centre, in price units."""

    lower: float
    centre: float
    upper: float


def envelope_of(setting: Setting, state: KindState, values: Mapping[str, float]) -> Envelope | None:
    """Return the envelope; None while its scale needs ranges of bars that were not seen yet."""
    lower, centre, upper = (values[name] for name in (r.LOWER, r.CENTRE, r.UPPER))
    if not r.is_on(setting.config.parameters, "scaled_envelope"):
        return Envelope(lower, centre, upper)
    ranges = [state[name] for name in RANGES if name in state]
    if len(ranges) < RANGE_BARS:
        return None
    mean = sum(ranges) / RANGE_BARS
    exact = 1.0 + 0.5 * (values[r.ATR] / mean - 1.0) if mean else SCALE_MAX
    scale = min(max(exact, SCALE_MIN), SCALE_MAX)
    return Envelope(centre - (centre - lower) * scale, centre, centre + (upper - centre) * scale)


def side_of(envelope: Envelope, before: float | None, bar: Bar) -> Direction:
    """Return the side of a bar that came back into the envelope; `before` closed before it."""
    close = bar.close_atto / ATTO
    low, high = (bar.extreme(side) / ATTO for side in (Direction.SHORT, Direction.LONG))
    was_below = low < envelope.lower or (before is not None and before < envelope.lower)
    was_above = high > envelope.upper or (before is not None and before > envelope.upper)
    if was_below and envelope.lower <= close < envelope.centre:
        return Direction.LONG
    if was_above and envelope.upper >= close > envelope.centre:
        return Direction.SHORT
    return Direction.NONE


def _evaluate(
    setting: Setting, state: KindState, tail: Sequence[Bar], point: Point
) -> tuple[KindState, Wish | None]:
    bar, values, parameters = tail[-1], point.values, setting.config.parameters
    state = _with_range(state, bar) if r.is_on(parameters, "scaled_envelope") else state
    envelope = envelope_of(setting, state, values)
    side = side_of(envelope, state.get(CLOSE), bar) if envelope else Direction.NONE
    if envelope is None or side is Direction.NONE:
        return state, None
    stop_atto = stop_of(setting, bar, values, side)
    return state, Wish(
        direction=side,
        strength=_strength(envelope, side, bar),
        votes=votes_of(parameters, values, side),
        stop_atto=stop_atto,
        stop_source="ATR",
        filters=reasons_against(parameters, values, side),
        targets=targets_of(setting, bar, stop_atto, side),
        move=values[r.ATR],
    )


def _strength(envelope: Envelope, side: Direction, bar: Bar) -> float:
    """Return how far the way back to the centre is, as a share of the half-width."""
    edge = envelope.lower if side is Direction.LONG else envelope.upper
    whole = abs(envelope.centre - edge)
    return min(1.0, abs(envelope.centre - bar.close_atto / ATTO) / whole) if whole else 0.0


def _with_range(state: KindState, bar: Bar) -> KindState:
    """Return the state with the range of one more bar, and those of the 19 before it."""
    if bar.high_atto is None or bar.low_atto is None:
        return state
    aged = {RANGES[n + 1]: state[RANGES[n]] for n in range(RANGE_BARS - 1) if RANGES[n] in state}
    return {**state, **aged, RANGES[0]: (bar.high_atto - bar.low_atto) / ATTO}


def _prime(state: KindState, values: Mapping[str, float]) -> KindState:
    return state  # Nothing of earlier points matters: the envelope never repaints.


def _remember(state: KindState, bar: Bar) -> KindState:
    return {**state, CLOSE: bar.close_atto / ATTO}


def _is_reversing(parameters: Mapping[str, Any]) -> bool:
    return bool(parameters["mode"] == r.STOP_AND_REVERSE)


NWE = Kind(
    name=NAME,
    schema=r.SCHEMA,
    outputs=(r.UPPER, r.CENTRE, r.LOWER, r.ATR),
    indicators=r.indicators,
    warm_after=r.warm_after,
    check=r.check,
    prime=_prime,
    evaluate=_evaluate,
    is_reversing=_is_reversing,
    needs_range=True,
    remember=_remember,
    needed=r.needed,
)
