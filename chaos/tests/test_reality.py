"""One and the same experiment in virtual time and on real processes, proxies and servers.

A link that Toxiproxy breaks, and a process that is killed. A bound on recovery is time that is
measured, so nothing else is tested meanwhile. `pytest chaos --world processes` runs every one.
"""

from collections.abc import Callable

import pytest

from chaos import execution_is_killed, links_flap
from fixtures.experiment import Experiment, Swarm
from fixtures.outcome import FaultSeen, Outcome, Verdict
from fixtures.places import TOPOLOGY, Place
from fixtures.stores.kinds import StoreKind
from fixtures.toxiproxy.local import lacking
from fixtures.trial import Plan, conduct, judge
from fixtures.worlds import World

SIMULATED = Place(World.SIMULATED, topology=TOPOLOGY)
PROCESSES = Place(World.PROCESSES, StoreKind.LOCAL, TOPOLOGY)


def outcome(experiment: Experiment, place: Place) -> Outcome:
    plan = Plan(experiment, place, seed=1)
    with place.world.runner() as runner:
        return judge(runner.run(conduct(plan)), experiment)


def has_struck(found: Outcome, fault: FaultSeen) -> bool:
    """Tell whether a fault met anybody: what a proxy does is not counted, its failed calls are."""
    assert fault.for_s is not None
    begin_s, end_s = fault.at_s, fault.at_s + fault.for_s
    meanwhile = [one for one in found.figures.timeline if begin_s < one.to_s and one.from_s < end_s]
    return bool(fault.firings) or any(one.errors for one in meanwhile)


@pytest.mark.alone
@pytest.mark.real_time
@pytest.mark.parametrize(
    "experiment",
    [links_flap.EXPERIMENT, execution_is_killed.EXPERIMENT],
    ids=["link", "process"],
)
def test_the_same_experiment_passes_the_same_checks_in_virtual_time_and_in_reality(
    experiment: Experiment, leave_out: Callable[[str], None]
) -> None:
    assert not isinstance(experiment.faults, Swarm)
    if missing := (*PROCESSES.kind.lacking(), *lacking()):
        leave_out("; ".join(missing))
    both = [outcome(experiment, place) for place in (SIMULATED, PROCESSES)]
    for found in both:
        violations = [(check.name, check.violations) for check in found.checks if check.violations]
        assert not violations, found.replay
        assert found.verdict is Verdict.PASSED, f"{found.world}: {found.reason}"
        assert len(found.faults) == len(experiment.faults)
        assert all(has_struck(found, fault) for fault in found.faults), found.faults
    simulated, processes = ([check.name for check in found.checks] for found in both)
    assert simulated == processes
