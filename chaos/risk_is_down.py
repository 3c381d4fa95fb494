"""Risk is killed and comes back eight seconds later."""

from fixtures.experiment import Experiment
from fixtures.faults import Planned, Target
from fixtures.faults.process import Kill
from fixtures.session import MARKET, SURVIVES, TRADERS

EXPERIMENT = Experiment(
    name="risk_is_down",
    title="While the risk service is down no order leaves.",
    market=MARKET,
    traders=TRADERS,
    faults=(Planned(1.0, 8.0, Kill(), Target("risk")),),
    hypothesis=SURVIVES,
)
