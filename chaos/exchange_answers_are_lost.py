"""Three of ten answers of the exchange are lost, and orders by hand are repeated."""

from fixtures.experiment import ByHand, Experiment
from fixtures.faults import Planned
from fixtures.faults.venue import VenueAnswerLost
from fixtures.session import MARKET, SURVIVES, TRADERS

EXPERIMENT = Experiment(
    name="exchange_answers_are_lost",
    title="An order that was placed without an answer is placed once.",
    market=MARKET,
    traders=TRADERS,
    faults=(Planned(0.5, 6.0, VenueAnswerLost(share=0.3)),),
    by_hand=tuple(ByHand(1.0 + number, "SQ01.XSIM", 3 + number) for number in range(4)),
    hypothesis=SURVIVES,
)
