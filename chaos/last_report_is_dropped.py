"""Now and then the venue's newest report is not delivered."""

from fixtures.experiment import Experiment
from fixtures.faults import Planned
from fixtures.faults.venue import LastReportDropped
from fixtures.session import MARKET, SURVIVES, TRADERS

EXPERIMENT = Experiment(
    name="last_report_is_dropped",
    title="A fill that no stream told of is found all the same.",
    market=MARKET,
    traders=TRADERS,
    faults=(Planned(0.5, 6.0, LastReportDropped(share=0.6)),),
    hypothesis=SURVIVES,
)
