"""A result as one HTML page that refers to nothing outside itself."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, select_autoescape
from markupsafe import Markup

from runtime.load.knee import knee
from runtime.load.report import charts
from runtime.load.report.result import Result, Run, badness, worst_of
from runtime.load.report.terminal import knee_in_words, within

TEMPLATE = "page.html.jinja"
PROFILES_DRAWN_MAX = 12  # The worst; a test of every single method would be a page of 5 MB.
Picture = tuple[str, str, Markup]  # Title, what to see in it, and the drawing itself.

HISTOGRAM = (
    "Filled: every unit from the instant it was meant to be sent at. Line: what one caller that "
    "waits for each answer would have measured of the same run; where it ends earlier, such a "
    "test would have hidden it."
)
THROUGHPUT = (
    "Dashed: what was offered on average. A series may have fewer than one for each unit offered, "
    "as not every candle makes a signal."
)
SATURATION = "Latency over offered load, each point a run of its own; void runs are left out."


def page(result: Result) -> str:
    """Return the page."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=select_autoescape(default=True),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "ms": lambda value: f"{value:,.1f}" if value < 1000 else f"{value:,.0f}",
        "share": lambda value: f"{value:.3%}",
        "count": lambda value: f"{value:,}",
        "rate": lambda value: f"{value:,.1f}".removesuffix(".0"),
        "mb": lambda value: f"{value / 1e6:,.0f}",
        "within": within,
    }
    shown = [worst_of(runs) for runs in result.profiles.values()]
    drawn = sorted(shown, key=badness, reverse=True)[:PROFILES_DRAWN_MAX]
    curves = [
        (name, knee_in_words(knee(points)), Markup(charts.saturation(points)))
        for name, points in result.curves.items()
        if not all(point.is_void for point in points)
    ]
    return environment.get_template(TEMPLATE).render(
        result=result,
        shown=[(run, _pictures(run) if run in drawn else []) for run in shown],
        curves=curves,
        saturation=SATURATION,
    )


def _pictures(run: Run) -> list[Picture]:
    limits = {gate.series: gate.p99_ms for gate in run.profile.gates}
    served = run.served.methods if run.served else {}
    found: list[Picture] = []
    for name, series in run.measured.series.items():
        if not series.ended:
            continue
        drawn = charts.histogram(series, limits.get(name), served)
        found.append((f"{name}: histogram", HISTOGRAM, Markup(drawn)))
        drawn = charts.over_time(series, limits.get(name))
        found.append((f"{name}: latency over time", "Second by second.", Markup(drawn)))
    drawn = charts.throughput(run)
    return [*found, ("Offered and achieved", THROUGHPUT, Markup(drawn))]
