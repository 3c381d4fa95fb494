"""One in ten calls between services happens without an answer."""

from fixtures.experiment import Experiment
from fixtures.faults import Planned
from fixtures.faults.rpc import ReplyLost
from fixtures.session import MARKET, SURVIVES, TRADERS

EXPERIMENT = Experiment(
    name="replies_are_lost",
    title="What happened without an answer happens once.",
    market=MARKET,
    traders=TRADERS,
    faults=(Planned(0.5, 6.0, ReplyLost(share=0.1)),),
    hypothesis=SURVIVES,
)
