"""Requests arrive when their time is nearly over, or without their end."""

from fixtures.experiment import Experiment
from fixtures.faults import Planned
from fixtures.faults.rpc import DeadlineSqueeze, Truncated
from fixtures.session import MARKET, SURVIVES, TRADERS

EXPERIMENT = Experiment(
    name="deadlines_are_squeezed",
    title="What ended too late or was cut short has not half happened.",
    market=MARKET,
    traders=TRADERS,
    faults=(
        Planned(0.5, 3.0, DeadlineSqueeze(share=0.2)),
        Planned(4.0, 3.0, Truncated(share=0.1)),
    ),
    hypothesis=SURVIVES,
)
