"""Execution is killed, and started again two seconds later."""

from fixtures.experiment import Experiment
from fixtures.faults import Planned, Target
from fixtures.faults.process import Kill
from fixtures.session import MARKET, SURVIVES, TRADERS

EXPERIMENT = Experiment(
    name="execution_is_killed",
    title="A killed execution service continues where it stopped.",
    market=MARKET,
    traders=TRADERS,
    faults=(
        Planned(1.0, 2.0, Kill(), Target("execution")),
        Planned(5.0, 2.0, Kill(), Target("execution")),
    ),
    hypothesis=SURVIVES,
)
