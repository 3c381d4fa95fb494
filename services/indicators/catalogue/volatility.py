"""How much prices move."""

from services.indicators import kernels
from services.indicators.catalogue.definition import (
    Definition,
    Needs,
    Output,
    always,
    period,
    settled_wilder,
)

VOLATILITY = (
    Definition(
        kind="ATR",
        parameters=period(14),
        outputs=(Output("atr", "Price."),),
        needs=Needs.RANGE,
        kernel=kernels.atr,
        state=always(3),
        warm_after=lambda p: int(p[0]) + 1,
        settled_after=settled_wilder,
        warm_up="n + 1",
        text="Wilder's mean of the true range, seeded with the mean of the first n. Flat: 0.",
        is_plain=True,
    ),
    Definition(
        kind="ABS_MOVE",
        parameters=period(14),
        outputs=(Output("abs_move", "Price."),),
        needs=Needs.CLOSE,
        kernel=kernels.abs_move,
        state=always(3),
        warm_after=lambda p: int(p[0]) + 1,
        settled_after=settled_wilder,
        warm_up="n + 1",
        text="Wilder's mean of |close - previous close|: the only volatility of closes alone. "
        "Flat: 0.",
        is_plain=True,
    ),
    Definition(
        kind="PARKINSON",
        parameters=period(48),
        outputs=(Output("parkinson", "Standard deviation of one bar's log return."),),
        needs=Needs.RANGE,
        kernel=kernels.parkinson,
        state=lambda p: [0.0] * (1 + kernels.room(int(p[0]))),
        warm_after=lambda p: int(p[0]),
        settled_after=lambda p: int(p[0]),
        warm_up="n",
        text="sqrt(sum of ln(high/low)^2 over n bars / (4 n ln 2)). Flat: 0.",
    ),
)
