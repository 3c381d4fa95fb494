"""The venue sends each of its reports twice, in any order."""

from fixtures.experiment import Experiment
from fixtures.faults import Planned
from fixtures.faults.venue import ReportsDuplicated, ReportsReordered
from fixtures.session import MARKET, SURVIVES, TRADERS

EXPERIMENT = Experiment(
    name="reports_come_twice",
    title="A duplicated report storm changes no balance.",
    market=MARKET,
    traders=TRADERS,
    faults=(
        Planned(0.5, 8.0, ReportsDuplicated(share=1.0)),
        Planned(0.5, 8.0, ReportsReordered()),
    ),
    hypothesis=SURVIVES,
)
