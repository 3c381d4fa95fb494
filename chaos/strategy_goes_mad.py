"""A strategy floods, trades with itself and orders far too much."""

from fixtures.experiment import Experiment
from fixtures.faults import Planned
from fixtures.faults.strategies import ChangedRepeats, CrossesItself, Flood, Oversized, Repeats
from fixtures.session import MARKET, SURVIVES, TRADERS

EXPERIMENT = Experiment(
    name="strategy_goes_mad",
    title="What nobody should send is refused, and hurts nobody else.",
    market=MARKET,
    traders=TRADERS,
    faults=(
        Planned(0.5, 3.0, Flood(each_s=0.05)),
        Planned(2.0, 3.0, CrossesItself(each_s=0.2)),
        Planned(3.0, 3.0, Oversized()),
        Planned(4.0, 3.0, ChangedRepeats()),
        Planned(4.0, 3.0, Repeats()),
    ),
    hypothesis=SURVIVES,
)
