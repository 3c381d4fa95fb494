"""What people order arrives twice at once, and again a second later, and answers are lost."""

from fixtures.experiment import ByHand, Experiment
from fixtures.faults import Planned
from fixtures.faults.rpc import Duplicated, ReplyLost, RequestRepeated
from fixtures.session import MARKET, SURVIVES, TRADERS

EXPERIMENT = Experiment(
    name="orders_by_hand_arrive_twice",
    title="An order of a person that arrives again and again is one order.",
    market=MARKET,
    traders=TRADERS,
    faults=(
        Planned(0.1, 7.0, Duplicated()),
        Planned(0.1, 7.0, RequestRepeated(share=0.5)),
        Planned(0.1, 7.0, ReplyLost(share=0.3)),
    ),
    by_hand=tuple(
        ByHand(at_s=0.3 + 0.5 * number, instrument="SQ00.XSIM", quantity=(number + 1) * sign)
        for number, sign in enumerate((1, -1) * 6)
    ),
    hypothesis=SURVIVES,
)
