"""The exchange loses answers, and queries do not find what it has accepted."""

from fixtures.experiment import Experiment
from fixtures.faults import Planned
from fixtures.faults.venue import ForgetfulQuery, ReportsDelayed, VenueAnswerLost
from fixtures.session import MARKET, SURVIVES, TRADERS

EXPERIMENT = Experiment(
    name="exchange_forgets_for_a_while",
    title="An order that a query did not find is not sent again.",
    market=MARKET,
    traders=TRADERS,
    faults=(
        Planned(0.5, 6.0, VenueAnswerLost(share=0.3)),
        Planned(0.5, 6.0, ForgetfulQuery()),
        Planned(0.5, 6.0, ReportsDelayed(share=0.5, duration_s=1.8)),
    ),
    hypothesis=SURVIVES,
)
