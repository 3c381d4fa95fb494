"""Where latency breaks away: which multiple to measure next, and between which two the knee is."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import sqrt

LIMIT_MS = 500.0  # The knee is where the p99 first exceeds this,
RESOLUTION = 1.1  # known once what holds and what does not are this close to each other.
MULTIPLE_MIN, MULTIPLE_MAX = 1 / 16, 64.0
SHOWN_ANYWAY = (1.0, 2.0)  # A saturation curve shows these wherever its knee is.
VOIDS_MAX = 2  # A generator that twice cannot offer a multiple will not.


@dataclass(frozen=True)
class Point:
    """One run of the search."""

    multiple: float
    rate: float  # Units per second that were offered.
    p50_ms: float
    p99_ms: float
    is_kept: bool = True  # All that was scheduled was sent and done, but for the error budget.
    is_void: bool = False  # Nothing can be said: the fault may be the generator's.

    @property
    def is_beyond(self) -> bool:
        """Whether this is past the knee."""
        return not self.is_kept or self.p99_ms > LIMIT_MS


@dataclass(frozen=True)
class Knee:
    """Between which two runs the knee lies."""

    holds: Point | None  # The fastest run below the slowest that did not hold; None: not even one.
    beyond: Point | None  # The slowest run that did not hold; None: everything offered held.


def knee(points: Sequence[Point]) -> Knee:
    """Return where the knee is, as far as `points` tell."""
    valid = [point for point in points if not point.is_void]
    beyond = _slowest(point for point in valid if point.is_beyond)
    under = beyond.multiple if beyond else float("inf")
    held = [point for point in valid if not point.is_beyond and point.multiple < under]
    return Knee(max(held, key=lambda point: point.multiple, default=None), beyond)


def next_multiple(points: Sequence[Point]) -> float | None:
    """Return what to measure next: 1, 2, doubled until it breaks, then between; None: enough.

    A void run is made once more, for longer; a multiple that is void again is left at that.
    """
    wanted = _wanted(points)
    if wanted is None or not MULTIPLE_MIN <= wanted <= MULTIPLE_MAX:
        return None
    return wanted if _voids(points, wanted) < VOIDS_MAX else None


def longer(points: Sequence[Point], multiple: float) -> int:
    """Return how many times as long a multiple is to be measured as was asked for.

    One that was void is measured twice as long: there were too few calls for a p99, or it began
    before the platform had got over what it was loaded with before.
    """
    return 1 << _voids(points, multiple)


def _wanted(points: Sequence[Point]) -> float | None:
    settled = {point.multiple for point in points if not point.is_void}
    for multiple in SHOWN_ANYWAY:
        if multiple not in settled:
            return multiple
    found = knee(points)
    if found.beyond is None:
        return max(settled) * 2
    if found.holds is None:
        lower = found.beyond.multiple / 2
        while _voids(points, lower) >= VOIDS_MAX:  # Something slower may still be told.
            lower /= 2
        return lower
    if found.beyond.multiple / found.holds.multiple <= RESOLUTION:
        return None
    return round(sqrt(found.beyond.multiple * found.holds.multiple), 4)


def _voids(points: Sequence[Point], multiple: float) -> int:
    return sum(point.is_void and point.multiple == multiple for point in points)


def _slowest(points: Iterable[Point]) -> Point | None:
    return min(points, key=lambda point: point.multiple, default=None)
