"""Streams between services break off again and again."""

from fixtures.experiment import Experiment
from fixtures.faults import Planned
from fixtures.faults.network import Resets
from fixtures.faults.rpc import StreamCut
from fixtures.session import MARKET, SURVIVES, TRADERS

EXPERIMENT = Experiment(
    name="streams_break_off",
    title="A stream that broke is resumed without a gap.",
    market=MARKET,
    traders=TRADERS,
    faults=(
        Planned(0.5, 6.0, StreamCut(share=0.3, at_message=1)),
        Planned(2.0, 4.0, Resets(share=0.05)),
    ),
    hypothesis=SURVIVES,
)
