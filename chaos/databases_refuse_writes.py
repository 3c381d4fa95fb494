"""Every database refuses writes for five seconds."""

from fixtures.experiment import Experiment
from fixtures.faults import Planned, Target
from fixtures.faults.database import DiskFull
from fixtures.session import MARKET, SURVIVES, TRADERS

EXPERIMENT = Experiment(
    name="databases_refuse_writes",
    title="While the databases refuse writes for five seconds nothing is half done.",
    market=MARKET,
    traders=TRADERS,
    faults=(
        Planned(1.0, 5.0, DiskFull(), Target("marketdata")),
        Planned(1.0, 5.0, DiskFull(), Target("strategy")),
        Planned(1.0, 5.0, DiskFull(), Target("risk")),
        Planned(1.0, 5.0, DiskFull(), Target("orders")),
        Planned(1.0, 5.0, DiskFull(), Target("execution")),
        Planned(1.0, 5.0, DiskFull(), Target("portfolio")),
    ),
    hypothesis=SURVIVES,
)
