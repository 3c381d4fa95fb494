"""Indicators chosen: which kind, with which parameters, warm when, and whether candles do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite, isnan

from services.indicators.catalogue import CATALOGUE, Definition, Needs, Parameter, Setup
from services.indicators.kernels.bars import CLOSE, HIGH, VOLUME


class IndicatorRefused(Exception):
    """An indicator was asked for that cannot be computed. `reason` is stable, `field` a path."""

    def __init__(self, reason: str, message: str, *, field: str = "", **metadata: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.field = field
        self.metadata = metadata


Bar = tuple[float, float, float, float, float]
"""Open, high, low, close, volume; NaN is what the candle does not carry."""


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
        if len(outputs) == 1:
            return (self.prefix,)
        return tuple(f"{self.prefix}_{output.name}" for output in outputs)

    @property
    def warm_after(self) -> int:
        """How many bars it takes until values are given."""
        return self.definition.warm_after(self.setup)

    @property
    def complete_after(self) -> int:
        """How many bars it takes until every output has had time to be warm."""
        return self.warm_after + max(output.late for output in self.definition.outputs)

    @property
    def settled_after(self) -> int:
        """How many bars it takes until the choice of the first bar stops mattering."""
        return self.definition.settled_after(self.setup)

    def first_bar_count(self, output: int) -> int:
        """Return how many bars `output`, counted from 0, takes to its first value."""
        return self.warm_after + self.definition.outputs[output].late

    @property
    def column(self) -> int:
        """The column of a bar that must be there."""
        return NEEDED[self.definition.needs]

    def is_satisfied_by(self, bar: Bar) -> bool:
        """Tell whether `bar` carries what this indicator needs."""
        return not isnan(bar[self.column])


NEEDED = {Needs.CLOSE: CLOSE, Needs.RANGE: HIGH, Needs.VOLUME: VOLUME}


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
    _check_rising(definition, setup)
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


def _check_rising(definition: Definition, setup: Setup) -> None:
    values = {p.name: value for p, value in zip(definition.parameters, setup, strict=True)}
    for less, more in pairwise(definition.rising):
        if values[less] >= values[more]:
            raise IndicatorRefused(
                "PARAMETER_OUT_OF_RANGE",
                f"{less} of {definition.kind} is {values[less]:g}, "
                f"must be less than {more}, {values[more]:g}",
                field=f"parameters[{less}]",
            )


CARRIED = {
    "OHLCV": (Needs.CLOSE, Needs.RANGE, Needs.VOLUME),
    "OHLC": (Needs.CLOSE, Needs.RANGE),
    "CLOSE_ONLY": (Needs.CLOSE,),
}
