"""Redis is emptied, three times."""

from fixtures.experiment import Experiment
from fixtures.faults import Planned
from fixtures.faults.streams import StreamsEmptied
from fixtures.session import MARKET, SURVIVES, TRADERS

EXPERIMENT = Experiment(
    name="streams_are_emptied",
    title="While Redis is emptied no signal is lost.",
    market=MARKET,
    traders=TRADERS,
    faults=(
        Planned(1.0, 0.1, StreamsEmptied()),
        Planned(3.0, 0.1, StreamsEmptied()),
        Planned(4.5, 0.5, StreamsEmptied()),
    ),
    hypothesis=SURVIVES,
)
