"""The exchange fills in parts, and in many small trades."""

from fixtures.experiment import Experiment
from fixtures.faults import Planned
from fixtures.faults.venue_market import PartialOnly, SplitFills
from fixtures.session import MARKET, SURVIVES, TRADERS

EXPERIMENT = Experiment(
    name="exchange_fills_in_parts",
    title="Many small fills add up to one order.",
    market=MARKET,
    traders=TRADERS,
    faults=(
        Planned(0.5, 6.0, PartialOnly(factor=20.0)),
        Planned(0.5, 6.0, SplitFills(parts=5)),
    ),
    hypothesis=SURVIVES,
)
