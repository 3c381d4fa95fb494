"""Indicators on their way through candles: bar by bar, or over many at once, with equal bits."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan, nan
from typing import Protocol

from services.indicators.compiled import LARGE_BAR_COUNT, CompiledSteps, run_compiled
from services.indicators.kernels import COLUMNS, Floats
from services.indicators.series import Bar, Indicator


class Steps(Protocol):
    """A kernel with its state."""

    def step(self, bar: Bar) -> list[float]:
        """Take in a bar; return its row."""

    def peek(self, bar: Bar) -> list[float]:
        """Return the row of a bar without taking it in."""


class PlainSteps:
    """A kernel in plain Python: quick to start, and for small kernels quick enough."""

    __slots__ = ("_blank", "_kernel", "_setup", "_state")

    def __init__(self, indicator: Indicator) -> None:
        definition = indicator.definition
        self._kernel, self._setup = definition.kernel, indicator.setup
        self._state: Floats = definition.state(indicator.setup)
        self._blank = [nan] * len(definition.outputs)

    def step(self, bar: Bar) -> list[float]:
        """Take in a bar; return its row."""
        row = self._blank.copy()
        self._kernel(self._setup, self._state, [(value,) for value in bar], row)
        return row

    def peek(self, bar: Bar) -> list[float]:
        """Return the row of a bar without taking it in."""
        row = self._blank.copy()
        self._kernel(self._setup, list(self._state), [(value,) for value in bar], row)
        return row


class Running:
    """One indicator on its way through a series, one bar at a time."""

    __slots__ = ("_steps", "bar_count", "indicator", "row")

    def __init__(self, indicator: Indicator) -> None:
        self.indicator = indicator
        self.bar_count = 0
        definition = indicator.definition
        self._steps: Steps = PlainSteps(indicator)
        if definition.is_compiled:
            state = definition.state(indicator.setup)
            width = len(definition.outputs)
            self._steps = CompiledSteps(definition.kernel, indicator.setup, state, width)
        self.row = [nan] * len(definition.outputs)

    def step(self, bar: Bar) -> list[float]:
        """Take in a confirmed bar and return its row; NaN is what has no value."""
        self.bar_count += 1
        self.row = row = self._steps.step(bar)
        return row

    def skip(self) -> None:
        """Pass over a bar that lacks what is needed: it has no values, the state stays."""
        self.row = [nan] * len(self.row)

    def peek(self, bar: Bar) -> list[float]:
        """Return the row `bar` would have if it were confirmed now; nothing is taken in."""
        return self._steps.peek(bar)


@dataclass(frozen=True, slots=True)
class Series:
    """The values of one output from bar `first_index` on; -1 if it is not warm by the last bar.

    `absent` are the indexes of bars from there on that have no value; the others have one each.
    """

    name: str
    values: Sequence[float]
    first_index: int
    absent: Sequence[int] = ()


def compute(indicator: Indicator, bars: Sequence[Bar]) -> list[Series]:
    """Return one series per output, equal to the last bit to stepping through `bars`."""
    definition = indicator.definition
    width = len(definition.outputs)
    taken = [index for index, bar in enumerate(bars) if indicator.is_satisfied_by(bar)]
    given = bars if len(taken) == len(bars) else [bars[index] for index in taken]
    columns = list(zip(*given, strict=True)) if given else [()] * COLUMNS
    state: Floats = definition.state(indicator.setup)
    rows: Floats = [nan] * (len(given) * width)
    if definition.is_compiled or len(given) >= LARGE_BAR_COUNT:
        _, rows = run_compiled(definition.kernel, indicator.setup, state, columns, rows)
    else:
        definition.kernel(indicator.setup, state, columns, rows)
    return [_series(indicator, k, rows[k::width], (taken, len(bars))) for k in range(width)]


def _series(
    indicator: Indicator, output: int, values: Sequence[float], where: tuple[list[int], int]
) -> Series:
    """Return the series of the values of the bars that were taken; `where` they lie of how many."""
    name = indicator.names[output]
    taken, count = where
    first = indicator.first_bar_count(output) - 1
    if first >= len(taken):
        return Series(name, [], -1)
    found = {
        at: value
        for at, value in zip(taken[first:], values[first:], strict=True)
        if not isnan(value)
    }
    if len(found) == count - taken[first]:
        return Series(name, values[first:], taken[first])
    absent = [index for index in range(taken[first], count) if index not in found]
    return Series(name, list(found.values()), taken[first], absent)
