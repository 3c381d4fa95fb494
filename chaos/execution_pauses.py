"""Execution stands still for three seconds, and goes on as if nothing had been."""

from fixtures.experiment import Experiment
from fixtures.faults import Planned, Target
from fixtures.faults.pausing import Pause
from fixtures.session import MARKET, SURVIVES, TRADERS

EXPERIMENT = Experiment(
    name="execution_pauses",
    title="Who has slept does not act on what is over.",
    market=MARKET,
    traders=TRADERS,
    faults=(
        Planned(1.0, 3.0, Pause(), Target("execution")),
        Planned(5.0, 2.0, Pause(), Target("orders")),
    ),
    hypothesis=SURVIVES,
)
