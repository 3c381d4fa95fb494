"""The exchange answers nothing but UNAVAILABLE for five seconds."""

from fixtures.checks import WITH_DOUBTS
from fixtures.experiment import Experiment
from fixtures.faults import Planned
from fixtures.faults.venue import VenueOutage
from fixtures.session import MARKET, SURVIVES, TRADERS

EXPERIMENT = Experiment(
    name="exchange_is_out",
    title="While the venue is out no order is doubled or lost.",
    market=MARKET,
    traders=TRADERS,
    faults=(Planned(1.0, 5.0, VenueOutage()),),
    hypothesis=(*SURVIVES, *WITH_DOUBTS),
)
