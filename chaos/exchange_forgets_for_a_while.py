"""The exchange loses answers, and queries do not find what it has accepted; people cancel."""

from fixtures.experiment import ByHand, Experiment
from fixtures.faults import Planned
from fixtures.faults.venue import ForgetfulQuery, ReportsDelayed, VenueAnswerLost
from fixtures.session import MARKET, SURVIVES, TRADERS

DEALS = 10

EXPERIMENT = Experiment(
    name="exchange_forgets_for_a_while",
    title="An order that a query did not find is not sent again, nor called off.",
    market=MARKET,
    traders=TRADERS,
    faults=(
        Planned(0.5, 40.0, VenueAnswerLost(share=0.3)),
        Planned(0.5, 40.0, ForgetfulQuery(duration_s=1.9)),
        Planned(0.5, 40.0, ReportsDelayed(share=0.5, duration_s=1.8)),
    ),
    by_hand=tuple(
        ByHand(1.0 + 4 * deal, "SQ02.XSIM", 20 + deal, cancelled_at_s=2.0 + 4 * deal)
        for deal in range(DEALS)
    ),
    hypothesis=SURVIVES,
)
