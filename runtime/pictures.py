"""How the pictures of all reports look, as SVG text that needs nothing from outside."""

from io import StringIO
from typing import Any

from matplotlib.figure import Figure

INK, SEA, LOSS, GAIN, SAND = "#1d2b36", "#1f6f8b", "#c0392b", "#2e8b57", "#d9a441"
WIDTH_IN = 9.5
STYLE: Any = {  # The stubs spell out every key as a literal.
    "svg.fonttype": "none",  # Text stays text: small, and searchable in the page.
    "svg.hashsalt": "plimsoll",  # Equal runs draw equal pictures.
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.edgecolor": "#9aa7b0",
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.grid": True,
    "grid.color": "#e3e9ed",
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "legend.fontsize": 8,
}


def svg(figure: Figure) -> str:
    """Return a figure as an element that stands in a page; to be drawn within STYLE."""
    text = StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    _, begin, rest = text.getvalue().partition("<svg")
    return begin + rest
