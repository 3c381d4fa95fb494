"""A tab in Locust's web UI: how each profile stands, and the whole report."""

import json
from typing import Any

from flask import Response, request
from locust.web import WebUI

from runtime.load.on_locust.ending import Ending
from runtime.load.on_locust.shape import OneAfterAnother
from runtime.load.report.page import page
from runtime.load.report.result import Run
from runtime.load.verdict import GATED

KEY, PATH = "verdict", "/load-report"
COLUMNS = {
    "profile": "Profile",
    "multiple": "Multiple",
    "offered": "Offered/s",
    "series": "Series",
    "p50": "p50 (ms)",
    "p99": "p99 (ms)",
    "uncorrected": "p99 of one caller (ms)",
    "limit": "Limit (ms)",
    "late": "Late sends",
    "verdict": "Verdict",
    "reasons": "Why",
}


def show(web_ui: WebUI, shape: OneAfterAnother, ending: Ending) -> None:
    """Add the tab, and the report to what can be downloaded."""
    web_ui.template_args |= {
        "extended_tabs": [{"title": "Verdict", "key": KEY}],
        "extended_tables": [
            {"key": KEY, "structure": [{"key": k, "title": t} for k, t in COLUMNS.items()]}
        ],
        "extended_csv_files": [{"href": PATH, "title": "Open the load report"}],
    }

    def report() -> Response:
        if ending.result is None:
            return Response("There is a report once a test has stopped.", 404)
        return Response(page(ending.result), mimetype="text/html")

    def with_verdicts(response: Response) -> Response:
        if request.path.endswith("/stats/requests") and response.is_json:
            done = shape.tour.done if shape.tour else []
            found = [row for _, run in done for row in rows(run)]
            told = {**response.get_json(), "extended_stats": [{"key": KEY, "data": found}]}
            response.set_data(json.dumps(told))
        return response

    ui: Any = web_ui
    ui.app.add_url_rule(PATH, "load_report", ui.auth_required_if_enabled(report))
    ui.app.after_request(with_verdicts)


def rows(run: Run) -> list[dict[str, Any]]:
    """Return one row for each series of a run, or for a run without any."""
    measured, verdict = run.measured, run.verdict
    limits = {figure.series: figure.limit_ms for figure in verdict.figures if figure.limit_ms}
    whole = {
        "profile": run.profile.name,
        "multiple": measured.multiple,
        "offered": round(measured.rate, 1),
        "late": measured.late,
        "verdict": verdict.outcome.upper(),
        "reasons": "; ".join(verdict.reasons),
    }
    return [
        {
            **whole,
            "series": name,
            "p50": series.corrected.percentile_ms(50),
            "p99": series.corrected.percentile_ms(GATED),
            "uncorrected": series.uncorrected.percentile_ms(GATED),
            "limit": limits.get(name),
        }
        for name, series in measured.series.items()
    ] or [whole]
