"""The way to risk takes half a second longer, each way."""

from fixtures.experiment import Experiment
from fixtures.faults import Planned, Target
from fixtures.faults.network import Latency
from fixtures.session import MARKET, SURVIVES, TRADERS

EXPERIMENT = Experiment(
    name="risk_answers_late",
    title="A late approval is no approval for a later moment.",
    market=MARKET,
    traders=TRADERS,
    faults=(Planned(0.5, 6.0, Latency(added_s=0.5, jitter_s=0.2), Target("orders", "risk")),),
    hypothesis=SURVIVES,
)
