"""Every commit of orders and risk takes longer, then the server fails over."""

from fixtures.experiment import Experiment
from fixtures.faults import Planned, Target
from fixtures.faults.database import DatabaseSlow
from fixtures.faults.servers import DatabaseFailover
from fixtures.session import MARKET, SURVIVES, TRADERS

EXPERIMENT = Experiment(
    name="databases_are_slow",
    title="Slow commits delay, and lose nothing.",
    market=MARKET,
    traders=TRADERS,
    faults=(
        Planned(0.5, 4.0, DatabaseSlow(added_s=0.2), Target("orders")),
        Planned(0.5, 4.0, DatabaseSlow(added_s=0.2), Target("risk")),
        Planned(5.0, 3.0, DatabaseFailover()),
    ),
    hypothesis=SURVIVES,
)
