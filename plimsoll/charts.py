"""The report's pictures, as SVG text that needs nothing from outside."""

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from fixtures.outcome import EquityPoint, Latency, Marker, PricePoint
from runtime.pictures import GAIN, INK, LOSS, SAND, SEA, STYLE, WIDTH_IN, svg

HISTOGRAM_BINS = 60


def equity_and_drawdown(points: Sequence[EquityPoint], currency: str) -> str:
    """Draw equity over time, and below it how far it stood under its best, in percent."""
    times = _instants(points)
    equity = [float(p.equity) for p in points]
    best = list(accumulate(equity, max))
    drawdown = [100 * (e / b - 1) if b else 0.0 for e, b in zip(equity, best, strict=True)]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH_IN, 4.2), layout="constrained")
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
        above.plot(times, equity, color=SEA, linewidth=1.4)
        above.set_ylabel(f"equity, {currency}")
        above.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        below.fill_between(times, drawdown, 0, color=LOSS, alpha=0.35, linewidth=0)
        below.set_ylabel("drawdown, %")
        return svg(figure)


def price_with_trades(
    prices: Sequence[PricePoint], signals: Sequence[Marker], fills: Sequence[Marker]
) -> str:
    """Draw closes with the signals (hollow) and the fills (solid), up for buys."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH_IN, 2.8), layout="constrained")
        axes = figure.subplots()
        times = _instants(prices)
        axes.plot(times, [float(p.close) for p in prices], color=INK, linewidth=0.9)
        _mark(axes, signals, is_hollow=True)
        _mark(axes, fills, is_hollow=False)
        axes.set_ylabel("close")
        if signals or fills:
            axes.legend(loc="lower left", bbox_to_anchor=(0, 1), frameon=False, ncols=4, fontsize=8)
        return svg(figure)


def latency_histogram(latency: Latency) -> str:
    """Draw how long round trips took, with the percentiles that matter."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH_IN, 2.8), layout="constrained")
        axes = figure.subplots()
        axes.hist(latency.samples_ms, bins=HISTOGRAM_BINS, color=SEA, alpha=0.8)
        axes.set_yscale("log")
        axes.set_xlabel("round trip, ms")
        axes.set_ylabel("round trips")
        marks = (
            ("p50", latency.p50, GAIN),
            ("p99", latency.p99, SAND),
            ("p99.9", latency.p999, LOSS),
        )
        for name, value, color in marks:
            axes.axvline(value, color=color, linewidth=1.4, label=f"{name} {value:.2f} ms")
        axes.legend(loc="lower right", bbox_to_anchor=(1, 1), frameon=False, ncols=3)
        return svg(figure)


def _mark(axes: Axes, markers: Sequence[Marker], *, is_hollow: bool) -> None:
    for side, shape, color in (("buy", "^", GAIN), ("sell", "v", LOSS)):
        chosen = [m for m in markers if m.side == side]
        if not chosen:
            continue
        axes.scatter(
            _instants(chosen),
            [float(m.price) for m in chosen],
            marker=shape,
            s=46 if is_hollow else 22,
            facecolors="none" if is_hollow else color,
            edgecolors=color,
            linewidths=0.9,
            label=f"{side} {'signal' if is_hollow else 'fill'}",
            zorder=3,
        )


def _instants(points: Sequence[EquityPoint | PricePoint | Marker]) -> Any:
    return np.array([p.time_ns for p in points], dtype="datetime64[ns]")
