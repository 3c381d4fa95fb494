"""The exchange takes trades back and corrects others."""

from fixtures.experiment import Experiment
from fixtures.faults import Planned
from fixtures.faults.venue_market import Busts, Corrections
from fixtures.session import MARKET, SURVIVES, TRADERS

EXPERIMENT = Experiment(
    name="exchange_takes_trades_back",
    title="A busted trade is unbooked, a corrected one booked as it is now.",
    market=MARKET,
    traders=TRADERS,
    faults=(
        Planned(0.5, 6.0, Busts(share=0.2)),
        Planned(0.5, 6.0, Corrections(share=0.2)),
    ),
    hypothesis=SURVIVES,
)
