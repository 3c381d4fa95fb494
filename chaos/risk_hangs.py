"""Risk hangs for so long that breakers open before it goes on."""

from fixtures.experiment import Experiment
from fixtures.faults import Planned, Target
from fixtures.faults.pausing import Pause
from fixtures.session import MARKET, SURVIVES, TRADERS

EXPERIMENT = Experiment(
    name="risk_hangs",
    title="A signal that no call could be made for is decided all the same.",
    market=MARKET,
    traders=TRADERS,
    faults=(Planned(0.5, 15.0, Pause(), Target("risk")),),
    hypothesis=SURVIVES,
    recovers_within_s=45.0,  # A breaker that opens last is open for 30 s.
    has_breakers=True,
)
