"""Many seeds: what they come to adds up, a failure is shrunk, a seed says all of a run."""

import json
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from fixtures.checks import Judgement
from fixtures.experiment import Experiment
from fixtures.facts import Facts
from fixtures.faults import Planned, from_json
from fixtures.faults.venue import VenueSlow
from fixtures.outcome import Outcome, Verdict
from fixtures.places import Place
from fixtures.portion import Portion
from fixtures.portion import from_json as part_from_json
from fixtures.recovery import faults_of
from fixtures.session import MARKET, SURVIVES, TRADERS
from fixtures.trial import Plan, quietly
from fixtures.worlds import World
from plimsoll.failures import WrongUse
from plimsoll.simulate import Where, run_replays, run_simulation
from plimsoll.simulating.engines import Engine, Work, in_processes
from plimsoll.simulating.replays import differing, hashes_of
from plimsoll.simulating.seed_run import SeedRun, Simulated
from plimsoll.simulating.shrinking import least
from plimsoll.simulating.summary import Tally
from plimsoll.trial import run_once

SLOW = (Planned(0.1, 1.0, VenueSlow(factor=2)), Planned(1.2, 3.0, VenueSlow(factor=9)))
EXPERIMENT = Experiment(
    name="short",
    title="",
    market=replace(MARKET, end=MARKET.trading_from + timedelta(minutes=26)),
    traders=TRADERS,
    faults=SLOW,
    hypothesis=SURVIVES,
)
SWARM = Simulated("everything_at_once", "dual-compute-state")
pytestmark = pytest.mark.real_time  # The world has a loop of its own.


def plan_of(experiment: Experiment) -> Plan:
    return Plan(experiment, Place(World.SIMULATED), seed=1)


def is_not_slow_in_sq01(facts: Facts) -> Judgement:
    """Fail by a part of the faults and of the traffic."""
    slow = [one for one in faults_of(facts) if one.figures["factor"] == "9" and one.firings]
    orders = [order for order in facts.orders if order.spec.instrument == "SQ01.XSIM"]
    return Judgement(1, ("it was slow",) if slow and orders else ())


def explodes(facts: Facts) -> Judgement:
    raise LookupError("the check has a bug")


def test_a_failure_is_shrunk_in_faults_and_traffic_and_its_replay_leaves_the_same_history() -> None:
    plan = plan_of(replace(EXPERIMENT, hypothesis=(is_not_slow_in_sq01,)))
    shown = least(plan, run_once(plan, quietly))
    words = shlex.split(shown.replay, comments=True)
    options = dict(zip(words[3::2], words[4::2], strict=True))
    schedule, part = from_json(options["--schedule"]), part_from_json(options["--traffic"])
    assert [(one.at_s, one.fault.figures["factor"]) for one in schedule] == [(1.2, 9)]
    assert schedule[0].for_s < SLOW[1].for_s
    assert part.instruments == ("SQ01.XSIM",)
    assert part.bars < Portion.whole(EXPERIMENT).bars
    again = run_once(replace(plan, schedule=schedule, traffic=part), quietly)
    assert (again.verdict, again.history_sha256) == (Verdict.FAILED, shown.history_sha256)


@pytest.mark.parametrize(
    ("experiment", "message"),
    [
        (replace(EXPERIMENT, hypothesis=(explodes,)), "LookupError: the check has a bug"),
        (replace(EXPERIMENT, market=replace(MARKET, dataset="none")), "ServiceError: "),
    ],
    ids=["judging", "conducting"],
)
def test_a_run_that_breaks_has_failed_and_says_where(experiment: Experiment, message: str) -> None:
    outcome = run_once(plan_of(experiment), quietly)
    assert (outcome.verdict, outcome.seed) == (Verdict.FAILED, 1)
    assert outcome.reason.startswith(f"the run broke: {message}")
    assert "Traceback" in outcome.details["trace"]
    assert outcome.replay.startswith("plimsoll trial short --world simulated --seed 1")


def test_seeds_come_to_the_same_in_any_process_and_their_coverage_adds_up() -> None:
    runs = [SWARM(seed) for seed in (1, 3, 4)]
    elsewhere = list(in_processes(2)(SWARM, (1, 3, 4)))
    assert [comparable(run) for run in runs] == [comparable(run) for run in elsewhere]
    assert len({run.worker for run in elsewhere}) == 2
    tally = Tally()
    for run in runs:
        tally.add(run)
    assert tally.whole_coverage()["runs"] == 3
    assert tally.coverage == sum((run.coverage for run in reversed(runs)), type(runs[0].coverage)())


def comparable(run: SeedRun) -> SeedRun:
    return replace(run, busy_s=0.0, worker="")


def test_the_summary_has_verdicts_pace_and_coverage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "coverage.json"
    assert run_simulation(SWARM, "3..4", Where(), file, as_json=True) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["runs"] == {"passed": 2, "failed": 0, "void": 0}
    pace = found["pace"]
    assert pace["market_ratio"] > pace["simulated_ratio"] > 0
    (worker,) = found["workers"].values()
    assert worker["seeds"] == pace["seeds"] == 2
    whole = json.loads(file.read_text())
    assert found["coverage"]["kinds_struck"] == sum(
        fault["struck"] > 0 for fault in whole["faults"].values()
    )
    assert whole["order_states"]["FILLED"] > 0
    assert any(whole["calls_under_faults"].values())


def test_a_failure_ends_the_command_with_a_replay_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing = replace(EXPERIMENT, hypothesis=(is_not_slow_in_sq01,))
    monkeypatch.setattr("plimsoll.simulating.seed_run.find_experiment", lambda name: failing)
    assert run_simulation(Simulated("short"), "5..9", Where(), None, as_json=True) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["runs"]["failed"], found["failed"]["seed"]) == (1, 5)
    assert "--seed 5 --schedule" in found["replay"]


def test_a_seed_leaves_one_history_in_every_fresh_process(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run_replays(SWARM, "3..4", jobs=2, replays=2, as_json=True) == 0
    assert json.loads(capsys.readouterr().out)["differing"] == {}


def test_seeds_that_leave_several_histories_are_named() -> None:
    def run(seed: int, sha256: str) -> SeedRun:
        return replace(first, outcome=outcome_of(first, seed, sha256))

    first = SWARM(3)
    found = hashes_of([run(1, "a"), run(1, "a"), run(2, "a"), run(2, "b")])
    assert differing(found) == {2: {"a": 1, "b": 1}}


def outcome_of(run: SeedRun, seed: int, sha256: str) -> Outcome:
    return replace(run.outcome, seed=seed, history_sha256=sha256)


def test_an_engine_that_is_none_is_wrong_use() -> None:
    with pytest.raises(WrongUse, match="must be dask://HOST:PORT"):
        run_simulation(SWARM, "1..2", Where(engine="spark://x:1"), None, as_json=False)


def interrupted_at(last: int) -> Engine:
    """Return an engine that somebody interrupts when a seed is due."""

    def run(work: Work, seeds: Iterable[int]) -> Iterator[SeedRun]:
        for seed in seeds:
            if seed == last:
                raise KeyboardInterrupt
            yield work(seed)

    return run


def test_who_interrupts_seeds_is_told_what_came_of_those_before(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr("plimsoll.simulate.engine_of", lambda *_: interrupted_at(3))
    coverage = tmp_path / "coverage.json"
    assert run_simulation(SWARM, "1..9", Where(), coverage, as_json=False) == 130
    assert "2 seeds, 2 passed" in capsys.readouterr().out
    assert json.loads(coverage.read_text(encoding="utf-8"))["runs"] == 2


def test_where_coverage_cannot_go_is_said_before_any_seed(tmp_path: Path) -> None:
    nowhere = tmp_path / "none" / "coverage.json"
    with pytest.raises(WrongUse, match="cannot be written: No such file or directory"):
        run_simulation(SWARM, "1..9999999", Where(), nowhere, as_json=False)


def test_one_history_proves_no_replay() -> None:
    with pytest.raises(WrongUse, match="--replays is 1, must be 2 or more"):
        run_replays(SWARM, "1..2", 1, 1, as_json=False)


def test_replays_that_are_interrupted_prove_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("plimsoll.simulate.one_process_each", lambda _: interrupted_at(2))
    assert run_replays(SWARM, "1..2", jobs=1, replays=2, as_json=False) == 130
    told = capsys.readouterr().out
    assert "interrupted after 2 of 4 runs" in told
    assert told.endswith("VOID\n")
