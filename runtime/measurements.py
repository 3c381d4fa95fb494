"""Rate, errors and durations of calls, counted where they are served and where they are made."""

from bisect import bisect_left
from dataclasses import dataclass, field

# Upper bounds of the duration buckets; a last one holds everything longer.
BOUNDS_S = tuple(
    ms / 1000
    for ms in (
        *(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500),
        *(1_000, 2_500, 5_000, 10_000, 60_000),
    )
)


@dataclass(slots=True)
class Series:
    """The calls of one method that ended with one code."""

    count: int = 0
    total_s: float = 0.0
    longest_s: float = 0.0
    buckets: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS_S) + 1))

    def add(self, duration_s: float) -> None:
        """Count one call."""
        self.count += 1
        self.total_s += duration_s
        if duration_s > self.longest_s:
            self.longest_s = duration_s
        self.buckets[bisect_left(BOUNDS_S, duration_s)] += 1


@dataclass(slots=True)
class MethodCalls:
    """All calls of one method."""

    in_flight: int = 0
    by_code: dict[str, Series] = field(default_factory=dict)  # "OK", "NOT_FOUND", …

    def add(self, code: str, duration_s: float) -> None:
        """Count one call that ended with `code`."""
        series = self.by_code.get(code)
        if series is None:
            series = self.by_code[code] = Series()
        series.add(duration_s)


class Measurements:
    """What anyone may read about the calls of one process.

    Durations are in seconds of the event loop. A call that a guard refuses at once is counted
    with its code and a duration of 0.
    """

    def __init__(self) -> None:
        self.methods: dict[str, MethodCalls] = {}  # By path.

    def of(self, path: str) -> MethodCalls:
        """Return the calls of the method at `path`."""
        calls = self.methods.get(path)
        if calls is None:
            calls = self.methods[path] = MethodCalls()
        return calls

    def count(self, path: str, code: str) -> int:
        """Return how many calls of a method ended with `code`."""
        series = self.of(path).by_code.get(code)
        return series.count if series else 0
