"""The picture of how a run went: its faults over time, and below them calls and orders."""

from collections.abc import Mapping, Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from fixtures.outcome import FaultSeen, Moment
from runtime.pictures import INK, LOSS, SAND, SEA, STYLE, WIDTH_IN, svg

LANE_IN, PANEL_IN = 0.22, 1.45
ERROR_COLORS = (LOSS, SAND, "#7d5ba6", INK, SEA, "#9aa7b0")
# From the bottom of the stack: what is open, then what has ended.
STATE_COLORS = {
    "IN_DOUBT": LOSS,
    "PENDING_NEW": SAND,
    "NEW": SEA,
    "PARTIALLY_FILLED": "#6fb1c9",
    "PENDING_CANCEL": "#b08bc9",
    "PENDING_REPLACE": "#7d5ba6",
    "SUSPENDED": "#8d6e54",
    "FILLED": "#a9d3b8",
    "CANCELED": "#d5dce1",
    "EXPIRED": "#c3cbd1",
    "REJECTED": "#aeb8bf",
    "DONE_FOR_DAY": "#98a3ab",
}


def course(timeline: Sequence[Moment], faults: Sequence[FaultSeen]) -> str:
    """Draw faults as bands against the latency and errors of calls and the states of orders."""
    with mpl.rc_context(STYLE):
        lanes_in = LANE_IN * len(faults) + 0.15
        heights_in = [lanes_in, PANEL_IN, PANEL_IN, PANEL_IN]
        figure = Figure(figsize=(WIDTH_IN, sum(heights_in) + 0.7), layout="constrained")
        lanes, latency, errors, orders = figure.subplots(
            4, 1, sharex=True, height_ratios=heights_in
        )
        span_s = (timeline[0].from_s, timeline[-1].to_s)
        _faults(lanes, faults, span_s)
        _latency(latency, timeline)
        _errors(errors, timeline)
        _orders(orders, timeline)
        for axes in (latency, errors, orders):
            for fault in faults:
                axes.axvspan(*_over(fault, span_s), color=LOSS, alpha=0.07, linewidth=0)
            if axes.get_legend_handles_labels()[0]:
                axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), borderaxespad=0)
        orders.set_xlabel("seconds since the steady state")
        orders.set_xlim(*span_s)
        return svg(figure)


def _faults(axes: Axes, faults: Sequence[FaultSeen], span_s: tuple[float, float]) -> None:
    middle_s = sum(span_s) / 2
    for lane, fault in enumerate(faults):
        begin_s, end_s = _over(fault, span_s)
        axes.barh(lane, end_s - begin_s, left=begin_s, height=0.72, color=LOSS, alpha=0.35)
        is_left = begin_s + end_s < 2 * middle_s
        name = f"{fault.kind} at {fault.target}" if fault.target else fault.kind
        axes.annotate(
            name,
            (end_s if is_left else begin_s, lane),
            xytext=(4 if is_left else -4, 0),
            textcoords="offset points",
            ha="left" if is_left else "right",
            va="center",
            fontsize=8,
        )
    axes.set_ylim(max(len(faults), 1) - 0.5, -0.5)
    axes.set_yticks([])
    axes.set_ylabel("faults", rotation=0, ha="right", va="center")
    axes.spines["left"].set_visible(False)


def _over(fault: FaultSeen, span_s: tuple[float, float]) -> tuple[float, float]:
    """Return from when to when a fault was in force, as far as the picture goes."""
    end_s = span_s[1] if fault.for_s is None else fault.at_s + fault.for_s
    return fault.at_s, min(end_s, span_s[1])


def _latency(axes: Axes, timeline: Sequence[Moment]) -> None:
    middles_s = [(one.from_s + one.to_s) / 2 for one in timeline]
    for name, color in (("p99", SAND), ("p50", SEA)):
        values = [getattr(one, f"{name}_ms") for one in timeline]
        shown = [np.nan if value is None else max(value, 0.01) for value in values]
        axes.plot(
            middles_s, shown, color=color, linewidth=1.3, marker=".", markersize=3, label=name
        )
    axes.set(yscale="log", ylabel="calls, ms")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))


def _errors(axes: Axes, timeline: Sequence[Moment]) -> None:
    codes = sorted({code for one in timeline for code in one.errors})
    colors = [ERROR_COLORS[number % len(ERROR_COLORS)] for number in range(len(codes))]
    _stack(axes, timeline, [one.errors for one in timeline], dict(zip(codes, colors, strict=True)))
    axes.set_ylabel("failed calls")


def _orders(axes: Axes, timeline: Sequence[Moment]) -> None:
    seen = {state for one in timeline for state in one.orders}
    colors = {state: color for state, color in STATE_COLORS.items() if state in seen}
    _stack(axes, timeline, [one.orders for one in timeline], colors)
    axes.set_ylabel("orders")


def _stack(
    axes: Axes,
    timeline: Sequence[Moment],
    counts: Sequence[Mapping[str, int]],
    colors: Mapping[str, str],
) -> None:
    """Draw what is counted on top of each other, by colour, each count as long as its moment."""
    edges_s = [timeline[0].from_s, *(one.to_s for one in timeline)]
    for_ever = [*counts, counts[-1]]  # A step is drawn up to the next edge.
    rows = [[one.get(name, 0) for one in for_ever] for name in colors]
    if rows:
        labels = list(colors)
        axes.stackplot(
            edges_s, rows, step="post", linewidth=0, labels=labels, colors=list(colors.values())
        )
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.set_ylim(bottom=0)
