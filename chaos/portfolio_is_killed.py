"""Portfolio is killed, and started again two seconds later."""

from fixtures.experiment import Experiment
from fixtures.faults import Planned, Target
from fixtures.faults.process import Kill
from fixtures.session import MARKET, SURVIVES, TRADERS

EXPERIMENT = Experiment(
    name="portfolio_is_killed",
    title="A killed ledger books every fill, once.",
    market=MARKET,
    traders=TRADERS,
    faults=(
        Planned(1.0, 2.0, Kill(), Target("portfolio")),
        Planned(5.0, 2.0, Kill(), Target("portfolio")),
    ),
    hypothesis=SURVIVES,
)
