"""Rate, errors and durations of calls, counted where they are served and where they are made."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
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
        self.longest_s = max(self.longest_s, duration_s)
        self.buckets[bisect_left(BOUNDS_S, duration_s)] += 1


class Measurements:
    """What anyone may read about the calls of one process or one client.

    Durations are in seconds of the event loop. `refused` are calls a guard let not through:
    they have a code but took no time worth counting, and stand in `count` like the others.
    """

    def __init__(self) -> None:
        self.in_flight: Counter[str] = Counter()  # By method path.
        self._series: dict[str, dict[str, Series]] = {}

    def add(self, path: str, code: str, duration_s: float) -> None:
        """Count one call of the method at `path` that ended with `code` ("OK", "NOT_FOUND")."""
        codes = self._series.get(path)
        if codes is None:
            codes = self._series[path] = {}
        series = codes.get(code)
        if series is None:
            series = codes[code] = Series()
        series.add(duration_s)

    def count(self, path: str, code: str) -> int:
        """Return how many calls of a method ended with `code`."""
        series = self._series.get(path, {}).get(code)
        return series.count if series else 0

    def series(self) -> Iterator[tuple[str, str, Series]]:
        """Yield every (path, code, series), sorted."""
        for path, codes in sorted(self._series.items()):
            for code, series in sorted(codes.items()):
                yield path, code, series
