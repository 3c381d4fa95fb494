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
        Planned(0.5, 6.0, StreamCut(share=1.0, at_message=3)),
        Planned(0.5, 6.0, Resets(share=0.1)),
    ),
    hypothesis=SURVIVES,
)
