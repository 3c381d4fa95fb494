"""Indicators over candles: bar by bar, over many bars, and what is known when."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, isnan, nan

from services.indicators.catalogue import CATALOGUE, Definition, Needs, Parameter, Setup
from services.indicators.compiled import LARGE_BAR_COUNT, run_compiled
from services.indicators.kernels import COLUMNS, Floats


class IndicatorRefused(Exception):
    """An indicator was asked for that cannot be computed. `reason` is stable, `field` a path."""

    def __init__(self, reason: str, message: str, *, field: str = "", **metadata: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.field = field
        self.metadata = metadata


Bar = tuple[float, float, float, float]
"""High, low, close, volume; NaN is what the candle does not carry."""


@dataclass(frozen=True, slots=True)
class Indicator:
    """One kind with its parameters; `names` are the outputs as callers see them."""

    definition: Definition
    setup: Setup
    prefix: str

    @property
    def names(self) -> tuple[str, ...]:
        """The output names: the prefix alone, or prefix_output where there are several."""
        outputs = self.definition.outputs
        return (self.prefix,) if len(outputs) == 1 else tuple(f"{self.prefix}_{o}" for o in outputs)

    @property
    def warm_after(self) -> int:
        """How many bars it takes until values are given."""
        return self.definition.warm_after(self.setup)

    @property
    def settled_after(self) -> int:
        """How many bars it takes until the choice of the first bar stops mattering."""
        return self.definition.settled_after(self.setup)

    def first_bar_count(self, output: int) -> int:
        """Return how many bars `output`, counted from 0, takes to its first value."""
        late = self.definition.late.get(self.definition.outputs[output], 0)
        return self.warm_after + late

    def is_satisfied_by(self, bar: Bar) -> bool:
        """Tell whether `bar` carries what this indicator needs."""
        high, _, _, volume = bar
        if self.definition.needs is Needs.RANGE:
            return not isnan(high)
        return self.definition.needs is not Needs.VOLUME or not isnan(volume)


def choose(kind: str, parameters: Mapping[str, float], prefix: str = "") -> Indicator:
    """Return the indicator `kind` with defaults filled in.

    Raises IndicatorRefused: KIND_UNKNOWN, PARAMETER_UNKNOWN or PARAMETER_OUT_OF_RANGE.
    """
    definition = CATALOGUE.get(kind)
    if definition is None:
        raise IndicatorRefused(
            "KIND_NOT_BUILT",
            f"indicator {kind} is not built yet, must be one of {', '.join(CATALOGUE)}",
            field="kind",
        )
    known = {p.name for p in definition.parameters}
    for name in sorted(parameters.keys() - known):
        raise IndicatorRefused(
            "PARAMETER_UNKNOWN",
            f"{kind} has no parameter {name}, must be one of {', '.join(sorted(known))}",
            field=f"parameters[{name}]",
        )
    setup = tuple(
        _checked(kind, p, parameters.get(p.name, p.default)) for p in definition.parameters
    )
    if kind == "MACD" and setup[0] >= setup[1]:
        raise IndicatorRefused(
            "PARAMETER_OUT_OF_RANGE",
            f"fast is {setup[0]:g}, must be less than slow, {setup[1]:g}",
            field="parameters[fast]",
        )
    return Indicator(definition, setup, prefix or default_prefix(kind, setup))


def default_prefix(kind: str, setup: Setup) -> str:
    """Return the prefix of an indicator that was given none, such as `ema_12`."""
    return "_".join([kind.lower(), *(f"{value:g}".replace(".", "p") for value in setup)])


def check_needs(indicators: Sequence[Indicator], candle_kind: str) -> None:
    """Refuse an indicator that needs more than candles of `candle_kind` carry.

    Raises IndicatorRefused(CANDLE_KIND_INSUFFICIENT) with the indicator, what it needs and has.
    """
    for indicator in indicators:
        needs = indicator.definition.needs
        if needs not in CARRIED[candle_kind]:
            kind = indicator.definition.kind
            raise IndicatorRefused(
                "CANDLE_KIND_INSUFFICIENT",
                f"{kind} needs candles with a {needs.lower()}, these are {candle_kind}: "
                f"choose an indicator of {', '.join(CARRIED[candle_kind]).lower()}",
                indicator=kind,
                needs=needs,
                has=candle_kind,
            )


def _checked(kind: str, parameter: Parameter, value: float) -> float:
    low, high = parameter.minimum, parameter.maximum
    is_whole = not parameter.is_whole or (isfinite(value) and value == int(value))
    if low <= value <= high and is_whole:  # A NaN is in no range.
        return float(value)
    wanted = "a whole number in " if parameter.is_whole else ""
    raise IndicatorRefused(
        "PARAMETER_OUT_OF_RANGE",
        f"{parameter.name} of {kind} is {value:g}, must be {wanted}{low:g}..{high:g}",
        field=f"parameters[{parameter.name}]",
    )


CARRIED = {
    "OHLCV": (Needs.CLOSE, Needs.RANGE, Needs.VOLUME),
    "OHLC": (Needs.CLOSE, Needs.RANGE),
    "CLOSE_ONLY": (Needs.CLOSE,),
}


class Running:
    """One indicator on its way through a series, one bar at a time."""

    __slots__ = ("_blank", "_kernel", "_setup", "_state", "bar_count", "indicator", "row")

    def __init__(self, indicator: Indicator) -> None:
        self.indicator = indicator
        self.bar_count = 0
        self._kernel, self._setup = indicator.definition.kernel, indicator.setup
        self._state: Floats = [0.0] * indicator.definition.state_size(indicator.setup)
        self._blank = [nan] * len(indicator.definition.outputs)
        self.row = list(self._blank)

    def step(self, bar: Bar) -> list[float]:
        """Take in a confirmed bar and return its row; NaN is what has no value yet."""
        high, low, close, volume = bar
        self.bar_count += 1
        self.row = row = self._blank.copy()
        self._kernel(self._setup, self._state, ((high,), (low,), (close,), (volume,)), row)
        return row

    def skip(self) -> None:
        """Pass over a bar that lacks what is needed: it has no values, the state stays."""
        self.row = self._blank.copy()

    def peek(self, bar: Bar) -> list[float]:
        """Return the row `bar` would have if it were confirmed now; nothing is taken in."""
        high, low, close, volume = bar
        row, state = self._blank.copy(), list(self._state)
        self._kernel(self._setup, state, ((high,), (low,), (close,), (volume,)), row)
        return row


@dataclass(frozen=True, slots=True)
class Series:
    """The values of one output; `values[0]` belongs to bar `first_index`, -1 if there are none."""

    name: str
    values: Sequence[float]
    first_index: int


def compute(indicator: Indicator, bars: Sequence[Bar]) -> list[Series]:
    """Return one series per output, equal to the last bit to stepping through `bars`."""
    definition = indicator.definition
    width = len(definition.outputs)
    columns = list(zip(*bars, strict=True)) if bars else [()] * COLUMNS
    state = [0.0] * definition.state_size(indicator.setup)
    rows: Floats = [nan] * (len(bars) * width)
    if len(bars) < LARGE_BAR_COUNT:
        definition.kernel(indicator.setup, state, columns, rows)
    else:
        _, rows = run_compiled(definition.kernel, indicator.setup, state, columns, rows)
    return [_series(indicator, output, rows) for output in range(width)]


def _series(indicator: Indicator, output: int, rows: Floats) -> Series:
    width = len(indicator.definition.outputs)
    first = indicator.first_bar_count(output) - 1
    values = rows[width * first + output :: width]
    return Series(indicator.names[output], values, first if values else -1)
