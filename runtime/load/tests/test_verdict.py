"""A run passes, fails or says nothing; what says nothing never passes and never fails."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from runtime.load.confidence import samples_needed
from runtime.load.histogram import Latencies
from runtime.load.plan import Gate
from runtime.load.tests import made_up
from runtime.load.tests.made_up import SUBMIT, measured, series, stream
from runtime.load.traffic import Remainder
from runtime.load.verdict import PERCENTILES, Figure, Outcome, judge, worst

FAST = series(20.0)
SENT = made_up.RATE * made_up.SECONDS

FAILING: Mapping[str, tuple[dict[str, Any], str]] = {
    "slow": (
        {"series": {"acknowledged": series(90.0), "booked": FAST}},
        r"^acknowledged p99 is 2\d\d\.\d ms, must be at most 250 ms$",
    ),
    "slow in the middle": (
        {"series": {"acknowledged": FAST, "booked": series(125.0)}},
        r"^booked p50 is 12\d\.\d ms, must be at most 120 ms$",
    ),
    "dropped": (
        {"sent": SENT - 100, "dropped": 100},
        r"^23,900 of 24,000 scheduled were sent, .*0\.1%: 100 found too many in flight$",
    ),
    "errors": (
        {"series": {"acknowledged": series(20.0, failed=25), "booked": FAST}},
        r"^0\.10% of acknowledged failed, must be at most 0\.1%: 25 UNAVAILABLE$",
    ),
    "unresolved": ({"remainder": Remainder(unresolved=1)}, r"^1 still under way 2 s after"),
    "lost": ({"remainder": Remainder(lost=2)}, r"^2 lost, must be 0$"),
    "doubled": ({"remainder": Remainder(doubled=3)}, r"^3 done twice, must be 0$"),
    "gaps": (
        {"streams": {"ticks": stream(gaps=2, out_of_order=1)}},
        r"^ticks has 2 gaps, 1 out of order in 1,000 messages, must have none$",
    ),
    "repeats": ({"streams": {"ticks": stream(repeats=1)}}, r"^ticks has 1 repeats in"),
    "never booked": (
        {
            "series": {"acknowledged": FAST, "booked": series(20.0, count=100)},
            "remainder": Remainder(lost=SENT - 100),
        },
        r"^too few booked: 100, a p99 needs 368$",
    ),
}
VOID: Mapping[str, tuple[dict[str, Any], str]] = {
    "interrupted": ({"is_interrupted": True}, "^interrupted before its end$"),
    "late": ({"late": 25}, r"^0\.10% of sends were more than 5 ms late, must be at most 0\.1%"),
    "starved": ({"cpu_share": 0.36}, "^the generator used 36% of a core, must be at most 35%"),
    "unsteady": (
        {"is_steady": False, "unsteady_reason": "p50 fell from 90 to 20 ms"},
        "^the warm-up did not become steady: p50 fell from 90 to 20 ms$",
    ),
    "short": (
        {"scheduled": 367, "sent": 367, "series": {"acknowledged": series(20.0, count=367)}},
        "^too few acknowledged: 367, a p99 needs 368: measure for longer$",
    ),
    "empty": ({"scheduled": 0, "sent": 0, "series": {}}, "^too few acknowledged: 0, "),
}
KEPT: Mapping[str, dict[str, Any]] = {
    "nothing at all amiss": {},
    "as many late as may be": {"late": 24},
    "as much of a core as may be": {"cpu_share": 0.35},
    "as many dropped as may be": {"sent": SENT - 24, "dropped": 24},
    "as many errors as may be": {
        "series": {"acknowledged": series(20.0, failed=24), "booked": FAST}
    },
    "a backlog that was worked off": {"remainder": Remainder(backlog=30)},
    "a clean stream": {"streams": {"ticks": stream()}},
}


@pytest.mark.parametrize("changes", KEPT.values(), ids=KEPT)
def test_a_run_that_keeps_everything_passes(changes: dict[str, Any]) -> None:
    verdict = judge(SUBMIT, measured(**changes))
    assert verdict.reasons == ()
    assert verdict.outcome is Outcome.PASSED


@pytest.mark.parametrize(("changes", "reason"), FAILING.values(), ids=FAILING)
def test_a_run_that_does_not_keep_one_thing_fails(changes: dict[str, Any], reason: str) -> None:
    verdict = judge(SUBMIT, measured(**changes))
    assert verdict.outcome is Outcome.FAILED
    assert any(re.search(reason, one) for one in verdict.reasons)


@pytest.mark.parametrize(("changes", "reason"), VOID.values(), ids=VOID)
def test_a_run_that_proves_nothing_is_void(changes: dict[str, Any], reason: str) -> None:
    verdict = judge(SUBMIT, measured(**changes))
    assert verdict.outcome is Outcome.VOID
    assert re.search(reason, verdict.reasons[0])


@pytest.mark.parametrize("flaw", VOID)
def test_a_void_run_does_not_fail_and_tells_what_was_not_kept_after_why(flaw: str) -> None:
    changes, _ = VOID[flaw]
    verdict = judge(SUBMIT, measured(**{**changes, "remainder": Remainder(lost=1)}))
    assert verdict.outcome is Outcome.VOID
    assert "1 lost, must be 0" in verdict.reasons[1:]


def test_what_overruns_the_server_from_the_warm_up_on_fails_and_is_not_called_unsteady() -> None:
    failing = {"acknowledged": series(20.0, failed=25), "booked": FAST}
    overrun = measured(is_steady=False, unsteady_reason="p50 fell", series=failing)
    verdict = judge(SUBMIT, overrun)
    assert verdict.outcome is Outcome.FAILED
    assert not any("steady" in reason for reason in verdict.reasons)


def test_what_is_stalled_by_the_server_is_not_said_to_be_too_short_a_run() -> None:
    dropped = measured(series={}, sent=1_000, dropped=SENT - 1_000)
    assert judge(SUBMIT, dropped).outcome is Outcome.FAILED


def test_every_percentile_has_a_figure_and_the_gated_ones_their_limits() -> None:
    verdict = judge(SUBMIT, measured())
    assert [f.percent for f in verdict.figures] == [*PERCENTILES, *PERCENTILES]
    limits = {(f.series, f.name): f.limit_ms for f in verdict.figures if f.limit_ms}
    assert limits == {
        ("acknowledged", "p99"): 250.0,
        ("booked", "p50"): 120.0,
        ("booked", "p99"): 500.0,
    }


def test_a_percentile_lies_in_its_interval_and_the_maximum_has_none() -> None:
    for figure in judge(SUBMIT, measured()).figures:
        found = figure.estimate
        if figure.name == "max":
            assert found.low is None
            continue
        assert found.low is not None
        assert found.high is not None
        assert found.low <= found.value <= found.high


def test_a_limit_inside_the_interval_is_a_close_call() -> None:
    figures = judge(SUBMIT, measured()).figures
    gated = next(f for f in figures if f.series == "booked" and f.percent == 99)
    assert not gated.is_close
    assert gated.estimate.high is not None
    assert replace(gated, limit_ms=gated.estimate.high).is_close
    assert not Figure("booked", 99, gated.estimate).is_close


def test_a_limit_holds_for_what_is_exactly_as_slow() -> None:
    exact = Latencies.of([0.1] * samples_needed(0.99))
    slow = {"acknowledged": replace(FAST, corrected=exact, counts={"OK": exact.total})}
    limit_ms = exact.percentile_ms(99)
    profile = replace(SUBMIT, gates=(Gate("acknowledged", p99_ms=limit_ms),))
    assert judge(profile, measured(series=slow)).outcome is Outcome.PASSED
    profile = replace(SUBMIT, gates=(Gate("acknowledged", p99_ms=limit_ms - 0.001),))
    assert judge(profile, measured(series=slow)).outcome is Outcome.FAILED


@pytest.mark.parametrize(
    ("outcomes", "expected", "exit_code"),
    [
        ("passed passed passed", Outcome.PASSED, 0),
        ("passed failed void", Outcome.FAILED, 1),
        ("passed void passed", Outcome.VOID, 3),
        ("", Outcome.VOID, 3),
    ],
)
def test_of_several_runs_the_worst_counts(outcomes: str, expected: Outcome, exit_code: int) -> None:
    found = worst(map(Outcome, outcomes.split()))
    assert found is expected
    assert found.exit_code == exit_code
