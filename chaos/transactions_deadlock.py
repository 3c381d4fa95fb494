"""Transactions are taken back so that others can go on."""

from fixtures.experiment import Experiment
from fixtures.faults import Planned, Target
from fixtures.faults.database import Deadlock
from fixtures.session import MARKET, SURVIVES, TRADERS

EXPERIMENT = Experiment(
    name="transactions_deadlock",
    title="What was taken back is done again, once.",
    market=MARKET,
    traders=TRADERS,
    faults=(
        Planned(0.5, 2.0, Deadlock(transactions=5), Target("orders")),
        Planned(1.5, 2.0, Deadlock(transactions=5), Target("execution")),
        Planned(2.5, 2.0, Deadlock(transactions=5), Target("risk")),
        Planned(3.5, 2.0, Deadlock(transactions=5), Target("portfolio")),
        Planned(4.5, 2.0, Deadlock(transactions=5), Target("strategy")),
    ),
    hypothesis=SURVIVES,
)
