"""What a definition of an indicator says, and the pieces that many have in common."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from math import ceil

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


@dataclass(frozen=True, slots=True)
class Output:
    """One of the values of an indicator.

    `absence` says when it has no value although the indicator is warm; empty: never.
    `late` is how many bars more than the indicator it takes to its first value.
    """

    name: str
    text: str
    absence: str = ""
    late: int = 0


Setup = tuple[float, ...]


def always(count: int) -> Callable[[Setup], list[float]]:
    """Return the state of a kernel that keeps `count` floats and starts from nothing."""
    return lambda setup: [0.0] * count


@dataclass(frozen=True, slots=True)
class Definition:
    """One kind of indicator.

    `state` makes the floats that the kernel starts from. `rising` names parameters each of
    which must be less than the next. A kernel that `is_plain` runs in plain Python but for large
    batches: it is quick enough, and those who ask for nothing else need not load the compiler.
    The bits are the same.
    """

    kind: str
    parameters: tuple[Parameter, ...]
    outputs: tuple[Output, ...]
    needs: Needs
    kernel: Kernel
    state: Callable[[Setup], list[float]]
    warm_after: Callable[[Setup], int]
    settled_after: Callable[[Setup], int]
    warm_up: str
    text: str
    rising: tuple[str, ...] = ()
    is_plain: bool = False


def settled_ema(period: float) -> int:
    """Return after how many bars the seed of EMA(period) has faded."""
    return int(period) + ceil(SEED_FADES_AFTER * (period + 1))


def settled_wilder(setup: Setup) -> int:
    """Return after how many bars the seed of Wilder's average has faded."""
    # Wilder's weight 1/n is that of EMA(2n - 1); the first bar has no move.
    return int(setup[0]) + 1 + ceil(SEED_FADES_AFTER * 2 * setup[0])


def period(default: float, *, minimum: float = 1) -> tuple[Parameter, ...]:
    """Return the parameters of an indicator of the last n bars."""
    return (Parameter("n", default, minimum),)


def share(name: str, default: float) -> Parameter:
    """Return a parameter between 0 and 1."""
    return Parameter(name, default, minimum=0, maximum=1, is_whole=False)
