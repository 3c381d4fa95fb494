"""The kernels compiled: for large batches only, since the compiler takes a second to import."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from services.indicators.kernels import COLUMNS, Bars, Floats, Kernel

LARGE_BAR_COUNT = 200_000
"""From here on compiling costs less than it saves."""


def run_compiled(
    kernel: Kernel, setup: Sequence[float], state: Floats, columns: Bars, out: Floats
) -> tuple[Floats, Floats]:
    """Return state and rows after `columns`: what `kernel` would have left in its arguments."""
    import numpy as np  # As slow to import as it is fast to run.

    state_array, out_array = np.array(state), np.array(out)
    bars = np.array(columns, dtype=float).reshape(COLUMNS, -1)
    compiled(kernel)(np.array(setup), state_array, bars, out_array)
    return state_array.tolist(), out_array.tolist()


@cache
def compiled(kernel: Kernel) -> Callable[..., Any]:
    """Return `kernel` as machine code of the same arithmetic, kept on disk between runs.

    Neither fast-math nor contraction to fused operations is allowed: equal bits come first.
    """
    from numba import njit

    try:
        return njit(cache=True, error_model="numpy")(kernel)
    except RuntimeError:  # No folder to keep it in may be written: compile for this run alone.
        return njit(error_model="numpy")(kernel)
