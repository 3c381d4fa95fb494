"""The exchange restarts under way, and is slow and strict when it is back."""

from fixtures.experiment import Experiment
from fixtures.faults import Planned
from fixtures.faults.venue import VenueRestart, VenueThrottle
from fixtures.session import MARKET, SURVIVES, TRADERS

EXPERIMENT = Experiment(
    name="exchange_restarts",
    title="A restart of the venue is survived.",
    market=MARKET,
    traders=TRADERS,
    faults=(
        Planned(0.5, 5.0, VenueRestart(share=0.5)),
        Planned(5.0, 3.0, VenueThrottle(calls_s=1)),
    ),
    hypothesis=SURVIVES,
)
