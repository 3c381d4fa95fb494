"""Anything at all goes wrong, by chance."""

from fixtures.experiment import Experiment, Swarm
from fixtures.session import MARKET, SURVIVES, TRADERS

EXPERIMENT = Experiment(
    name="everything_at_once",
    title="Whatever goes wrong, nothing is lost, doubled or left open.",
    market=MARKET,
    traders=TRADERS,
    faults=Swarm(),
    hypothesis=SURVIVES,
)
