"""The exchange rejects orders and cancels others unasked."""

from fixtures.experiment import Experiment
from fixtures.faults import Planned
from fixtures.faults.venue_market import Rejects, UnsolicitedCancels
from fixtures.session import MARKET, SURVIVES, TRADERS

EXPERIMENT = Experiment(
    name="exchange_rejects_orders",
    title="What the venue refuses or takes back is known as it is.",
    market=MARKET,
    traders=TRADERS,
    faults=(
        Planned(0.5, 4.0, Rejects(share=0.3)),
        Planned(2.0, 4.0, UnsolicitedCancels(share=0.2)),
    ),
    hypothesis=SURVIVES,
)
