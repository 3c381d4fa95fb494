"""When units arrive: schedules that depend on a seed and on nothing that happens in the run."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from runtime.load.plan import Plan

BURST_S = 0.010  # All units of a second arrive within this time of its beginning.
STAIRS = 4  # A step schedule rises to its rate in so many equal steps.

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Schedule:
    """The units of one engine: their numbers, and when each is due, from the start of the run."""

    numbers: NDArray[np.int64]  # Unique over all parts of a run, ascending.
    due_s: Floats  # Ascending.

    @classmethod
    def of(cls, plan: Plan) -> "Schedule":
        """Return the schedule of `plan`, warm-up included.

        Part k of n takes every n-th unit from the k-th on: together they are the schedule that
        one engine alone would have. Raises ValueError for a kind of arrivals there is not.
        """
        kind = plan.profile.arrivals
        if kind not in SHAPES:
            raise ValueError(f"arrivals is {kind!r}, must be one of {', '.join(SHAPES)}")
        rate, seconds = plan.rate * plan.parts, plan.warmup_s + plan.duration_s
        due_s = SHAPES[kind](rate, seconds, np.random.default_rng(plan.seed))
        numbers = np.arange(len(due_s), dtype=np.int64)
        return cls(numbers[plan.part :: plan.parts], due_s[plan.part :: plan.parts])


def _constant(rate: float, seconds: float, rng: np.random.Generator) -> Floats:
    return np.arange(round(rate * seconds)) / rate


def _poisson(rate: float, seconds: float, rng: np.random.Generator) -> Floats:
    """Return independent arrivals, which is how many callers who know nothing of each other call.

    Their number is drawn first; given that, they are spread evenly at random.
    """
    return np.sort(rng.uniform(0.0, seconds, rng.poisson(rate * seconds)))


def _burst(rate: float, seconds: float, rng: np.random.Generator) -> Floats:
    even_s = _constant(rate, seconds, rng)
    second = np.floor(even_s)
    begun: Floats = second + (even_s - second) * BURST_S
    return begun


def _step(rate: float, seconds: float, rng: np.random.Generator) -> Floats:
    """Return arrivals at a quarter, a half, three quarters, then the whole of the rate."""
    stairs = np.arange(STAIRS + 1)
    reached = np.cumsum(stairs) * rate * seconds / STAIRS**2
    units = np.arange(int(reached[-1] + 1e-9))
    return np.interp(units, reached, stairs * seconds / STAIRS)


def _ramp(rate: float, seconds: float, rng: np.random.Generator) -> Floats:
    """Return arrivals whose rate rises evenly from nothing to the whole."""
    units = np.arange(int(rate * seconds / 2 + 1e-9))
    rising: Floats = np.sqrt(2 * units * seconds / rate)
    return rising


SHAPES: dict[str, Callable[[float, float, np.random.Generator], Floats]] = {
    "constant": _constant,
    "poisson": _poisson,
    "burst": _burst,
    "step": _step,
    "ramp": _ramp,
}
