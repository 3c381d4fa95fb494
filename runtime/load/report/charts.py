"""The page's pictures, as SVG text that needs nothing from outside."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from runtime.load.histogram import Latencies
from runtime.load.knee import LIMIT_MS, SHOWN_ANYWAY, Point, knee
from runtime.load.measured import Series
from runtime.load.report.result import Run
from runtime.load.served import Spread
from runtime.pictures import GAIN, INK, LOSS, SAND, SEA, STYLE, WIDTH_IN, svg

COLORS = (SEA, SAND, GAIN, LOSS, INK)
LEFT_IN, RIGHT_IN, BOTTOM_IN, LEGEND_ROW_IN = 0.75, 0.1, 0.45, 0.19
DECADES = (1.0,)
BINS_PER_DECADE, METHODS_DRAWN_MAX = 20, 4


def histogram(series: Series, limit_ms: float | None, served: Mapping[str, Spread]) -> str:
    """Draw how long units took by both ways of counting, and beside it what servers say."""
    with mpl.rc_context(STYLE):
        figure = _figure(3.2, legend_rows=METHODS_DRAWN_MAX if served else 2)
        widths = [3, 2] if served else [1]
        ours, *beside = figure.subplots(
            1, len(widths), sharex=True, width_ratios=widths, squeeze=False
        )[0]
        _count(ours, series.corrected, "from the intended instant", is_filled=True)
        _count(ours, series.uncorrected, "as one waiting caller sees it", is_filled=False)
        p99_ms = series.corrected.percentile_ms(99)
        ours.axvline(p99_ms, color=SAND, linewidth=1.4, label=f"p99 {p99_ms:,.1f} ms")
        if limit_ms:
            ours.axvline(limit_ms, color=LOSS, linestyle="--", label=f"limit {limit_ms:,.0f} ms")
        ours.set(xscale="log", ylabel="units")
        for theirs in beside:
            _served(theirs, served)
        for axes in (ours, *beside):
            axes.set(yscale="log", xlabel="ms")
            _plain(axes.xaxis, DECADES)
            _plain(axes.yaxis, DECADES)
            _legend(axes, columns=1 if axes in beside else 2)
        return svg(figure)


def over_time(series: Series, limit_ms: float | None) -> str:
    """Draw the latency of each second."""
    with mpl.rc_context(STYLE):
        figure = _figure(2.6, legend_rows=1)
        axes = figure.subplots()
        seconds = [one.second for one in series.timeline]
        for name, color in (("max", "#9aa7b0"), ("p99", SAND), ("p50", SEA)):
            values = [getattr(one, f"{name}_ms") or np.nan for one in series.timeline]
            axes.plot(seconds, values, color=color, linewidth=1.3, label=name)
        if limit_ms:
            axes.axhline(limit_ms, color=LOSS, linestyle="--", label=f"limit {limit_ms:,.0f} ms")
        axes.set(yscale="log", xlabel="second", ylabel="ms")
        _plain(axes.yaxis)
        _legend(axes)
        return svg(figure)


def throughput(run: Run) -> str:
    """Draw what was offered and, each second, how much ended and how much of it badly."""
    with mpl.rc_context(STYLE):
        figure = _figure(2.6, legend_rows=2)
        axes = figure.subplots()
        rate = run.measured.rate
        axes.axhline(rate, color=INK, linestyle="--", linewidth=1.0, label=f"offered {rate:,.0f}/s")
        for color, (name, series) in zip(COLORS, run.measured.series.items(), strict=False):
            # The last second of the timeline holds all that ended later, too.
            whole = [one for one in series.timeline if one.second < run.measured.duration_s]
            seconds = [one.second for one in whole]
            axes.plot(seconds, [one.ended for one in whole], color=color, linewidth=1.3, label=name)
            if series.failed:
                failed = [one.failed for one in whole]
                axes.fill_between(seconds, failed, color=LOSS, alpha=0.4, label=f"{name}, failed")
        axes.set(xlabel="second", ylabel="units per second")
        axes.set_ylim(bottom=0)
        _legend(axes)
        return svg(figure)


def saturation(points: Sequence[Point]) -> str:
    """Draw latency over what was offered, and where the knee is."""
    with mpl.rc_context(STYLE):
        figure = _figure(3.2, legend_rows=1)
        axes = figure.subplots()
        valid = sorted((p for p in points if not p.is_void), key=lambda point: point.multiple)
        rates = [point.rate for point in valid]
        for name, color in (("p50", SEA), ("p99", SAND)):
            values = [getattr(point, f"{name}_ms") for point in valid]
            axes.plot(rates, values, color=color, marker="o", markersize=4, label=name)
        axes.axhline(LIMIT_MS, color=LOSS, linestyle="--", label=f"{LIMIT_MS:g} ms")
        found = knee(points)
        for point in valid:
            if point.multiple in SHOWN_ANYWAY or point in (found.holds, found.beyond):
                text, at = f"{point.multiple:.3g}x", (point.rate, point.p99_ms)
                side: Any = {found.holds: "right", found.beyond: "left"}.get(point, "center")
                axes.annotate(text, at, xytext=(0, 6), textcoords="offset points", ha=side)
        if found.beyond:
            least = found.holds.rate if found.holds else min(rates)
            axes.axvspan(least, found.beyond.rate, color=LOSS, alpha=0.12, label="the knee")
        axes.set(xscale="log", yscale="log", xlabel="offered, units per second", ylabel="ms")
        _plain(axes.xaxis)
        _plain(axes.yaxis)
        axes.margins(y=0.15)
        _legend(axes)
        return svg(figure)


def _count(axes: Axes, latencies: Latencies, label: str, *, is_filled: bool) -> None:
    ends_ms, counts = zip(*latencies.buckets() or [(1.0, 0)], strict=True)
    first = np.floor(np.log10(min(ends_ms)) * BINS_PER_DECADE)
    last = np.ceil(np.log10(max(ends_ms)) * BINS_PER_DECADE) + 1
    edges_ms = 10 ** (np.arange(first, last + 1) / BINS_PER_DECADE)
    binned, _ = np.histogram(ends_ms, edges_ms, weights=counts)
    color, alpha = (SEA, 0.55) if is_filled else (INK, 1.0)
    axes.stairs(binned, edges_ms, fill=is_filled, color=color, alpha=alpha, label=label)


def _served(axes: Axes, served: Mapping[str, Spread]) -> None:
    """Draw the busiest methods; a bucket without bounds is drawn as wide as its neighbour."""
    busiest = sorted(served.items(), key=lambda one: -one[1].count)[:METHODS_DRAWN_MAX]
    for color, (label, spread) in zip(COLORS, busiest, strict=False):
        bounds_ms = [bound_s * 1e3 for bound_s in spread.bounds_s[:-1]]
        edges_ms = [bounds_ms[0] / 2, *bounds_ms, bounds_ms[-1] * 2]
        seen = np.flatnonzero(spread.counts)
        first, last = int(seen[0]), int(seen[-1]) + 1
        counts, edges_ms = spread.counts[first:last], edges_ms[first : last + 1]
        axes.stairs(counts, edges_ms, color=color, linewidth=1.3, label=label)
    axes.set_ylabel("calls, as servers count them")


def _figure(height_in: float, *, legend_rows: int) -> Figure:
    """Return a figure with room for its labels, and above for its legend.

    One that made room by itself would draw everything once more to see how much it takes.
    """
    figure = Figure(figsize=(WIDTH_IN, height_in))
    figure.subplots_adjust(
        left=LEFT_IN / WIDTH_IN,
        right=1 - RIGHT_IN / WIDTH_IN,
        bottom=BOTTOM_IN / height_in,
        top=1 - (RIGHT_IN + LEGEND_ROW_IN * legend_rows) / height_in,
    )
    return figure


def _plain(axis: Axis, subs: Sequence[float] = (1, 2, 5)) -> None:
    """Write plain numbers on a logarithmic axis, also where it spans less than a decade.

    It has no other ticks: each of them is measured and drawn, and there are hundreds.
    """
    axis.set_major_locator(LogLocator(subs=subs))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axis.set_minor_locator(NullLocator())


def _legend(axes: Axes, columns: int = 4) -> None:
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=columns, borderaxespad=0)
