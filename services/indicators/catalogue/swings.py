"""Swings of the market. A flag is 1 or -1 on the bar on which it is, else 0."""

from services.indicators import kernels
from services.indicators.catalogue.definition import (
    PERIOD_MAX,
    Definition,
    Needs,
    Output,
    Parameter,
    Setup,
    period,
    settled_wilder,
    share,
)

_SPAN_MAX = PERIOD_MAX // 2


def _pivots(span: float) -> int:
    return 2 * (2 * int(span) + 2)  # Of highs and of lows, each a count and a ring.


def _levels(move: str) -> tuple[Output, ...]:
    none = f"no {move} pivot is confirmed yet"
    return (
        Output(f"{move}_trend", "Prevailing side: 1, -1, or 0 before the first break."),
        Output(f"{move}_bos", "Break with the side, or the first of all: 1 up, -1 down, else 0."),
        Output(f"{move}_choch", "Break against the side: 1 up, -1 down, else 0."),
        Output(f"{move}_high", "Last confirmed pivot high.", absence=none),
        Output(f"{move}_low", "Last confirmed pivot low.", absence=none),
    )


def _warm_equal(setup: Setup) -> int:
    return max(2 * int(setup[0]) + 1, int(setup[2]) + 1)


SWINGS = (
    Definition(
        kind="LEG",
        parameters=period(5),
        outputs=(
            Output("direction", "1 up, -1 down, 0 before the first new extreme."),
            Output("is_new", "1 on the bar on which the direction changed, else 0."),
        ),
        needs=Needs.RANGE,
        kernel=kernels.leg,
        state=lambda p: [0.0] * (3 + 2 * (int(p[0]) + 3)),
        warm_after=lambda p: int(p[0]) + 1,
        settled_after=lambda p: int(p[0]) + 1,
        warm_up="n + 1",
        text="Up since a high above those of the n bars before it, down since a low below theirs. "
        "A bar that makes both goes where it closes, seen from the close before.",
    ),
    Definition(
        kind="STRUCTURE",
        parameters=(
            Parameter("swing", 12, maximum=_SPAN_MAX),
            Parameter("internal", 2, maximum=_SPAN_MAX),
            share("threshold", 0.015),
        ),
        outputs=(*_levels("swing"), *_levels("internal")),
        needs=Needs.RANGE,
        kernel=kernels.structure,
        state=lambda p: [0.0] * (11 + _pivots(p[0]) + _pivots(p[1])),
        warm_after=lambda p: 2 * int(p[0]) + 1,
        settled_after=lambda p: 2 * int(p[0]) + 1,
        warm_up="2 swing + 1",
        text="A pivot high is above the highs of the `swing` (or `internal`) bars after it and not "
        "below those before it; it is confirmed by the last of them. The first close beyond it "
        "by the share `threshold` breaks it, once, and makes its side the prevailing one.",
        rising=("internal", "swing"),
    ),
    Definition(
        kind="EQUAL_LEVELS",
        parameters=(
            Parameter("span", 3, maximum=_SPAN_MAX),
            share("tolerance", 0.1),
            Parameter("atr", 14),
        ),
        outputs=(
            Output("equal_highs", "1 on the bar that confirms the second pivot high, else 0."),
            Output("equal_lows", "1 on the bar that confirms the second pivot low, else 0."),
            Output("high", "Mean of the last two equal highs.", absence="there were none yet"),
            Output("low", "Mean of the last two equal lows.", absence="there were none yet"),
        ),
        needs=Needs.RANGE,
        kernel=kernels.equal_levels,
        state=lambda p: [0.0] * (7 + _pivots(p[0])),
        warm_after=_warm_equal,
        settled_after=lambda p: settled_wilder((p[2],)) + 2 * int(p[0]),
        warm_up="max(2 span + 1, atr + 1)",
        text="Two pivots in a row (as in STRUCTURE, over `span` bars) not further apart than "
        "tolerance times ATR(atr).",
    ),
    Definition(
        kind="FIB",
        parameters=(Parameter("n", 96, minimum=2), share("shallow", 0.328), share("deep", 0.618)),
        outputs=(
            Output("high", "Highest price of the n bars."),
            Output("low", "Lowest price of the n bars."),
            Output("direction", "1 if the high is the newer, else -1.", absence="flat"),
            Output("zone_low", "Lower end of the zone.", absence="flat"),
            Output("zone_high", "Upper end of the zone.", absence="flat"),
            Output("retracement", "Share of the swing that the close took back.", absence="flat"),
        ),
        needs=Needs.RANGE,
        kernel=kernels.fib,
        state=lambda p: [0.0] * (1 + 2 * (int(p[0]) + 3)),
        warm_after=lambda p: int(p[0]),
        settled_after=lambda p: int(p[0]),
        warm_up="n",
        text="The swing of the last n bars and where `shallow` to `deep` of it are taken back: "
        "below the high of an upward swing, above the low of a downward one.",
        rising=("shallow", "deep"),
    ),
)
