"""Stop and targets of a trade back into the envelope."""

from collections.abc import Mapping
from math import tanh

from runtime.atto import ATTO
from services.strategy.envelope import rules as r
from services.strategy.terms import Bar, Direction, Setting, Target
from services.strategy.ticks import entry_on_tick, stop_at_distance

TIER = "TIER"
TIERS = ((1.5, 0.0), (2.0, 0.0), (5.0, 1.0))
"""Multiples of the stop distance, and the share closed there: the first two raise the stop."""
STOP_MIN, STOP_MAX = 0.3, 3.0


def stop_multiple(parameters: r.Parameters, values: Mapping[str, float]) -> float:
    """Return k, how many average true ranges away the stop lies.

    With the dynamic option it grows while the market of late moves more than before.
    """
    multiple = float(parameters["stop_atr"])
    if not r.is_on(parameters, "dynamic_stop"):
        return multiple
    before = values[r.LONG_PARKINSON]
    change = values[r.SHORT_PARKINSON] / before - 1.0 if before else 0.0
    scaled = multiple * (1.0 + tanh(change) * float(parameters["stop_gain"]))
    return min(max(scaled, STOP_MIN), STOP_MAX)


def stop_of(setting: Setting, bar: Bar, values: Mapping[str, float], side: Direction) -> int:
    """Return the stop, k average true ranges behind the close."""
    distance = stop_multiple(setting.config.parameters, values) * values[r.ATR]
    return stop_at_distance(bar.close_atto, distance, setting.tick_atto, side)


def targets_of(setting: Setting, bar: Bar, stop_atto: int, side: Direction) -> tuple[Target, ...]:
    """Return the tiers, the single target, or none."""
    parameters = setting.config.parameters
    if parameters["targets"] == r.NONE:
        return ()
    is_single = parameters["targets"] == r.SINGLE
    multiples = ((float(parameters["target_ratio"]), 1.0),) if is_single else TIERS
    entry_atto = entry_on_tick(bar.close_atto, setting.tick_atto, side)
    distance_atto = abs(entry_atto - stop_atto)
    return tuple(
        Target(entry_atto + side * (distance_atto * round(multiple * ATTO) // ATTO), TIER, share)
        for multiple, share in multiples
    )
