"""Watches open anew while indicators read what they have missed a second late."""

from fixtures.experiment import Experiment
from fixtures.faults import Planned, Target
from fixtures.faults.network import Latency
from fixtures.faults.process import Kill
from fixtures.session import MARKET, SURVIVES, TRADERS

EXPERIMENT = Experiment(
    name="candles_are_read_late",
    title="A candle that comes while the past is read counts once in every average.",
    market=MARKET,
    traders=TRADERS,
    faults=(
        Planned(0.5, 8.0, Latency(added_s=0.3), Target("indicators", "marketdata")),
        Planned(1.0, 1.0, Kill(), Target("strategy")),
        Planned(4.0, 1.0, Kill(), Target("strategy")),
    ),
    hypothesis=SURVIVES,
)
