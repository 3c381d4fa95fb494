"""Requests to the exchange get lost, or arrive twice; orders by hand are wanted all the same."""

from fixtures.experiment import ByHand, Experiment
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
    by_hand=tuple(ByHand(1.0 + deal, f"SQ0{deal % 3}.XSIM", 20 + deal) for deal in range(5)),
    hypothesis=SURVIVES,
)
