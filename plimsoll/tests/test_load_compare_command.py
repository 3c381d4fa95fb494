"""`plimsoll load-compare` loads two platforms in turn, and says what became slower."""

import json
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from fixtures.commit import ROOT
from fixtures.places import Place
from fixtures.worlds import World
from plimsoll import load_compare
from plimsoll.failures import WrongUse
from plimsoll.load_compare import Comparing, run_load_compare, tree_of, turns
from plimsoll.locusts import Offer
from runtime.load.report.result import Result, Run
from runtime.load.tests.made_up import SUBMIT, measured, series

DEVICES = Place(World.PROCESSES, topology="dual-compute-state")
USUAL_MS, SLOW_MS, COUNT = 45.0, 90.0, 2_000


@dataclass
class Platforms:
    """Stand for what is loaded."""

    before_ms: float = USUAL_MS
    now_ms: float = USUAL_MS
    asked: list[bool] = field(default_factory=list)  # Of each turn: was it the one that is here?

    async def measured(self, asked: Comparing, tree: Path, folder: Path) -> Result:
        self.asked.append(tree == ROOT)
        median_ms = self.now_ms if tree == ROOT else self.before_ms
        booked = series(median_ms, count=COUNT, seed=len(self.asked))
        seen = {"acknowledged": series(20.0, count=COUNT), "booked": booked}
        return Result((Run(SUBMIT, measured(series=seen, sent=COUNT, scheduled=COUNT)),))


@pytest.fixture
def platforms(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Platforms:
    platforms = Platforms()
    monkeypatch.setattr(load_compare, "_measured", platforms.measured)
    monkeypatch.setattr(load_compare, "tree_of", lambda _: nullcontext(tmp_path))
    monkeypatch.setattr(load_compare, "BASELINE", tmp_path / "baseline.json")
    return platforms


def compared(*, is_baseline_written: bool = False) -> int:
    return run_load_compare(
        Comparing("HEAD", DEVICES, Offer(), rounds=2, is_baseline_written=is_baseline_written)
    )


@pytest.mark.real_time
@pytest.mark.parametrize(
    ("now_ms", "status"), [(USUAL_MS, 0), (SLOW_MS, 1)], ids=["as before", "slower"]
)
def test_what_became_slower_fails(
    platforms: Platforms, capsys: pytest.CaptureFixture[str], now_ms: float, status: int
) -> None:
    platforms.now_ms = now_ms
    assert compared() == status
    assert platforms.asked == [False, True, True, False]
    assert capsys.readouterr().out.splitlines()[-1] == ("PASSED", "FAILED")[status]


@pytest.mark.real_time
def test_a_baseline_is_kept_and_shown_but_decides_nothing(
    platforms: Platforms, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compared(is_baseline_written=True) == 0
    assert (
        "SUBMIT at 2x booked p99, ms" in json.loads(load_compare.BASELINE.read_text())["readings"]
    )
    platforms.before_ms = platforms.now_ms = SLOW_MS
    assert compared() == 0
    assert "against baseline.json of " in capsys.readouterr().out


def test_neither_side_is_always_first() -> None:
    assert list(turns(2)) == ["before", "now", "now", "before"]


@pytest.mark.parametrize(
    ("commit", "message"),
    [("nowhere", "must be one: "), ("HEAD:docs", "must be one that can be loaded")],
    ids=["unknown", "before there was load"],
)
def test_a_commit_that_cannot_be_loaded_is_refused(commit: str, message: str) -> None:
    with pytest.raises(WrongUse, match=message), tree_of(commit):
        pass
