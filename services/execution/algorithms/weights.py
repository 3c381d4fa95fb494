"""Cumulative weights W_k of the schedules: how much of the parent is to be sent by slice k.

Each function returns two things: rising numbers for k = 1 … n, and what they are a share of.
Keeping them apart lets the time-weighted schedule stay exact: k of n, never k/n in binary.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.execution.algorithms.terms import Impact

URGENCY_KAPPA_T = {0: 2.0, 1: 0.5, 2: 1.0, 3: 2.0, 4: 3.0, 5: 5.0}  # 0 stands for 3.
FLAT = 1e-4  # Below this κT the curve differs from a line by less than one part in 10^9.

Numbers = NDArray[np.float64]


class Weights(NamedTuple):
    """Cumulative numbers by slice, of a whole."""

    cumulative: Numbers
    whole: float


def even(slices: int) -> Weights:
    """Return the time-weighted schedule: k of n."""
    return Weights(np.arange(1, slices + 1, dtype=np.float64), float(slices))


def by_volume(volumes: Numbers) -> Weights:
    """Return the schedule that follows the volumes expected in each slice."""
    cumulative = np.cumsum(volumes)
    return Weights(cumulative, float(cumulative[-1]))


def shortfall(slices: int, window_s: float, impact: Impact) -> Weights:
    """Return the schedule that weighs impact against risk: W_k = 1 − sinh(κ(T−t_k))/sinh(κT).

    Source: Almgren and Chriss, Optimal execution of portfolio transactions (2000), with
    κ = arcosh(½κ̃²τ² + 1)/τ and κ̃² = λσ²/η; without σ and η the urgency gives κT.
    """
    kappa_t = kappa(slices, window_s, impact) * window_s
    if kappa_t < FLAT:
        return even(slices)
    left = kappa_t * (1 - np.arange(1, slices + 1) / slices)  # κ(T − t_k)
    return Weights(1 - _sinh_ratio(left, kappa_t), 1.0)


def kappa(slices: int, window_s: float, impact: Impact) -> float:
    """Return the urgency κ per second of a schedule."""
    if not impact.is_modelled:
        return URGENCY_KAPPA_T[impact.urgency] / window_s
    step_s = window_s / slices
    half_square = 0.5 * impact.risk_aversion * impact.volatility**2 / impact.impact * step_s**2
    return float(_arcosh_of_one_plus(half_square)) / step_s


def _arcosh_of_one_plus(x: float) -> float:
    """Return arcosh(1 + x) without losing a small x in the sum."""
    return float(np.log1p(x + np.sqrt(x * (x + 2))))


def _sinh_ratio(small: Numbers, large: float) -> Numbers:
    """Return sinh(small)/sinh(large) for 0 ≤ small ≤ large, however large."""
    ratio: Numbers = np.exp(small - large) * -np.expm1(-2 * small) / -np.expm1(-2 * large)
    return ratio
