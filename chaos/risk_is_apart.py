"""Risk is apart from all others for five seconds, then deaf for three."""

from fixtures.experiment import Experiment
from fixtures.faults import Planned, Target
from fixtures.faults.partitions import OneWayPartition, Partition
from fixtures.session import MARKET, SURVIVES, TRADERS

EXPERIMENT = Experiment(
    name="risk_is_apart",
    title="A partition around risk lets nothing through unapproved.",
    market=MARKET,
    traders=TRADERS,
    faults=(
        Planned(0.5, 5.0, Partition(), Target("risk")),
        Planned(6.0, 3.0, OneWayPartition(), Target("risk")),
    ),
    hypothesis=SURVIVES,
)
