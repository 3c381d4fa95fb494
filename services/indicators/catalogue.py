"""What can be computed: every built indicator, its parameters, outputs and warm-up."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import ceil

from services.indicators import kernels
from services.indicators.kernels import Kernel

PERIOD_MAX = 5_000
SEED_FADES_AFTER = 3.46
"""So many times (n + 1) bars after its seed, the seed of EMA(n) weighs less than 0.1 %."""


class Needs(StrEnum):
    """The least a candle must carry."""

    CLOSE = "CLOSE"
    RANGE = "RANGE"
    VOLUME = "VOLUME"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One number that shapes an indicator; periods are whole."""

    name: str
    default: float
    minimum: float = 1
    maximum: float = PERIOD_MAX
    is_whole: bool = True


Setup = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Definition:
    """One kind of indicator. `late` outputs need that many bars more than the others."""

    kind: str
    parameters: tuple[Parameter, ...]
    outputs: tuple[str, ...]
    needs: Needs
    kernel: Kernel
    state_size: Callable[[Setup], int]
    warm_after: Callable[[Setup], int]
    settled_after: Callable[[Setup], int]
    warm_up: str
    text: str
    late: Mapping[str, int]


def _settled_ema(period: float) -> int:
    return int(period) + ceil(SEED_FADES_AFTER * (period + 1))


def _settled_wilder(setup: Setup) -> int:
    # Wilder's weight 1/n is that of EMA(2n - 1); the first bar has no move.
    return int(setup[0]) + 1 + ceil(SEED_FADES_AFTER * 2 * setup[0])


def _period(default: float) -> tuple[Parameter, ...]:
    return (Parameter("n", default),)


_MACD_OUTPUTS = ("line", "signal", "histogram", "histogram_change")
_BANDS = ("upper", "middle", "lower", "width")

_DEFINITIONS = (
    Definition(
        kind="SMA",
        parameters=_period(20),
        outputs=("sma",),
        needs=Needs.CLOSE,
        kernel=kernels.sma,
        state_size=lambda p: kernels.WINDOW + 2 * int(p[0]) + 1,
        warm_after=lambda p: int(p[0]),
        settled_after=lambda p: int(p[0]),
        warm_up="n",
        text="Mean of the last n closes.",
        late={},
    ),
    Definition(
        kind="EMA",
        parameters=_period(12),
        outputs=("ema",),
        needs=Needs.CLOSE,
        kernel=kernels.ema,
        state_size=lambda p: 2,
        warm_after=lambda p: int(p[0]),
        settled_after=lambda p: _settled_ema(p[0]),
        warm_up="n",
        text="Exponential mean, weight 2/(n+1), seeded with the mean of the first n closes.",
        late={},
    ),
    Definition(
        kind="RSI",
        parameters=_period(9),
        outputs=("rsi",),
        needs=Needs.CLOSE,
        kernel=kernels.rsi,
        state_size=lambda p: 4,
        warm_after=lambda p: int(p[0]) + 1,
        settled_after=_settled_wilder,
        warm_up="n + 1",
        text="Wilder's relative strength, 0 to 100: 100 without losses, 50 without any move.",
        late={},
    ),
    Definition(
        kind="MACD",
        parameters=(Parameter("fast", 12), Parameter("slow", 26), Parameter("signal", 9)),
        outputs=_MACD_OUTPUTS,
        needs=Needs.CLOSE,
        kernel=kernels.macd,
        state_size=lambda p: 5,
        warm_after=lambda p: int(p[1] + p[2]) - 1,
        settled_after=lambda p: _settled_ema(p[1]) + _settled_ema(p[2]),
        warm_up="slow + signal - 1",
        text="EMA(fast) - EMA(slow), both seeded at bar `slow`; its EMA(signal); the histogram "
        "between them and its change from the previous bar.",
        late={"histogram_change": 1},
    ),
    Definition(
        kind="ATR",
        parameters=_period(14),
        outputs=("atr",),
        needs=Needs.RANGE,
        kernel=kernels.atr,
        state_size=lambda p: 3,
        warm_after=lambda p: int(p[0]) + 1,
        settled_after=_settled_wilder,
        warm_up="n + 1",
        text="Wilder's mean of the true range, seeded with the mean of the first n.",
        late={},
    ),
    Definition(
        kind="ABS_MOVE",
        parameters=_period(14),
        outputs=("abs_move",),
        needs=Needs.CLOSE,
        kernel=kernels.abs_move,
        state_size=lambda p: 3,
        warm_after=lambda p: int(p[0]) + 1,
        settled_after=_settled_wilder,
        warm_up="n + 1",
        text="Wilder's mean of |close - previous close|: the only volatility of closes alone.",
        late={},
    ),
    Definition(
        kind="BBANDS",
        parameters=(
            Parameter("n", 13, minimum=2),
            Parameter("deviations", 2.5, minimum=0.1, maximum=10, is_whole=False),
        ),
        outputs=_BANDS,
        needs=Needs.CLOSE,
        kernel=kernels.bbands,
        state_size=lambda p: kernels.WINDOW + 3 * int(p[0]) + 2,
        warm_after=lambda p: int(p[0]),
        settled_after=lambda p: int(p[0]),
        warm_up="n",
        text="Mean of n closes and so many population standard deviations to both sides; "
        "width = (upper - lower) / middle.",
        late={},
    ),
)

CATALOGUE: Mapping[str, Definition] = {d.kind: d for d in _DEFINITIONS}
