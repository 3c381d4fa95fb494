"""Reports of the venue come late, and the stream of them breaks."""

from fixtures.experiment import Experiment
from fixtures.faults import Planned
from fixtures.faults.venue import ReportsDelayed, ReportStreamCut
from fixtures.session import MARKET, SURVIVES, TRADERS

EXPERIMENT = Experiment(
    name="reports_come_late",
    title="Every report is booked, however late it comes.",
    market=MARKET,
    traders=TRADERS,
    faults=(
        Planned(0.5, 6.0, ReportsDelayed(share=0.5)),
        Planned(0.5, 6.0, ReportStreamCut(share=0.2)),
    ),
    hypothesis=SURVIVES,
)
