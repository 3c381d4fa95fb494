"""One service after the other is restarted."""

from fixtures.experiment import Experiment
from fixtures.faults import Planned, Target
from fixtures.faults.process import Restart
from fixtures.session import MARKET, SURVIVES, TRADERS

EXPERIMENT = Experiment(
    name="every_service_restarts",
    title="A rollout loses nothing.",
    market=MARKET,
    traders=TRADERS,
    faults=(
        Planned(1.0, 0.5, Restart(), Target("portfolio")),
        Planned(2.0, 0.5, Restart(), Target("execution")),
        Planned(3.0, 0.5, Restart(), Target("orders")),
        Planned(4.0, 0.5, Restart(), Target("risk")),
        Planned(5.0, 0.5, Restart(), Target("strategy")),
        Planned(6.0, 0.5, Restart(), Target("indicators")),
        Planned(7.0, 0.5, Restart(), Target("marketdata")),
    ),
    hypothesis=SURVIVES,
)
