"""The page of a night shows all that was left, names what cannot be read, and is one file."""

import json
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from chaos import exchange_is_out
from fixtures.faults import Planned
from fixtures.faults.venue import VenueOutage
from fixtures.places import Place
from fixtures.trial import Plan, conduct
from fixtures.worlds import World
from plimsoll.night.command import PAGE, run_nightly_summary
from plimsoll.night.reading import read_night
from runtime.load.report.result import Result, Run
from runtime.load.report.writing import write
from runtime.load.tests import made_up

RECORD = """# Track record

| bug | as who made it would say | found by | seeds needed | last reproduced at |
|---|---|---|---|---|
| `fees_forgotten` | I forgot its fee. | reports_come_twice: `cash_conserved` | 1 | 2026-01-02 |
| `fence_ignored` | I let anybody write. | **not found** | | |

## What made each check fail

| `cash_conserved` | `fees_forgotten` | test_checks |
"""
OUTAGE = Planned(0.5, 1.0, VenueOutage())
JUNIT = """<testsuites><testsuite name="pytest">
<testcase classname="contracts.tests.test_rules" name="test_a" time="1.5"/>
<testcase classname="contracts.tests.test_rules" name="test_b" time="0.5"><skipped/></testcase>
<testcase classname="runtime.tests.test_rpc" name="test_c" time="2">
<failure message="it is &lt;1&gt;, must be 2"/></testcase>
</testsuite></testsuites>"""


def recorded(folder: Path) -> None:
    """Leave the history of a run in virtual time in which the venue is out for a second."""
    market = exchange_is_out.EXPERIMENT.market
    short = replace(market, end=market.trading_from + timedelta(minutes=16))
    experiment = replace(exchange_is_out.EXPERIMENT, market=short, faults=(OUTAGE,))
    plan = Plan(experiment, Place(World.SIMULATED), 1, folder)
    with plan.place.world.runner() as runner:
        runner.run(conduct(plan))


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the text of such a history."""
    folder = tmp_path_factory.mktemp("run")
    recorded(folder)
    return (folder / "history.jsonl").read_text(encoding="utf-8")


@pytest.fixture
def night(tmp_path: Path, history: str) -> Path:
    """Return the folder of a night with something of every kind."""
    folder = tmp_path / "nightly-2026-01-02"
    run = folder / "chaos" / "exchange_is_out"
    for each in (run, folder / "test", folder / "simulate", folder / "track-record"):
        each.mkdir(parents=True)
    (run / "history.jsonl").write_text(history, encoding="utf-8")
    (run / "report.html").touch()
    (folder / "test" / "junit.xml").write_text(JUNIT, encoding="utf-8")
    (folder / "track-record" / "TRACK_RECORD.md").write_text(RECORD, encoding="utf-8")
    told = {
        "verdict": "passed",
        "experiment": "everything_at_once",
        "seeds": "1..1000",
        "runs": {"passed": 990, "failed": 0, "void": 10},
        "pace": {"seconds": 1200.5, "seeds_s": 0.833, "simulated_ratio": 210.4},
        "coverage": {"kinds": 74, "kinds_struck": 71, "never_struck": ["mutiny"]},
        "replay": None,
    }
    simulation = folder / "simulate" / "simulation-everything_at_once.json"
    simulation.write_text(json.dumps(told), encoding="utf-8")
    write(Result((Run(made_up.SUBMIT, made_up.measured()),)), folder / "load" / "report")
    steps = [("test", 1, 61), ("chaos", 0, 3700), ("knee", 124, 5)]
    lines = [json.dumps({"step": s, "status": n, "seconds": t}) for s, n, t in steps]
    (folder / "steps.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return folder


def page(folder: Path) -> str:
    run_nightly_summary(folder)
    return (folder / PAGE).read_text(encoding="utf-8")


def test_the_page_has_every_kind_of_result_and_what_replays_a_run(night: Path) -> None:
    shown = page(night)
    for pattern in (
        r"nightly-2026-01-02 <b>failed",
        r"knee.*?took longer than it may",
        r"chaos.*?1:01:40",
        r"exchange_is_out.*?While the venue is out no order is doubled or lost\..*?simulated",
        r"everything_at_once.*?1\.\.1000.*?990 passed.*?10 void.*?seconds 1,200\.5",
        r"SUBMIT acknowledged +2x +400",
        r"failed.*?track-record/TRACK_RECORD\.md.*?1 of 2 found.*?not found: <code>fence_ignored<",
        r"contracts.*?>2<.*?>0<.*?>1<",
        r"test_rpc\.test_c</code> it is &lt;1&gt;, must be 2",
        r"plimsoll trial exchange_is_out --world simulated --seed 1",
    ):
        assert re.search(pattern, shown, re.DOTALL), pattern


def test_a_fault_is_drawn_where_it_was_between_what_it_did_to_calls_and_orders(night: Path) -> None:
    (run,) = read_night(night).runs.values()
    (fault,) = run.faults
    assert (fault.at_s, fault.for_s) == (OUTAGE.at_s, OUTAGE.for_s)
    failed = [one for one in run.figures.timeline if one.errors.get("UNAVAILABLE")]
    assert failed
    assert all(fault.at_s <= one.to_s and one.from_s <= 2.0 for one in failed)
    shown = page(night)
    assert "venue outage</text>" in shown
    assert "UNAVAILABLE</text>" in shown


def test_the_page_refers_only_to_what_the_night_has_left_beside_it(night: Path) -> None:
    links = r'(?:src|href)="([^"#][^"]*)"'
    report, load = "chaos/exchange_is_out/report.html", "load/report/load.html"
    record = "track-record/TRACK_RECORD.md"
    assert re.findall(links, page(night)) == [report, record, load]
    (night / load).unlink()
    assert re.findall(links, page(night)) == [report, record]
    assert "<script" not in page(night)


def test_a_night_of_which_nothing_is_left_is_said_to_be_empty_and_is_void(tmp_path: Path) -> None:
    assert run_nightly_summary(tmp_path) == 3
    assert "nothing was run" in (tmp_path / PAGE).read_text(encoding="utf-8")


def test_a_broken_file_is_named_and_hides_nothing_else(night: Path, history: str) -> None:
    broken = {
        "chaos/cut/history.jsonl": history[:-40],
        "chaos/odd/history.jsonl": history.replace("exchange_is_out", "no_such_thing", 1),
        "simulate/simulation-trading_day.json": "",
        "load/report/load.json": "{}",
        "track-record/TRACK_RECORD.md": "| bug |",
        "test/junit.xml": "<testsuites>",
    }
    for name, text in broken.items():
        (night / name).parent.mkdir(exist_ok=True)
        (night / name).write_text(text, encoding="utf-8")
    found = read_night(night)
    assert set(found.broken) == set(broken)
    assert len(found.runs) == 1
    shown = page(night)
    assert all(name in shown for name in broken)


def test_the_history_of_a_platform_under_load_is_of_no_experiment(night: Path) -> None:
    header = json.dumps({"format": "plimsoll-history/2", "seed": 1})
    (night / "load" / "history.jsonl").write_text(header, encoding="utf-8")
    found = read_night(night)
    assert (len(found.runs), found.broken) == (1, {})
