"""The kernels compiled: for most indicators, and for large batches of all.

The compiler takes a second to import and what it makes is kept on disk, so both happen when a
kernel is first needed, not before. `services.indicators.precompilation` does it
for all of them, once for this machine.
"""

from collections.abc import Callable, Sequence
from functools import cache
from struct import Struct
from types import FunctionType
from typing import Any

from services.indicators.kernels import COLUMNS, Bars, Floats, Kernel

LARGE_BAR_COUNT = 200_000
"""From here on compiling costs less than it saves."""

_BAR = Struct(f"{COLUMNS}d")


def array_of(columns: Bars) -> Any:
    """Return columns of bars as one array."""
    import numpy as np  # As slow to import as it is fast to run.

    return np.array(columns, dtype=float).reshape(COLUMNS, -1)


def run_compiled(
    kernel: Kernel, setup: Sequence[float], state: Floats, bars: Bars, out: Floats
) -> tuple[Floats, Floats]:
    """Return state and rows after `bars`, an array: what `kernel` leaves in its arguments."""
    import numpy as np

    state_array, out_array = np.array(state, dtype=float), np.array(out, dtype=float)
    compiled(kernel)(np.array(setup, dtype=float), state_array, bars, out_array)
    return state_array.tolist(), out_array.tolist()


class CompiledSteps:
    """A compiled kernel with its state, fed one bar at a time through memory of its own."""

    __slots__ = (
        "_bar",
        "_bar_bytes",
        "_blank",
        "_kernel",
        "_out",
        "_out_bytes",
        "_row",
        "_setup",
        "_state",
    )

    def __init__(self, kernel: Kernel, setup: Sequence[float], state: Floats, width: int) -> None:
        import numpy as np

        self._kernel = compiled(kernel)
        self._setup, self._state = np.array(setup, dtype=float), np.array(state)
        self._bar, self._out = np.zeros((COLUMNS, 1)), np.full(width, np.nan)
        self._bar_bytes = self._bar.data.cast("B")
        self._out_bytes = self._out.data.cast("B")
        self._blank = bytes(self._out_bytes)
        self._row = Struct(f"{width}d")

    def step(self, bar: Sequence[float]) -> list[float]:
        """Take in a bar; return its row."""
        _BAR.pack_into(self._bar_bytes, 0, *bar)
        self._out_bytes[:] = self._blank
        self._kernel(self._setup, self._state, self._bar, self._out)
        return list(self._row.unpack(self._out_bytes))

    def peek(self, bar: Sequence[float]) -> list[float]:
        """Return the row of a bar without taking it in."""
        state = self._state
        self._state = state.copy()
        try:
            return self.step(bar)
        finally:
            self._state = state


@cache
def compiled(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """Return `kernel` as machine code of the same arithmetic, kept on disk between runs.

    Functions of its own module that it calls are compiled too; of its own module only, because
    what is on disk is renewed when that file changes. Neither fast-math nor contraction to fused
    operations is allowed: equal bits come first.
    """
    from numba import njit

    assert isinstance(kernel, FunctionType)
    callees = {
        name: compiled(callee)
        for name in kernel.__code__.co_names
        if isinstance(callee := kernel.__globals__.get(name), FunctionType)
        and callee.__module__ == kernel.__module__
    }
    named = {**kernel.__globals__, **callees}
    source = FunctionType(kernel.__code__, named, kernel.__name__) if callees else kernel
    takes = _signature(kernel)
    try:
        return njit(takes, cache=True, error_model="numpy")(source)
    except RuntimeError:  # No folder to keep it in may be written: compile for this run alone.
        return njit(takes, error_model="numpy")(source)


def _signature(function: FunctionType) -> tuple[Any, ...]:
    """Return the machine types of its arguments: one version of each function, no more."""
    from numba import types

    known = {
        int: types.int64,
        float: types.float64,
        bool: types.boolean,
        Floats: types.float64[::1],
        Sequence[float]: types.float64[::1],
        Bars: types.float64[:, ::1],
    }
    return tuple(known[kind] for name, kind in function.__annotations__.items() if name != "return")
