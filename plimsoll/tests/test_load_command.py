"""`plimsoll load` runs Locust against a platform of its own, judges both, and stops everything."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fixtures.aftermath import merged
from fixtures.devices.usage import ENDED
from fixtures.history import Mark
from fixtures.outcome import CheckResult, Verdict
from fixtures.places import Place
from fixtures.saved import load as load_history
from fixtures.settling import NotSettled
from fixtures.setup import Setup
from fixtures.stores.kinds import StoreKind
from fixtures.system import System
from fixtures.toxiproxy import local as toxiproxy
from fixtures.worlds import World
from plimsoll import load
from plimsoll.failures import WrongUse
from plimsoll.load import AT_REST, run_load
from plimsoll.locusts import Offer, find_profiles, named
from plimsoll.whereabouts import CONF, write_conf
from runtime.load.report.result import Result
from runtime.load.report.writing import JSON, PAGE, read, write

ROOT = Path(__file__).resolve().parents[2]
COMMAND = (sys.executable, "-m", "plimsoll", "load", "--profile", "submit", "--repeats", "1")
EMBEDDED = Place(World.EMBEDDED)
WITHIN_S = 170  # CI's bound for this, with room for a machine that does something else as well.
pytestmark = pytest.mark.real_time


@pytest.mark.alone  # Not for what it measures: two cores have nothing left for anybody else.
@pytest.mark.parametrize(
    ("multiple", "examined_min"), [(0.05, 20), (2, 1)], ids=["little", "twice the target"]
)
def test_load_on_two_devices_loses_and_doubles_nothing(
    tmp_path: Path, leave_out: Callable[[str], None], multiple: float, examined_min: int
) -> None:
    """Whether it is fast enough is reported, and fails nothing here: the machine is shared.

    A platform that is overrun may refuse all there is, so that little is left to be examined.
    """
    if missing := (*StoreKind.LOCAL.lacking(), *toxiproxy.lacking()):
        leave_out("; ".join(missing))
    words = ("--duration", "5", "--warm-up", "2", "--multiple", str(multiple), "--json")
    ended = subprocess.run(
        [*COMMAND, *words, "--directory", tmp_path / "run"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=WITHIN_S,
    )
    assert ended.returncode in (0, 1, 3), ended.stderr
    told = json.loads(ended.stdout)
    assert {name: found for name, found in told["checks"].items() if found} == {}
    assert len(told["checks"]) >= examined_min, ended.stderr
    report = Path(told["report"])
    (run,) = read(report).runs
    assert run.measured.multiple == multiple
    assert run.served is not None
    assert report.with_name(PAGE).exists()
    records = load_history(tmp_path / "run" / "history.jsonl").records
    assert sum(isinstance(one, Mark) and one.name == ENDED for one in records) == 2


def test_ctrl_c_ends_locust_in_order_and_stops_the_platform(tmp_path: Path) -> None:
    words = ("--world", "embedded", "--multiple", "0.05", "--directory", str(tmp_path / "run"))
    process = subprocess.Popen(
        [*COMMAND, *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if "All users spawned" in line:
                os.killpg(process.pid, signal.SIGINT)  # As a terminal does.
                break
        *_, verdict = [line.strip() for line in process.stdout if line.strip()]
        assert (process.wait(WITHIN_S), verdict) == (3, "VOID")
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(
    ("locust", "found", "status"),
    [
        (0, Verdict.PASSED, 0),
        (3, Verdict.PASSED, 3),
        (0, Verdict.FAILED, 1),
        (3, Verdict.FAILED, 1),
    ],
    ids=["fast and right", "void and right", "fast and wrong", "void and wrong"],
)
def test_a_load_is_right_as_well_as_fast(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, locust: int, found: Verdict, status: int
) -> None:
    violations = ("fill 7 is booked 2 times",) if found is Verdict.FAILED else ()

    async def judged(system: System) -> list[CheckResult]:
        return [CheckResult("fill_booked_once", found, 1, violations)]

    monkeypatch.setattr(load, "run_locust", ends_with(locust))
    monkeypatch.setattr(load, "judged_by_state", judged)
    assert run_load(EMBEDDED, 1, Offer(), tmp_path / "run", as_json=True) == status
    checks = read(tmp_path / "run" / "report" / JSON).checks
    assert checks == {AT_REST: "", "fill_booked_once": "".join(violations)}


def test_what_does_not_come_to_rest_has_failed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async def restless(*_: object, **__: object) -> None:
        raise NotSettled("not at rest after 120 s, still behind: orders by 7")

    monkeypatch.setattr(load, "run_locust", ends_with(0))
    monkeypatch.setattr(load, "settle", restless)
    assert run_load(EMBEDDED, 1, Offer(), tmp_path / "run", as_json=True) == 1


@pytest.mark.parametrize(("locust", "status"), [(2, 2), (1, 3)], ids=["wrong use", "no report"])
def test_a_locust_that_measures_nothing_proves_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, locust: int, status: int
) -> None:
    monkeypatch.setattr(load, "run_locust", ends_with(locust, is_reporting=False))
    assert run_load(EMBEDDED, 1, Offer(), tmp_path / "run", as_json=True) == status


def ends_with(status: int, *, is_reporting: bool = True) -> Callable[..., object]:
    """Return what stands for Locust: it ends with `status`."""

    async def run_locust(conf: Path, offer: Offer, report: Path, *, output: int) -> int:
        assert conf.name == CONF
        if is_reporting:
            write(Result(()), report)
        return status

    return run_locust


async def test_locust_is_told_where_a_platform_is(tmp_path: Path) -> None:
    system = await System.start(Setup(World.EMBEDDED, is_recorded=False))
    try:
        lines = write_conf(system, tmp_path).read_text().splitlines()
        assert lines[0] == f"# locust --config {tmp_path / CONF}"
        assert f"targets = *={system.address}" in lines
    finally:
        await system.stop()


def test_profiles_are_files_and_those_of_each_rpc_must_be_asked_for() -> None:
    assert {"chain", "chain_burst", "validate", "submit", "ticks", "mix"} == set(named())
    assert find_profiles(["SUBMIT", "rpcs"]) == ("submit", "rpcs")
    with pytest.raises(WrongUse, match="profile is 'fast', must be one of: chain, "):
        find_profiles(["fast"])


@pytest.mark.parametrize(
    ("offer", "said"),
    [
        ({"multiple": -1.0}, "--multiple is -1, must be more than 0"),
        ({"duration": "long"}, '"long" is no time span, must be like 90, 90s, 10m or 1h'),
        ({"warm_up": "-5"}, "--warm-up is -5, must be at least 0"),
    ],
)
def test_what_locust_would_refuse_is_refused_before_a_platform_starts(
    offer: dict[str, Any], said: str
) -> None:
    with pytest.raises(WrongUse, match=said):
        Offer(**offer)


def test_workers_find_their_master_at_a_port_of_this_run() -> None:
    words = Offer(workers=2).options()
    assert words[words.index("--processes") + 1] == "2"
    assert words[words.index("--master-port") + 1] == words[words.index("--master-bind-port") + 1]
    assert "--processes" not in Offer().options()


def test_a_world_without_real_time_cannot_be_loaded(tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match="must be one in real time"):
        run_load(Place(World.SIMULATED), 1, Offer(), tmp_path / "run", as_json=True)


def test_checks_of_several_accounts_are_one_that_names_every_violation() -> None:
    passed = CheckResult("cash_conserved", Verdict.PASSED, 2)
    failed = CheckResult("cash_conserved", Verdict.FAILED, 1, ("off by 1",))
    nothing = CheckResult("cash_conserved", Verdict.VOID, 0)
    assert merged([passed, failed, nothing]) == [
        CheckResult("cash_conserved", Verdict.FAILED, 3, ("off by 1",))
    ]
    assert merged([nothing, passed])[0].verdict is Verdict.PASSED
    assert merged([nothing])[0].verdict is Verdict.VOID
