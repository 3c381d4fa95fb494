"""The report is one file, needs nothing from outside, and shows every verdict."""

import re
from dataclasses import replace
from decimal import Decimal

from fixtures.outcome import (
    CheckResult,
    EquityPoint,
    FaultSeen,
    Figures,
    Holding,
    Latency,
    Marker,
    Outcome,
    PricePoint,
    Shadow,
    Verdict,
)
from plimsoll.console import as_json, fault_line, shadow_line
from plimsoll.report import render

DAY_NS = 86_400_000_000_000
LIMIT_BYTES = 2_000_000


def outcome(instruments: int = 2, days: int = 500) -> Outcome:
    names = [f"NAME{n}.XSIM" for n in range(instruments)]
    closes = tuple(PricePoint(d * DAY_NS, Decimal(100 + d % 17)) for d in range(days))
    marks = tuple(
        Marker(d * DAY_NS, Decimal(100 + d % 17), "buy" if d % 2 else "sell")
        for d in range(0, days, 9)
    )
    figures = Figures(
        candles=days * instruments,
        signals=40,
        orders=30,
        fills=30,
        latency=Latency(tuple(n / 10 for n in range(1, 500)), 25.0, 49.4, 49.8, 49.9),
        equity=tuple(EquityPoint(d * DAY_NS, Decimal(10**6 + d % 40)) for d in range(days)),
        prices=dict.fromkeys(names, closes),
        signal_marks=dict.fromkeys(names, marks),
        fill_marks=dict.fromkeys(names, marks),
        holdings=(
            Holding(names[0], *(Decimal(n) for n in ("-5", "101.5", "99", "12.34", "-7", "0.51"))),
        ),
        cash=Decimal("999123.45"),
        currency="USD",
        refusals={"POSITION_LIMIT": 3},
        shadows=(
            Shadow("ALREADY_HELD", 12, 11, 7, 4, Decimal("1234.56")),
            Shadow("POSITION_LIMIT", 3, 3, 1, 2, Decimal("-99.9")),
        ),
    )
    checks = (
        CheckResult("no_order_placed_twice", Verdict.PASSED, 30),
        CheckResult("cash_conserved", Verdict.FAILED, 1, ("cash is <1>, must be 2",)),
    )
    return Outcome(
        verdict=Verdict.FAILED,
        reason="1 of 2 checks failed",
        experiment="trading_day",
        title="Real market history, no faults.",
        world="simulated",
        seed=7,
        commit="abc",
        history_sha256="f" * 64,
        history_path=None,
        figures=figures,
        checks=checks,
        replay="plimsoll trial trading_day --world simulated --seed 7",
    )


def test_the_report_refers_to_nothing_outside_itself() -> None:
    page = render(outcome())
    links = re.findall(r'(?:src|href)="([^"#][^"]*)"', page)
    assert links == []
    assert "<script" not in page


def test_the_report_shows_verdict_checks_pictures_and_the_replay_line() -> None:
    page = render(outcome())
    for text in ("failed", "cash conserved", "plimsoll trial trading_day", "999,123.45 USD"):
        assert text in page
    assert page.count("<svg") == 4  # Equity, latency and two instruments.


def test_text_from_the_run_cannot_break_the_page() -> None:
    assert "cash is &lt;1&gt;, must be 2" in render(outcome())


def test_the_report_stays_under_two_megabytes_however_much_was_traded() -> None:
    assert len(render(outcome(instruments=20, days=1500)).encode()) < LIMIT_BYTES


def test_faults_are_shown_with_where_when_and_how_often() -> None:
    cut = FaultSeen("cut", "orders->risk", 1.0, 10.0, 133, {"directions": "both"})
    hung = FaultSeen("pause", "", 2.5, None, None)
    broken = replace(outcome(), faults=(cut, hung))
    assert re.search(r"cut.*?orders-&gt;risk.*?>1.0<.*?>10.0<.*?>133<", render(broken), re.DOTALL)
    assert "<h2>Faults</h2>" not in render(outcome())
    assert as_json(broken)["faults"][0]["firings"] == 133
    assert [fault_line(fault) for fault in broken.faults] == [
        "fault: cut at orders->risk from 1.0 s for 10.0 s, fired 133 times",
        "fault: pause from 2.5 s to the end",
    ]


def test_it_shows_what_refused_entries_would_have_come_to() -> None:
    page = render(outcome())
    assert re.search(r"ALREADY_HELD.*?>12<.*?>11<.*?>7<.*?>4<.*?1,234.56.*?cost", page, re.DOTALL)
    assert re.search(r"POSITION_LIMIT.*?-99.90.*?saved", page, re.DOTALL)


def test_it_says_so_when_no_entry_was_refused() -> None:
    quiet = replace(outcome(), figures=Figures())
    assert "No entry was refused" in render(quiet)


def test_the_console_says_what_refusals_cost_in_one_line() -> None:
    line = shadow_line(outcome().figures)
    assert line == (
        "15 entries refused (ALREADY_HELD 12, POSITION_LIMIT 3): by their shadow trades that "
        "cost 1,134.66 USD"
    )
    assert shadow_line(Figures()) == "no entry was refused"


def test_json_lists_shadow_trades_by_reason() -> None:
    first = as_json(outcome())["shadow_trades"][0]
    assert (first["reason"], first["refused"], first["profit"]) == ("ALREADY_HELD", 12, "1234.56")
