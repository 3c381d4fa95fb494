"""An operator lets nothing new leave, then halts the account, then lets it only reduce."""

from dataclasses import replace
from datetime import timedelta

from fixtures.checks import WITH_HALTS
from fixtures.experiment import ByHand, Experiment
from fixtures.faults import Planned, Target
from fixtures.faults.operators import TradingStopped
from fixtures.faults.process import Restart
from fixtures.session import MARKET, SURVIVES, TRADERS

EXPERIMENT = Experiment(
    name="an_operator_halts_trading",
    title="A halt stops and cancels everything, whoever restarts; reducing goes on where it may.",
    market=replace(MARKET, is_live=True),
    traders=TRADERS,
    faults=(
        Planned(1.0, 2.0, TradingStopped(mode="CANCEL_ONLY", scope="account:main")),
        Planned(1.5, 0.5, Restart(), Target("execution")),
        Planned(4.0, 3.0, TradingStopped(mode="HALTED", scope="account:main")),
        Planned(5.0, 0.5, Restart(), Target("risk")),
        Planned(8.0, 6.0, TradingStopped(mode="REDUCE_ONLY", scope="firm")),
    ),
    by_hand=(
        ByHand(0.1, "SQ00.XSIM", 100, over=timedelta(minutes=14)),
        ByHand(0.2, "SQ01.XSIM", -59, over=timedelta(minutes=9)),
        ByHand(0.5, "SQ02.XSIM", 30, limit="98.00"),
        ByHand(3.2, "SQ01.XSIM", -30, limit="102.00"),
        ByHand(4.5, "SQ02.XSIM", 20),
    ),
    hypothesis=(*SURVIVES, *WITH_HALTS),
)
