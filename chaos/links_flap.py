"""Every link is cut and whole again, twice a second."""

from fixtures.experiment import Experiment
from fixtures.faults import Planned
from fixtures.faults.partitions import Flapping
from fixtures.session import MARKET, SURVIVES, TRADERS

EXPERIMENT = Experiment(
    name="links_flap",
    title="Links that flap delay, and lose nothing.",
    market=MARKET,
    traders=TRADERS,
    faults=(Planned(0.5, 6.0, Flapping(down_s=0.25, up_s=0.25)),),
    hypothesis=SURVIVES,
)
