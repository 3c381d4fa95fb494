"""Anything at all goes wrong, by chance."""

from datetime import timedelta

from fixtures.experiment import ByHand, Experiment, Swarm
from fixtures.session import MARKET, SURVIVES, TRADERS

EXPERIMENT = Experiment(
    name="everything_at_once",
    title="Whatever goes wrong, nothing is lost, doubled or left open.",
    market=MARKET,
    traders=TRADERS,
    faults=Swarm(),
    by_hand=(
        ByHand(0.5, "SQ00.XSIM", 60, over=timedelta(minutes=14), cancelled_at_s=6.0),
        ByHand(1.0, "SQ01.XSIM", 40, limit="99.00", cancelled_at_s=4.0),
        ByHand(2.0, "SQ02.XSIM", -20),
        ByHand(3.0, "SQ01.XSIM", -30, limit="101.00", cancelled_at_s=3.05),
    ),
    hypothesis=SURVIVES,
)
