"""What moves between bounds, and ratios."""

from math import ceil

from services.indicators import kernels
from services.indicators.catalogue.definition import (
    SEED_FADES_AFTER,
    Definition,
    Needs,
    Output,
    Parameter,
    Setup,
    always,
    period,
    settled_ema,
    settled_wilder,
)


def _settled_kdj(setup: Setup) -> int:
    # A weight of 1/k is that of EMA(2k - 1).
    return int(setup[0]) + ceil(SEED_FADES_AFTER * 2 * (setup[1] + setup[2]))


OSCILLATORS = (
    Definition(
        kind="RSI",
        parameters=period(9),
        outputs=(Output("rsi", "0 to 100."),),
        needs=Needs.CLOSE,
        kernel=kernels.rsi,
        state=always(4),
        warm_after=lambda p: int(p[0]) + 1,
        settled_after=settled_wilder,
        warm_up="n + 1",
        text="Wilder's relative strength, 0 to 100: 100 without losses, 50 without any move.",
    ),
    Definition(
        kind="KDJ",
        parameters=(Parameter("n", 9), Parameter("k", 3), Parameter("d", 3)),
        outputs=(
            Output("k", "0 to 100."),
            Output("d", "0 to 100."),
            Output("j", "3 K - 2 D; may leave 0 to 100."),
        ),
        needs=Needs.RANGE,
        kernel=kernels.kdj,
        state=lambda p: [0.0] * (3 + 2 * kernels.room(int(p[0]))),
        warm_after=lambda p: int(p[0]),
        settled_after=_settled_kdj,
        warm_up="n",
        text="Place of the close between the extremes of n bars, moved by 1/k into K, K by 1/d "
        "into D, both from 50 on. Without a range K stays; flat: 50.",
    ),
    Definition(
        kind="STC",
        parameters=(
            Parameter("fast", 23),
            Parameter("slow", 50),
            Parameter("cycle", 10),
            Parameter("d1", 3),
            Parameter("d2", 3),
        ),
        outputs=(Output("stc", "0 to 100."),),
        needs=Needs.CLOSE,
        kernel=kernels.stc,
        state=lambda p: [0.0] * (9 + 2 * (1 + 2 * kernels.room(int(p[2])))),
        warm_after=lambda p: int(p[1] + 2 * (p[2] - 1) + p[3] + p[4]) - 2,
        settled_after=lambda p: (
            settled_ema(p[1]) + 2 * (int(p[2]) - 1) + settled_ema(p[3]) + settled_ema(p[4]) - 2
        ),
        warm_up="slow + 2 (cycle - 1) + d1 + d2 - 2",
        text="Schaff trend cycle: place of EMA(fast) - EMA(slow), seeded as in MACD, between its "
        "extremes of `cycle` bars, EMA(d1) of it, the same again, EMA(d2), clamped to 0..100. "
        "Without a range a place is the previous one; the first is 50.",
        rising=("fast", "slow"),
    ),
    Definition(
        kind="VOLUME_RATIO",
        parameters=period(4),
        outputs=(
            Output(
                "volume_ratio",
                "1 is as much as usual.",
                absence="the n bars before traded nothing",
            ),
        ),
        needs=Needs.VOLUME,
        kernel=kernels.volume_ratio,
        state=lambda p: [0.0] * (2 + kernels.room(int(p[0]))),
        warm_after=lambda p: int(p[0]) + 1,
        settled_after=lambda p: int(p[0]) + 1,
        warm_up="n + 1",
        text="Volume over the mean volume of the n bars before, this one not among them.",
    ),
)
