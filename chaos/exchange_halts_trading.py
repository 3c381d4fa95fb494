"""Instruments are halted, and cancels come too late."""

from fixtures.experiment import Experiment
from fixtures.faults import Planned
from fixtures.faults.venue_market import CancelTooLate, Halts
from fixtures.session import MARKET, SURVIVES, TRADERS

EXPERIMENT = Experiment(
    name="exchange_halts_trading",
    title="A halt delays, and loses nothing.",
    market=MARKET,
    traders=TRADERS,
    faults=(
        Planned(0.5, 6.0, Halts(share=0.2)),
        Planned(0.5, 6.0, CancelTooLate(share=0.5)),
    ),
    hypothesis=SURVIVES,
)
