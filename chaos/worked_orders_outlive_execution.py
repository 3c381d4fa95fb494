"""Execution is killed while it works orders of people in parts."""

from dataclasses import replace
from datetime import timedelta

from fixtures.checks import WITH_ALGORITHMS
from fixtures.experiment import ByHand, Experiment
from fixtures.faults import Planned, Target
from fixtures.faults.process import Kill
from fixtures.session import MARKET, SURVIVES, TRADERS

EXPERIMENT = Experiment(
    name="worked_orders_outlive_execution",
    title="An order that is worked over time is worked to its end.",
    market=replace(MARKET, is_live=True),
    traders=TRADERS,
    faults=(Planned(2.5, 1.0, Kill(), Target("execution")),),
    by_hand=(
        ByHand(at_s=0.5, instrument="SQ00.XSIM", quantity=100, over=timedelta(minutes=4)),
        ByHand(at_s=1.0, instrument="SQ01.XSIM", quantity=-59, over=timedelta(minutes=5)),
    ),
    hypothesis=(*SURVIVES, *WITH_ALGORITHMS),
)
