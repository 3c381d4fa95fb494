"""What can be computed: every built indicator, its parameters, outputs and warm-up."""

from collections.abc import Mapping

from services.indicators.catalogue.averages import AVERAGES
from services.indicators.catalogue.definition import (
    Definition,
    Needs,
    Output,
    Parameter,
    Setup,
)
from services.indicators.catalogue.oscillators import OSCILLATORS
from services.indicators.catalogue.patterns import PATTERNS
from services.indicators.catalogue.swings import SWINGS
from services.indicators.catalogue.volatility import VOLATILITY

__all__ = ["CATALOGUE", "Definition", "Needs", "Output", "Parameter", "Setup"]

CATALOGUE: Mapping[str, Definition] = {
    one.kind: one for one in (*AVERAGES, *OSCILLATORS, *VOLATILITY, *PATTERNS, *SWINGS)
}
