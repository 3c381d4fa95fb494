"""NWE with indicator values at hand, for the tests of its rules."""

from typing import Any

from runtime.atto import ATTO
from services.strategy.evaluation import Evaluation, evaluate
from services.strategy.kinds import KindState
from services.strategy.positions import FLAT
from services.strategy.registry import checked
from services.strategy.terms import (
    Bar,
    Config,
    Direction,
    Point,
    Proposal,
    Setting,
    Sizing,
    SizingWay,
)
from services.strategy.tests.mothers import TICK, bar

LONG, SHORT = Direction.LONG, Direction.SHORT
MINUTE_1 = 2

VALUES = {
    "envelope_lower": 99.0,
    "envelope_centre": 100.0,
    "envelope_upper": 101.0,
    "atr": 1.0,
    "stc": 10.0,
    "volume_ratio": 1.0,
    "ema12": 100.0,
    "ema144": 100.0,
    "ema169": 100.0,
    "parkinson48": 0.02,
    "parkinson288": 0.01,
    "hammer_hammer": 1.0,
    "hammer_hanging_man": 0.0,
}
"""Everything confirms a long."""

BACK_INSIDE = bar(1, 99.2, open_=99.1, high=99.3, low=98.8)
"""Looked below the lower band, closed above it."""


def setting(**parameters: float | str) -> Setting:
    """NWE with these parameters, sized by quantity."""
    way = SizingWay.TARGET_POSITION
    if parameters.get("mode") == "AS_SIZED":
        way = SizingWay.QUANTITY
    config = Config("NWE", "main", MINUTE_1, parameters, Sizing(way, 10 * ATTO))
    return Setting(checked(config), TICK, ATTO)


def decided(
    one: Bar = BACK_INSIDE,
    within: Setting | None = None,
    state: KindState | None = None,
    **values: float,
) -> Evaluation:
    """What NWE decides after a bar; `values` replace those of the point."""
    point = Point(VALUES | values, is_warm=True)
    return evaluate(within or setting(), state or {}, [one], point, FLAT)[1]


def signal(*arguments: Any, **values: Any) -> Proposal:
    """The one signal of that decision."""
    (proposal,) = decided(*arguments, **values).proposals
    return proposal
