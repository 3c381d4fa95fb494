"""How a market's volume is spread over its day, and what part of it falls into each slice."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from services.execution.algorithms.terms import NS_PER_S
from services.execution.algorithms.weights import Numbers

DAY_NS = 24 * 3600 * NS_PER_S
SESSIONS = 20
U_BUCKETS = 30
SESSION_PROFILE, U_SHAPE = "session volume profile", "U-shape"
GIVEN_PROFILE = "given profile"


class Bar(NamedTuple):
    """The volume that traded between two times."""

    open_ns: int
    close_ns: int
    volume: float


@dataclass(frozen=True)
class Profile:
    """Shares of the day's volume between instants of the day, in nanoseconds after midnight."""

    name: str
    edges: Numbers  # Rising, one more than shares.
    shares: Numbers
    day_volume: float = 0.0  # The mean of a session, in units of the instrument.

    def volumes(self, start_ns: int, end_ns: int, slices: int) -> Numbers:
        """Return the share of the day's volume that falls into each part of a window."""
        instants = np.linspace(0, end_ns - start_ns, slices + 1)
        offset = start_ns % DAY_NS
        cumulative = np.concatenate(([0.0], np.cumsum(self.shares)))
        whole, part = np.divmod(offset + instants, DAY_NS)
        reached = whole * cumulative[-1] + np.interp(part, self.edges, cumulative)
        return np.diff(reached)


def u_shape() -> Numbers:
    """Return the usual shares of 30 equal parts of a session: u ∝ 1 + 2(2x − 1)²."""
    x = (np.arange(U_BUCKETS) + 0.5) / U_BUCKETS
    u: Numbers = 1 + 2 * (2 * x - 1) ** 2
    shares: Numbers = u / u.sum()
    return shares


def u_volumes(slices: int) -> Numbers:
    """Return the U-shape's share of each of `slices` equal parts of the window."""
    return spread(u_shape(), slices)


def spread(shares: Sequence[float] | Numbers, slices: int) -> Numbers:
    """Return how shares of equal parts fall into `slices` equal parts of the same whole."""
    cumulative = np.concatenate(([0.0], np.cumsum(np.asarray(shares, dtype=np.float64))))
    places = np.linspace(0, len(shares), slices + 1)
    return np.diff(np.interp(places, np.arange(len(shares) + 1), cumulative))


def session_profile(bars: Iterable[Bar]) -> Profile | None:
    """Return the mean share of the day's volume by time of day over the last 20 sessions.

    A session is a UTC date with volume. None when there is no volume at all.
    """
    days: dict[int, dict[tuple[int, int], float]] = defaultdict(lambda: defaultdict(float))
    for bar in bars:
        day, opened = divmod(bar.open_ns, DAY_NS)
        days[day][opened, opened + bar.close_ns - bar.open_ns] += bar.volume
    traded = [day for day in sorted(days) if sum(days[day].values()) > 0][-SESSIONS:]
    if not traded:
        return None
    means: dict[tuple[int, int], float] = defaultdict(float)
    for day in traded:
        total = sum(days[day].values())
        for place, volume in days[day].items():
            means[place] += volume / total / len(traded)
    mean_volume = sum(sum(days[day].values()) for day in traded) / len(traded)
    return _profile(means, mean_volume)


def _profile(means: dict[tuple[int, int], float], day_volume: float) -> Profile:
    """Return a profile over the whole day: what lies between two bars has no volume."""
    edges, shares = [0.0], list[float]()
    for (opened, closed), share in sorted(means.items()):
        start = max(float(opened), edges[-1])
        if start > edges[-1]:
            edges.append(start)
            shares.append(0.0)
        edges.append(max(float(min(closed, DAY_NS)), start + 1.0))
        shares.append(share)
    if edges[-1] < DAY_NS:
        edges.append(float(DAY_NS))
        shares.append(0.0)
    return Profile(SESSION_PROFILE, np.array(edges), np.array(shares), day_volume)
