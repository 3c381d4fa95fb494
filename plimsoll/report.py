"""`report.html`: one self-contained file that shows what a run did and how it was judged."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from markupsafe import Markup

from fixtures.outcome import Outcome
from plimsoll import charts, fleet
from plimsoll.course import course
from plimsoll.pages import fill
from runtime.topology.units import write_rate, write_seconds

TEMPLATE = "report.html.jinja"
COURSE = (
    "Shaded: while something was wrong on purpose. A call counts when it ended, with its latency "
    "if that was well; an order is in the state that the ledger was last told."
)
INSTRUMENTS_DRAWN_MAX = 12  # Keeps the file under 2 MB whatever was traded.


def write_report(outcome: Outcome, path: Path) -> None:
    """Write the report of `outcome` to `path`; it refers to nothing outside itself."""
    path.write_text(render(outcome), encoding="utf-8")


def render(outcome: Outcome) -> str:
    """Return the page."""
    filters: dict[str, Callable[..., Any]] = {
        "amount": lambda value: f"{value:,.2f}",
        "exact": lambda value: f"{value.normalize():,f}",
        "size": fleet.size,
        "seconds": write_seconds,
        "rate": write_rate,
        "way": fleet.way,
        "numbers": fleet.numbers,
        "carries": fleet.carries,
    }
    return fill(TEMPLATE, filters, outcome=outcome, pictures=_pictures(outcome))


def _pictures(outcome: Outcome) -> list[tuple[str, str, Markup]]:
    """Return title, what to see in it, and the drawing itself."""
    figures = outcome.figures
    pictures = []
    if outcome.faults and figures.timeline:
        drawing = course(figures.timeline, outcome.faults)
        pictures.append(("Faults, calls and orders", COURSE, drawing))
    if figures.equity:
        drawing = charts.equity_and_drawdown(figures.equity, figures.currency)
        pictures.append(("Equity and drawdown", "After every bar, marked at its close.", drawing))
    if figures.latency:
        note = (
            "From a published candle to an order working at the venue, and from a price point "
            "to a fill booked in the ledger. Time in which the market itself waits is not counted."
        )
        pictures.append(("Round-trip latency", note, charts.latency_histogram(figures.latency)))
    traded = sorted(figures.prices, key=lambda name: (-len(figures.fill_marks.get(name, ())), name))
    for name in traded[:INSTRUMENTS_DRAWN_MAX]:
        drawing = charts.price_with_trades(
            figures.prices[name],
            figures.signal_marks.get(name, ()),
            figures.fill_marks.get(name, ()),
        )
        note = "Closes with signals (hollow) and fills (solid); triangles up are buys."
        pictures.append((name, note, drawing))
    return [(title, note, Markup(drawing)) for title, note, drawing in pictures]
