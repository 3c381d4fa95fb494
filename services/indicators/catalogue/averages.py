"""Averages and what is made of their differences."""

from math import exp

from services.indicators import kernels
from services.indicators.catalogue.definition import (
    Definition,
    Needs,
    Output,
    Parameter,
    Setup,
    always,
    period,
    settled_ema,
)

_TUNNEL = (12, 144, 169, 576, 676, 2304, 2704)
WEIGHT_MIN = 1e-18
"""Weights of the bell below this share of the first do not change a double."""


def _nwe_state(setup: Setup) -> list[float]:
    size = int(setup[2])
    bell = [exp(-(j * j) / (2 * setup[0] * setup[0])) for j in range(size)]
    weights = [weight for weight in bell if weight > WEIGHT_MIN]
    head = [0.0, float(len(weights)), sum(weights)]
    return [*head, *[0.0] * (2 * size + kernels.room(size - 1)), *weights]


AVERAGES = (
    Definition(
        kind="SMA",
        parameters=period(20),
        outputs=(Output("sma", "Price."),),
        needs=Needs.CLOSE,
        kernel=kernels.sma,
        state=lambda p: [0.0] * (kernels.WINDOW + 2 * int(p[0]) + 1),
        warm_after=lambda p: int(p[0]),
        settled_after=lambda p: int(p[0]),
        warm_up="n",
        text="Mean of the last n closes.",
    ),
    Definition(
        kind="EMA",
        parameters=period(12),
        outputs=(Output("ema", "Price."),),
        needs=Needs.CLOSE,
        kernel=kernels.ema,
        state=always(2),
        warm_after=lambda p: int(p[0]),
        settled_after=lambda p: settled_ema(p[0]),
        warm_up="n",
        text="Exponential mean, weight 2/(n+1), seeded with the mean of the first n closes.",
        is_plain=True,
    ),
    Definition(
        kind="EMA_SET",
        parameters=tuple(Parameter(f"n{k}", n) for k, n in enumerate(_TUNNEL, 1)),
        outputs=(
            *(Output(f"ema{k}", f"EMA(n{k}), the bits of EMA.") for k in range(1, 8)),
            Output(
                "cross_1_2",
                "1 on the bar on which ema1 has come above ema2 (golden), -1 below (death), "
                "else 0; equality keeps the side held before.",
            ),
            Output(
                "cross_1_4",
                "1 on the bar on which ema1 has come above ema4 while ema1 > ema2 > ema3 > ema4, "
                "-1 mirrored, else 0.",
            ),
        ),
        needs=Needs.CLOSE,
        kernel=kernels.ema_set,
        state=always(10),
        warm_after=lambda p: int(p[6]),
        settled_after=lambda p: settled_ema(p[6]),
        warm_up="n7",
        text="Seven exponential means of closes and the crosses of the first over the second "
        "and over the fourth.",
        rising=("n1", "n2", "n3", "n4", "n5", "n6", "n7"),
    ),
    Definition(
        kind="MACD",
        parameters=(Parameter("fast", 12), Parameter("slow", 26), Parameter("signal", 9)),
        outputs=(
            Output("line", "EMA(fast) - EMA(slow)."),
            Output("signal", "EMA(signal) of the line."),
            Output("histogram", "line - signal."),
            Output("histogram_change", "Histogram less that of the previous bar.", late=1),
        ),
        needs=Needs.CLOSE,
        kernel=kernels.macd,
        state=always(5),
        warm_after=lambda p: int(p[1] + p[2]) - 1,
        settled_after=lambda p: settled_ema(p[1]) + settled_ema(p[2]),
        warm_up="slow + signal - 1",
        text="EMA(fast) - EMA(slow), both seeded at bar `slow`; its EMA(signal); the histogram "
        "between them and its change from the previous bar.",
        rising=("fast", "slow"),
    ),
    Definition(
        kind="BBANDS",
        parameters=(
            Parameter("n", 13, minimum=2),
            Parameter("deviations", 2.5, minimum=0.1, maximum=10, is_whole=False),
        ),
        outputs=(
            Output("upper", "Middle plus the deviations."),
            Output("middle", "Mean of the last n closes."),
            Output("lower", "Middle less the deviations."),
            Output("width", "(upper - lower) / middle."),
        ),
        needs=Needs.CLOSE,
        kernel=kernels.bbands,
        state=lambda p: [0.0] * (kernels.WINDOW + 3 * int(p[0]) + 2),
        warm_after=lambda p: int(p[0]),
        settled_after=lambda p: int(p[0]),
        warm_up="n",
        text="Mean of n closes and so many population standard deviations to both sides. "
        "A flat market has width 0.",
    ),
    Definition(
        kind="NWE",
        parameters=(
            Parameter("h", 8, minimum=0.5, maximum=1_000, is_whole=False),
            Parameter("mult", 3, minimum=0.1, maximum=20, is_whole=False),
            Parameter("window", 500, minimum=2),
        ),
        outputs=(
            Output("upper", "Centre plus the half width."),
            Output("centre", "Weighted mean of the last `window` closes."),
            Output("lower", "Centre less the half width."),
        ),
        needs=Needs.CLOSE,
        kernel=kernels.nwe,
        state=_nwe_state,
        warm_after=lambda p: 2 * int(p[2]) - 2,
        settled_after=lambda p: 2 * int(p[2]) - 2,
        warm_up="2 window - 2",
        text="Nadaraya-Watson envelope of past bars only, so it never repaints: weights "
        "exp(-j^2 / 2h^2) for the close j bars ago (those below 1e-18 are left out), half width "
        "mult times the mean |close - centre| of the last window - 1 bars. Flat: width 0.",
    ),
)
