"""Indicators on their way through candles: bar by bar, or over many at once, with equal bits."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import nan
from typing import Any, Protocol

from services.indicators.catalogue import Needs
from services.indicators.compiled import LARGE_BAR_COUNT, CompiledSteps, array_of, run_compiled
from services.indicators.kernels import COLUMNS, Bars, Floats
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
        self._steps: Steps
        if definition.is_plain:
            self._steps = PlainSteps(indicator)
        else:
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
    return compute_all([indicator], bars)


def compute_all(indicators: Sequence[Indicator], bars: Sequence[Bar]) -> list[Series]:
    """Return the series of each of `indicators`: see `compute`. They share the columns."""
    tables: dict[Needs, Table] = {}
    series: list[Series] = []
    for indicator in indicators:
        needs = indicator.definition.needs
        if needs not in tables:
            tables[needs] = _table(indicator, bars, tables.values())
        series.extend(_compute(indicator, tables[needs], len(bars)))
    return series


class Table:
    """The bars that can be taken in, as columns, and where they lie among all."""

    def __init__(self, bars: Sequence[Bar], places: Sequence[int]) -> None:
        taken = bars if len(places) == len(bars) else [bars[index] for index in places]
        self.places = places
        self.columns: Bars = list(zip(*taken, strict=True)) if taken else [()] * COLUMNS

    @cached_property
    def array(self) -> Any:
        """The columns as machine numbers."""
        return array_of(self.columns)


def _table(indicator: Indicator, bars: Sequence[Bar], known: Iterable[Table]) -> Table:
    column = indicator.column
    places = [index for index, bar in enumerate(bars) if bar[column] == bar[column]]  # Not NaN.
    for table in known:
        if table.places == places:
            return table
    return Table(bars, places)


def _compute(indicator: Indicator, table: Table, count: int) -> list[Series]:
    definition = indicator.definition
    width = len(definition.outputs)
    state: Floats = definition.state(indicator.setup)
    rows: Floats = [nan] * (len(table.places) * width)
    if not definition.is_plain or len(table.places) >= LARGE_BAR_COUNT:
        _, rows = run_compiled(definition.kernel, indicator.setup, state, table.array, rows)
    else:
        definition.kernel(indicator.setup, state, table.columns, rows)
    return [_series(indicator, k, rows[k::width], (table.places, count)) for k in range(width)]


def _series(
    indicator: Indicator, output: int, values: Sequence[float], where: tuple[Sequence[int], int]
) -> Series:
    """Return the series of the values of the bars that were taken; `where` they lie of how many."""
    name = indicator.names[output]
    places, count = where
    first = indicator.first_bar_count(output) - 1
    if first >= len(places):
        return Series(name, [], -1)
    if len(places) == count and not indicator.definition.outputs[output].absence:
        return Series(name, values[first:], first)
    import numpy as np

    numbers = np.array(values[first:])
    is_present = ~np.isnan(numbers)
    present = np.array(places[first:])[is_present]
    absent = np.setdiff1d(np.arange(places[first], count), present, assume_unique=True)
    return Series(name, numbers[is_present].tolist(), places[first], absent.tolist())
