"""Strategy is killed, and started again two seconds later."""

from fixtures.experiment import Experiment
from fixtures.faults import Planned, Target
from fixtures.faults.process import Kill
from fixtures.session import MARKET, SURVIVES, TRADERS

EXPERIMENT = Experiment(
    name="strategy_is_killed",
    title="A killed strategy service evaluates every candle, once.",
    market=MARKET,
    traders=TRADERS,
    faults=(
        Planned(1.0, 2.0, Kill(), Target("strategy")),
        Planned(5.0, 2.0, Kill(), Target("strategy")),
    ),
    hypothesis=SURVIVES,
)
