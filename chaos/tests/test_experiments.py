"""What each experiment says of the platform holds; a run that proves nothing is no proof."""

from pathlib import Path

import pytest

from fixtures.commit import current_commit
from fixtures.experiment import Experiment, Swarm
from fixtures.outcome import Verdict
from fixtures.places import Place
from fixtures.trial import Plan, conduct, judge


@pytest.mark.real_time  # The world has a loop of its own.
def test_the_platform_survives(
    place: Place, experiment: Experiment, seed: int, run_folder: Path | None
) -> None:
    plan = Plan(experiment, place, seed, run_folder, current_commit())
    with place.world.runner() as runner:
        outcome = judge(runner.run(conduct(plan)), experiment)
    broken = [
        f"{check.name}: {violation}" for check in outcome.checks for violation in check.violations
    ]
    seen = [f"{one.kind} at {one.target} x{one.firings}" for one in outcome.faults]
    assert not broken, f"{broken[:5]}\nfaults: {seen}\nreplay: {outcome.replay}"
    may_be_void = isinstance(experiment.faults, Swarm)  # What is drawn may strike nobody.
    proves = (Verdict.PASSED, Verdict.VOID) if may_be_void else (Verdict.PASSED,)
    assert outcome.verdict in proves, f"{outcome.reason}\nfaults: {seen}\nreplay: {outcome.replay}"
