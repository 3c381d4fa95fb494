"""A result as CSV: one row for each series of each run, and one for each of its seconds."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO

from runtime.load.confidence import estimate
from runtime.load.report.result import Result, Run

ESTIMATED = {"p50": 50.0, "p95": 95.0, "p99": 99.0, "p99.9": 99.9}
SUMMARY = (
    *("profile", "run", "multiple", "outcome", "series", "offered_per_s", "achieved_per_s"),
    *("scheduled", "sent", "late", "dropped", "ended", "failed"),
    *(f"{name}_ms{bound}" for name in ESTIMATED for bound in ("", "_low", "_high")),
    *("max_ms", "uncorrected_p50_ms", "uncorrected_p99_ms", "generator_cpu_share"),
)
TIMELINE = ("profile", "run", "series", "second", "ended", "failed", "p50_ms", "p99_ms", "max_ms")


def summary(result: Result) -> str:
    """Return one row for each series of each run."""
    runs = result.numbered()
    return _csv(SUMMARY, (row for name, n, run in runs for row in _series(name, n, run)))


def timeline(result: Result) -> str:
    """Return one row for each second of each series."""
    return _csv(
        TIMELINE,
        (
            [name, n, series, s.second, s.ended, s.failed, s.p50_ms, s.p99_ms, s.max_ms]
            for name, n, run in result.numbered()
            for series, seen in run.measured.series.items()
            for s in seen.timeline
        ),
    )


def _series(name: str, number: int, run: Run) -> Iterator[list[object]]:
    measured = run.measured
    for label, series in measured.series.items():
        found = [estimate(series.corrected, percent) for percent in ESTIMATED.values()]
        yield [
            *(name, number, measured.multiple, run.verdict.outcome, label),
            *(measured.rate, round(run.achieved[label], 3)),
            *(measured.scheduled, measured.sent, measured.late, measured.dropped),
            *(series.ended, series.failed),
            *(value for one in found for value in (one.value, one.low, one.high)),
            series.corrected.max_ms,
            *(series.uncorrected.percentile_ms(50), series.uncorrected.percentile_ms(99)),
            round(measured.cpu_share, 4),
        ]


def _csv(header: Sequence[str], rows: Iterable[list[object]]) -> str:
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()
