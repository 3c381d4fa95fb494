"""Redis dies, fails over to a replica that is behind, and is trimmed."""

from fixtures.experiment import Experiment
from fixtures.faults import Planned
from fixtures.faults.consumers import ConsumerDead
from fixtures.faults.streams import StreamsDown, StreamsFailover, StreamsTrimmed
from fixtures.session import MARKET, SURVIVES, TRADERS

EXPERIMENT = Experiment(
    name="redis_fails_over",
    title="Signals that Redis lost are published again.",
    market=MARKET,
    traders=TRADERS,
    faults=(
        Planned(0.5, 2.0, StreamsDown()),
        Planned(3.0, 1.0, StreamsFailover(lost=3)),
        Planned(4.5, 1.0, StreamsTrimmed()),
        Planned(6.0, 1.0, ConsumerDead(taken=2)),
    ),
    hypothesis=SURVIVES,
)
