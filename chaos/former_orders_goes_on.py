"""The orders service wakes up when another one has taken over, and goes on."""

from fixtures.experiment import Experiment
from fixtures.faults import Planned, Target
from fixtures.faults.split_brain import SplitBrain
from fixtures.session import MARKET, SURVIVES, TRADERS

EXPERIMENT = Experiment(
    name="former_orders_goes_on",
    title="A former orders service that goes on beside its successor changes nothing.",
    market=MARKET,
    traders=TRADERS,
    faults=(
        Planned(1.0, 3.0, SplitBrain(), Target("orders")),
        Planned(6.0, 3.0, SplitBrain(asleep_s=0.0), Target("orders")),
    ),
    hypothesis=SURVIVES,
)
