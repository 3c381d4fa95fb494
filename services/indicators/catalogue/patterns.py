"""Shapes of one, two or three bars. A shape is 1 where it is and 0 where it is not."""

from services.indicators import kernels
from services.indicators.catalogue.definition import Definition, Needs, Output, always, share

_NO_RANGE = "the bar has no range"

PATTERNS = (
    Definition(
        kind="ENGULFING",
        parameters=(share("body", 0.4),),
        outputs=(
            Output("bullish", "1 or 0.", absence=_NO_RANGE),
            Output("bearish", "1 or 0.", absence=_NO_RANGE),
        ),
        needs=Needs.RANGE,
        kernel=kernels.engulfing,
        state=always(5),
        warm_after=lambda p: 2,
        settled_after=lambda p: 2,
        warm_up="2",
        text="Bullish: the bar before fell, this one opens below its open or goes below its low, "
        "and closes above its open and its high, with |close - open| / range > body. "
        "Bearish: mirrored.",
    ),
    Definition(
        kind="HAMMER",
        parameters=(share("shadow", 0.6),),
        outputs=(
            Output("hammer", "1 or 0.", absence=_NO_RANGE),
            Output("hanging_man", "1 or 0.", absence=_NO_RANGE),
        ),
        needs=Needs.RANGE,
        kernel=kernels.hammer,
        state=always(1),
        warm_after=lambda p: 1,
        settled_after=lambda p: 1,
        warm_up="1",
        text="Hammer: lower shadow / range > shadow, and longer than the upper one. Hanging man: "
        "the same of the upper shadow.",
    ),
    Definition(
        kind="FVG",
        parameters=(),
        outputs=(
            Output("bullish", "1 where low > high two bars before, else 0."),
            Output("bearish", "1 where high < low two bars before, else 0."),
            Output("top", "Upper end of the gap that this bar left.", absence="it left none"),
            Output("bottom", "Lower end of it.", absence="it left none"),
        ),
        needs=Needs.RANGE,
        kernel=kernels.fvg,
        state=always(5),
        warm_after=lambda p: 3,
        settled_after=lambda p: 3,
        warm_up="3",
        text="Fair value gap: prices between this bar and the one two before at which neither "
        "traded.",
    ),
)
