"""A result tells the same in every form, and its page needs nothing from outside."""

import csv
import json
import re
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import pytest
from matplotlib.figure import Figure

from runtime.load.knee import Point, knee
from runtime.load.measured import Measured
from runtime.load.report import rows
from runtime.load.report.junit import junit
from runtime.load.report.page import page
from runtime.load.report.result import Result, Run, worst_of
from runtime.load.report.terminal import knee_in_words, lines
from runtime.load.report.writing import JSON, read, write
from runtime.load.tests.made_up import SECONDS, SUBMIT, measured, series, served, stream
from runtime.load.traffic import Remainder
from runtime.load.verdict import Outcome

LIMIT_BYTES = 2_000_000
GOOD = measured(streams={"ticks": stream()})
SLOW = measured(series={"acknowledged": series(95.0, failed=20), "booked": series(45.0)})
VOID = measured(late=900)
CURVE = (
    Point(1, 200, p50_ms=9, p99_ms=40),
    Point(2, 400, p50_ms=12, p99_ms=90),
    Point(4, 800, p50_ms=300, p99_ms=2_900),
    Point(2.8284, 566, p50_ms=30, p99_ms=410),
)


def result(*runs: Measured) -> Result:
    return Result(
        tuple(Run(SUBMIT, one, served()) for one in runs),
        curves={"SUBMIT": CURVE},
        facts={"commit": "9f3c2ab", "machine": "<2 cores>"},
        checks={"no_order_lost": "", "cash_conserved": ""},
    )


def test_a_result_survives_json(tmp_path: Path) -> None:
    whole = result(GOOD, SLOW)
    write(whole, tmp_path)
    again = read(tmp_path / JSON)
    assert again == whole
    assert again.runs[1].verdict == whole.runs[1].verdict
    told = json.loads((tmp_path / JSON).read_text())
    assert told["outcome"] == "failed"
    assert told["runs"][0]["verdict"]["outcome"] == "passed"


def test_all_forms_are_written_to_one_folder(tmp_path: Path) -> None:
    paths = write(result(GOOD), tmp_path / "new")
    assert sorted(path.name for path in paths) == [
        "load-junit.xml",
        "load-seconds.csv",
        "load.csv",
        "load.html",
        "load.json",
    ]
    assert all(path.stat().st_size for path in paths)


def test_a_check_of_the_system_fails_what_the_runs_passed() -> None:
    whole = result(GOOD)
    assert whole.outcome is Outcome.PASSED
    assert whole.with_checks({"no_order_lost": "ord-7 is gone"}).outcome is Outcome.FAILED


def test_the_worst_run_of_a_profile_is_the_one_that_counts() -> None:
    runs = [Run(SUBMIT, one) for one in (GOOD, VOID, SLOW, GOOD)]
    assert worst_of(runs) is runs[2]
    assert worst_of(runs[:2]) is runs[1]
    slower = Run(SUBMIT, measured(series={**GOOD.series, "booked": series(60.0)}))
    assert worst_of([runs[0], slower, runs[3]]) is slower


def test_a_run_is_a_point_of_the_search_by_its_slowest_gate() -> None:
    point = Run(SUBMIT, GOOD).point()
    assert point.p99_ms == GOOD.series["booked"].corrected.percentile_ms(99)
    assert (point.multiple, point.rate) == (2.0, 400.0)
    assert not point.is_beyond
    assert Run(SUBMIT, replace(GOOD, remainder=Remainder(unresolved=5))).point().is_beyond
    assert Run(SUBMIT, VOID).point().is_void


def test_csv_has_a_row_for_each_series_of_each_run() -> None:
    found = list(csv.DictReader(StringIO(rows.summary(result(GOOD, SLOW)))))
    assert [(row["run"], row["series"], row["outcome"]) for row in found] == [
        ("1", "acknowledged", "passed"),
        ("1", "booked", "passed"),
        ("2", "acknowledged", "failed"),
        ("2", "booked", "failed"),
    ]
    first = GOOD.series["acknowledged"].corrected
    assert float(found[0]["p99_ms"]) == first.percentile_ms(99)
    assert float(found[0]["max_ms"]) == first.max_ms
    assert float(found[0]["p99_ms_low"]) <= float(found[0]["p99_ms"])
    assert found[2]["failed"] == "20"
    seconds = list(csv.DictReader(StringIO(rows.timeline(result(GOOD)))))
    assert len(seconds) == 2 * SECONDS
    assert sum(int(row["ended"]) for row in seconds) == 2 * GOOD.sent


def test_csv_leaves_empty_what_too_few_samples_cannot_tell() -> None:
    few = measured(series={"acknowledged": series(20.0, count=100)})
    (row,) = csv.DictReader(StringIO(rows.summary(result(few))))
    assert row["p99_ms"]
    assert row["p99_ms_low"] == row["p99_ms_high"] == ""
    assert None not in row


def test_junit_counts_what_failed_and_what_is_void() -> None:
    whole = result(GOOD, SLOW, VOID).with_checks({"cash_conserved": "1 USD is gone"})
    root = Xml.fromstring(junit(whole))
    suites = {suite.get("name", ""): suite for suite in root.iter("testsuite")}
    counts = {
        name: (suite.get("tests"), suite.get("failures"), suite.get("errors"))
        for name, suite in suites.items()
    }
    assert counts == {
        "SUBMIT at 2x, run 1": ("5", "0", "0"),
        "SUBMIT at 2x, run 2": ("5", "1", "0"),
        "SUBMIT at 2x, run 3": ("1", "0", "1"),
        "checks": ("2", "1", "0"),
    }
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("13", "2", "1")
    (failed,) = suites["SUBMIT at 2x, run 2"].iter("failure")
    assert re.match(r"it is \d+\.\d ms$", failed.get("message", ""))


def test_the_verdict_is_printed_last() -> None:
    told = list(lines(result(GOOD, SLOW, VOID)))
    assert told[-1] == "FAILED"
    assert told[-2] == "2 of 2 checks passed"
    assert "the knee (p99 of 500 ms) is between 566/s (2.83x) and 800/s (4x)" in told[-3]
    assert any(re.match(r"SUBMIT 1 acknowledged +2x +400 .* 250 .* PASSED$", one) for one in told)
    assert any(re.match(r"SUBMIT 2 acknowledged +2x +400 .* FAILED", one) for one in told)
    assert sum(one.startswith("  ") for one in told) == 2  # Why the second failed, the third void.


def test_a_run_without_anything_seen_is_told_as_such() -> None:
    told = list(lines(Result((Run(SUBMIT, measured(series={}, sent=0, scheduled=0)),))))
    assert "nothing was seen of what it is about" in told[1]
    assert told[-1] == "VOID"


def test_a_knee_that_was_not_found_is_said_to_be_so() -> None:
    assert knee_in_words(knee(CURVE[:2])) == "no knee (p99 of 500 ms) up to 400/s (2x)"
    assert knee_in_words(knee(CURVE[2:3])) == "the knee (p99 of 500 ms) is below 800/s (4x)"
    assert knee_in_words(knee(())) == "no valid run tells where the knee is"


def test_the_page_needs_nothing_from_outside_and_shows_everything() -> None:
    whole = result(GOOD, SLOW, VOID).with_checks({"cash_conserved": "1 USD <is> gone"})
    text = page(whole)
    assert len(text) < LIMIT_BYTES
    assert not re.search(r"<script|<link|<img|url\(|@import|src=", text.replace("url(#", ""))
    links = set(re.findall(r'href="([^"]+)"', text))
    assert all(link.startswith("#") for link in links)
    assert "&lt;2 cores&gt;" in text
    assert "1 USD &lt;is&gt; gone" in text
    assert text.count("<svg") == 1 + 2 * 2 + 1  # Saturation, two for each series, throughput.
    for words in (
        "SUBMIT: saturation",
        "OrderService/SubmitOrder",
        "as one waiting caller sees it",
    ):
        assert words in text
    assert "acknowledged p99 is" in text  # The worst run is the one that is shown.


def test_a_picture_is_drawn_once_and_has_a_label_for_no_more_than_can_be_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Drawing is what a report takes its time for: twice as often, or each of a hundred ticks."""
    drawn, draw = [], Figure.draw

    def counted(figure: Figure, renderer: Any) -> None:
        drawn.append(figure)
        draw(figure, renderer)

    monkeypatch.setattr(Figure, "draw", counted)
    pictures = re.findall(r"<svg.*?</svg>", page(result(GOOD)), re.DOTALL)
    assert len(drawn) == len(pictures) == 6
    assert max(picture.count("<text") for picture in pictures) < 40


def test_of_many_profiles_the_worst_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runtime.load.report.page.PROFILES_DRAWN_MAX", 2)
    names = [f"OrderService/Method{n}" for n in range(3)]
    short = {"acknowledged": series(1.0, count=400)}
    runs = [Run(replace(SUBMIT, name=name), measured(series=short)) for name in names]
    slow = measured(series={"acknowledged": series(300.0, count=400)})
    runs[-1] = Run(replace(SUBMIT, name=names[-1]), slow)
    text = page(Result(tuple(runs)))
    assert text.count("<svg") == 3 * 2
    assert "<svg" in text.split("<h2>")[-1]


def test_equal_results_are_equal_pages() -> None:
    assert page(result(GOOD)) == page(result(GOOD))


def test_a_page_can_be_made_of_next_to_nothing() -> None:
    nothing = measured(series={}, sent=0, scheduled=0, streams={})
    one = measured(series={"booked": series(20.0, count=1)})
    for whole in (Result(()), Result((Run(SUBMIT, nothing),)), Result((Run(SUBMIT, one),))):
        assert "void" in page(whole)
    voided = tuple(replace(point, is_void=True) for point in CURVE)
    assert "<svg" not in page(Result((), curves={"SUBMIT": voided, "MIX": ()}))
