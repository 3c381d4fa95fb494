"""Requests arrive twice, at once or a second later."""

from fixtures.experiment import Experiment
from fixtures.faults import Planned
from fixtures.faults.rpc import Duplicated, RequestRepeated
from fixtures.session import MARKET, SURVIVES, TRADERS

EXPERIMENT = Experiment(
    name="requests_arrive_twice",
    title="A request that arrives twice has one effect.",
    market=MARKET,
    traders=TRADERS,
    faults=(
        Planned(0.5, 6.0, Duplicated(share=0.3)),
        Planned(0.5, 6.0, RequestRepeated(share=0.2)),
    ),
    hypothesis=SURVIVES,
)
