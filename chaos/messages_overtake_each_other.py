"""Messages are held up, and others overtake them."""

from fixtures.experiment import Experiment
from fixtures.faults import Planned
from fixtures.faults.network import Jitter
from fixtures.faults.rpc import Reorder
from fixtures.session import MARKET, SURVIVES, TRADERS

EXPERIMENT = Experiment(
    name="messages_overtake_each_other",
    title="What overtakes does not confuse.",
    market=MARKET,
    traders=TRADERS,
    faults=(
        Planned(0.5, 6.0, Jitter(most_s=0.2)),
        Planned(0.5, 6.0, Reorder(share=0.3)),
    ),
    hypothesis=SURVIVES,
)
