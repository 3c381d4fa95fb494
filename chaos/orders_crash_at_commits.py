"""Orders and execution crash right before and right after commits."""

from fixtures.experiment import Experiment
from fixtures.faults import Planned, Target
from fixtures.faults.process import CrashAfterCommit, CrashBeforeCommit
from fixtures.session import MARKET, SURVIVES, TRADERS

EXPERIMENT = Experiment(
    name="orders_crash_at_commits",
    title="What was committed is carried on with, what was not never was.",
    market=MARKET,
    traders=TRADERS,
    faults=(
        Planned(0.5, 0.8, CrashAfterCommit(writes=1), Target("orders")),
        Planned(2.0, 0.8, CrashBeforeCommit(writes=1), Target("orders")),
        Planned(3.5, 0.8, CrashAfterCommit(writes=2), Target("execution")),
        Planned(5.0, 0.8, CrashBeforeCommit(writes=1), Target("execution")),
        Planned(6.5, 0.8, CrashAfterCommit(writes=3), Target("orders")),
    ),
    hypothesis=SURVIVES,
)
