"""EMA_CROSS: follows the crossing of a fast and a slow exponential average.

d = fast - slow. When the sign of d differs from that of the last d that was not zero, the
strategy turns to the side of d; d = 0 keeps the side. Needs closes only.
Source: specification of the pipeline, section 6 (EMA_CROSS).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from services.strategy.kinds import IndicatorNeed, Kind, KindState
from services.strategy.parameters import Choice, Whole, refused
from services.strategy.terms import (
    Bar,
    Config,
    Direction,
    Point,
    Setting,
    SizingWay,
    StrategyRefused,
    Vote,
    Wish,
)
from services.strategy.ticks import stop_at_distance

STOP_AND_REVERSE, LONG_ONLY = "STOP_AND_REVERSE", "LONG_ONLY"
NAME = "EMA_CROSS"
FAST, SLOW, MOVE = "fast", "slow", "move"
MOVE_BARS = 14
ATR_MULTIPLE, ABS_MOVE_MULTIPLE = 1.5, 2.0
SIGN = "sign"  # Of the last d that was not zero; absent before there was one.


def _indicators(parameters: Mapping[str, float | str], has_range: bool) -> list[IndicatorNeed]:
    return [
        IndicatorNeed(FAST, "EMA", {"n": float(parameters[FAST])}),
        IndicatorNeed(SLOW, "EMA", {"n": float(parameters[SLOW])}),
        IndicatorNeed(MOVE, "ATR" if has_range else "ABS_MOVE", {"n": float(MOVE_BARS)}),
    ]


def _warm_after(parameters: Mapping[str, float | str]) -> int:
    return max(int(parameters[SLOW]), MOVE_BARS + 1)


def _check(config: Config) -> None:
    fast, slow = (float(config.parameters[name]) for name in (FAST, SLOW))
    if fast >= slow:
        raise refused("fast", f"{fast:g}", f"less than slow, {slow:g}")
    is_reversing = config.parameters["mode"] == STOP_AND_REVERSE
    if is_reversing and config.sizing.way is SizingWay.RISK_SHARE:
        raise StrategyRefused(
            "SIZING_INVALID",
            "sizing is a risk_share, which says nothing about the position to end at: "
            "STOP_AND_REVERSE needs target_position, quantity or notional",
            field="sizing",
        )


def _prime(state: KindState, values: Mapping[str, float]) -> KindState:
    """Return the state after one earlier point, whatever of it was warm."""
    if FAST not in values or SLOW not in values:
        return state
    sign = _sign(values[FAST] - values[SLOW])
    return {SIGN: sign} if sign and sign != state.get(SIGN) else state


def _evaluate(
    setting: Setting, state: KindState, tail: Sequence[Bar], point: Point
) -> tuple[KindState, Wish | None]:
    bar, before = tail[-1], state.get(SIGN)
    state = _prime(state, point.values)
    sign = state.get(SIGN)
    if before is None or sign == before:
        return state, None
    difference, move = point.values[FAST] - point.values[SLOW], point.values[MOVE]
    side = Direction(int(sign or 0))
    vote = Vote("EMA_CROSS", side)
    strength = min(1.0, abs(difference) / move) if move else 1.0
    if side is Direction.SHORT and setting.config.parameters["mode"] == LONG_ONLY:
        return state, Wish(Direction.NONE, strength, (vote,), closes=Direction.LONG)
    multiple = ATR_MULTIPLE if setting.has_range else ABS_MOVE_MULTIPLE
    stop_atto = stop_at_distance(bar.close_atto, multiple * move, setting.tick_atto, side)
    source = "ATR" if setting.has_range else "ABS_MOVE"
    return state, Wish(side, strength, (vote,), stop_atto, source, move=move)


def _sign(value: float) -> int:
    return (value > 0) - (value < 0)


def _is_reversing(parameters: Mapping[str, Any]) -> bool:
    return bool(parameters["mode"] == STOP_AND_REVERSE)


EMA_CROSS = Kind(
    name=NAME,
    schema=(
        Whole(FAST, 12, 1, 5_000),
        Whole(SLOW, 26, 2, 5_000),
        Choice("mode", (STOP_AND_REVERSE, LONG_ONLY)),
    ),
    outputs=(FAST, SLOW, MOVE),
    indicators=_indicators,
    warm_after=_warm_after,
    check=_check,
    prime=_prime,
    evaluate=_evaluate,
    is_reversing=_is_reversing,
)
