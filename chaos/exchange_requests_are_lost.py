"""Requests to the exchange get lost, or arrive twice."""

from fixtures.experiment import Experiment
from fixtures.faults import Planned
from fixtures.faults.venue import VenueRequestDuplicated, VenueRequestLost
from fixtures.session import MARKET, SURVIVES, TRADERS

EXPERIMENT = Experiment(
    name="exchange_requests_are_lost",
    title="An order whose request was lost or doubled is placed once.",
    market=MARKET,
    traders=TRADERS,
    faults=(
        Planned(0.5, 6.0, VenueRequestLost(share=0.2)),
        Planned(0.5, 6.0, VenueRequestDuplicated(share=0.3)),
    ),
    hypothesis=SURVIVES,
)
