"""Commits happen, or not, and nobody hears which."""

from fixtures.experiment import Experiment
from fixtures.faults import Planned, Target
from fixtures.faults.database import CommitHappened, CommitLost
from fixtures.session import MARKET, SURVIVES, TRADERS

EXPERIMENT = Experiment(
    name="commits_are_unknown",
    title="A commit that nobody heard of is looked up, not guessed.",
    market=MARKET,
    traders=TRADERS,
    faults=(
        Planned(0.5, 1.0, CommitHappened(commits=3), Target("orders")),
        Planned(1.5, 1.0, CommitLost(commits=3), Target("orders")),
        Planned(2.5, 1.0, CommitHappened(commits=3), Target("execution")),
        Planned(3.5, 1.0, CommitLost(commits=3), Target("execution")),
        Planned(4.5, 1.0, CommitHappened(commits=3), Target("portfolio")),
        Planned(5.5, 1.0, CommitLost(commits=3), Target("strategy")),
    ),
    hypothesis=SURVIVES,
)
