"""Some service crashes at some commit, again and again."""

from fixtures.experiment import Experiment, Swarm
from fixtures.faults.process import CrashAfterCommit, CrashBeforeCommit
from fixtures.session import MARKET, SURVIVES, TRADERS

EXPERIMENT = Experiment(
    name="any_commit_crashes",
    title="Wherever a process ends, all is known within five seconds of its return.",
    market=MARKET,
    traders=TRADERS,
    faults=Swarm(
        over_s=8.0, kinds=(CrashAfterCommit, CrashBeforeCommit), faults_max=12, longest_s=1.0
    ),
    hypothesis=SURVIVES,
    recovers_within_s=5.0,
)
