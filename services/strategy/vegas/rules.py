"""The parameters of the tunnel: their schema, and the rules they set."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from services.strategy.parameters import Choice, Parameter, Real, Whole, refused
from services.strategy.terms import Config, SizingWay, StrategyRefused
from services.strategy.vegas import inputs as i
from services.strategy.vegas.conditions import DEFAULT_WEIGHTS, OFF_BY_DEFAULT
from services.strategy.vegas.filters import FIB_AGAINST_TREND, FILTERS

STOP_AND_REVERSE, AS_SIZED = "STOP_AND_REVERSE", "AS_SIZED"
WEIGHTED, COUNT = "WEIGHTED", "COUNT"
ON, OFF = "ON", "OFF"
SUPPORT_MIN = 2.0
PERIODS = (12, 144, 169, 576, 676, 2304, 2704)
PERIOD_MAX, WEIGHT_MAX = 5_000, 10.0
TIGHT_STOP, DEBUG = "tight_stop", "debug"


def _switch(name: str, *, is_on: bool) -> Choice:
    return Choice(name, (ON, OFF) if is_on else (OFF, ON))


def _weight_name(condition: str) -> str:
    return f"weight_{condition.lower()}"


def _period(name: str, default: int) -> Whole:
    return Whole(name, default, 1, PERIOD_MAX)


SCHEMA: tuple[Parameter, ...] = (
    Choice("mode", (STOP_AND_REVERSE, AS_SIZED)),
    Choice("vote_mode", (WEIGHTED, COUNT)),
    Real("support_min", SUPPORT_MIN, 0.0, 100.0),
    *(_period(n, period) for n, period in zip(i.EMA_NAMES, PERIODS, strict=True)),
    *(Real(_weight_name(n), weight, 0.0, WEIGHT_MAX) for n, weight in DEFAULT_WEIGHTS.items()),
    *(_switch(n.lower(), is_on=n not in OFF_BY_DEFAULT) for n in DEFAULT_WEIGHTS),
    *(_switch(n.lower(), is_on=n != FIB_AGAINST_TREND) for n in FILTERS),
    _switch(TIGHT_STOP, is_on=True),
    _switch(DEBUG, is_on=False),
)


@dataclass(frozen=True, slots=True)
class Rules:
    """What is switched on, and what it weighs."""

    weights: Mapping[str, float]
    filters: tuple[str, ...]
    support_min: float
    is_by_count: bool
    is_tight_stop_on: bool
    is_debug: bool


def rules_of(parameters: Mapping[str, float | str]) -> Rules:
    """Return the rules that complete parameters set."""
    return Rules(
        weights={
            name: float(parameters[_weight_name(name)])
            for name in DEFAULT_WEIGHTS
            if parameters[name.lower()] == ON
        },
        filters=tuple(name for name in FILTERS if parameters[name.lower()] == ON),
        support_min=float(parameters["support_min"]),
        is_by_count=parameters["vote_mode"] == COUNT,
        is_tight_stop_on=parameters[TIGHT_STOP] == ON,
        is_debug=parameters[DEBUG] == ON,
    )


def periods_of(parameters: Mapping[str, float | str]) -> list[int]:
    """Return the periods of the seven averages."""
    return [int(parameters[name]) for name in i.EMA_NAMES]


def check(config: Config) -> None:
    """Refuse periods out of order, or a sizing that the mode cannot use."""
    periods = periods_of(config.parameters)
    for at, (fast, slow) in enumerate(pairwise(periods)):
        if fast >= slow:
            raise refused(i.EMA_NAMES[at], f"{fast}", f"less than {i.EMA_NAMES[at + 1]}, {slow}")
    is_reversing = config.parameters["mode"] == STOP_AND_REVERSE
    unfit = SizingWay.RISK_SHARE if is_reversing else SizingWay.TARGET_POSITION
    if config.sizing.way is unfit:
        raise StrategyRefused(
            "SIZING_INVALID",
            f"sizing is a {unfit.value}, which mode {config.parameters['mode']} cannot use: "
            f"choose another sizing, or mode {AS_SIZED if is_reversing else STOP_AND_REVERSE}",
            field="sizing",
        )
