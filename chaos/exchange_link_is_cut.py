"""The link to the exchange is cut for ten seconds while orders flow."""

from fixtures.experiment import Experiment
from fixtures.faults import Planned, Target
from fixtures.faults.network import Cut
from fixtures.session import MARKET, SURVIVES, TRADERS

EXPERIMENT = Experiment(
    name="exchange_link_is_cut",
    title="While the link to the exchange is cut for ten seconds no order is doubled or lost.",
    market=MARKET,
    traders=TRADERS,
    faults=(Planned(1.0, 10.0, Cut(), Target("execution", "exchange")),),
    hypothesis=SURVIVES,
)
