"""Rate, errors and durations of calls, counted where they are served and where they are made.

Counting must cost next to nothing, so these are plain numbers; `runtime/observe/red.py` turns
them into metrics when somebody reads.
"""

from bisect import bisect_left
from collections import Counter
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import NamedTuple

from runtime.rpc import Method

# Upper bounds of the duration buckets; a last one holds everything longer.
BOUNDS_S = tuple(
    ms / 1000
    for ms in (
        *(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500),
        *(1_000, 2_500, 5_000, 10_000, 60_000),
    )
)
BOUNDS_BYTES = (64, 256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304)
SERVER, CLIENT = "server", "client"


# By which other transport the call came in that is being served; "": by the usual one.
CAME_BY: ContextVar[str] = ContextVar("CAME_BY", default="")


class Exemplar(NamedTuple):
    """The latest traced call of a bucket."""

    trace_id: str
    value: float


@dataclass(slots=True)
class Series:
    """The calls of one method that ended with one code."""

    count: int = 0
    total_s: float = 0.0
    longest_s: float = 0.0
    bounds_s: tuple[float, ...] = BOUNDS_S
    buckets: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Make a bucket for each bound, and the last one."""
        self.buckets = [0] * (len(self.bounds_s) + 1)

    def add(self, duration_s: float) -> int:
        """Count one call; returns the number of its bucket."""
        self.count += 1
        self.total_s += duration_s
        if duration_s > self.longest_s:
            self.longest_s = duration_s
        bucket = bisect_left(self.bounds_s, duration_s)
        self.buckets[bucket] += 1
        return bucket


@dataclass(slots=True)
class Sizes:
    """The messages of one method by their size on the wire."""

    count: int = 0
    total_bytes: int = 0
    buckets: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS_BYTES) + 1))

    def add(self, size_bytes: int) -> None:
        """Count one message."""
        self.count += 1
        self.total_bytes += size_bytes
        self.buckets[bisect_left(BOUNDS_BYTES, size_bytes)] += 1


@dataclass(slots=True)
class MethodCalls:
    """All calls of one method."""

    in_flight: int = 0
    by_code: dict[str, Series] = field(default_factory=dict)  # "OK", "NOT_FOUND", …
    bounds_s: tuple[float, ...] = BOUNDS_S
    messages: int = 0  # Of response streams.
    longest_gap_s: float = 0.0  # Between two messages of one response stream.
    sizes: Sizes = field(default_factory=Sizes)
    exemplars: dict[int, Exemplar] = field(default_factory=dict)  # By bucket.
    came_by: Counter[tuple[str, str]] = field(default_factory=Counter)  # By transport and code.

    def add(self, code: str, duration_s: float, trace_id: str = "") -> None:
        """Count one call that ended with `code`; `trace_id` is "" for one that nobody follows."""
        series = self.by_code.get(code)
        if series is None:
            series = self.by_code[code] = Series(bounds_s=self.bounds_s)
        bucket = series.add(duration_s)
        if transport := CAME_BY.get():
            self.came_by[transport, code] += 1
        if trace_id:
            self.exemplars[bucket] = Exemplar(trace_id, duration_s)


class Measurements:
    """What anyone may read about the calls of one process, on one side of the wire.

    Durations are in seconds of the event loop. A call that a guard refuses at once is counted
    with its code and a duration of 0. `has_sizes` says whether messages are sized, too: that
    costs about a microsecond each.
    """

    def __init__(
        self, side: str = SERVER, transport: str = "local", *, has_sizes: bool = False
    ) -> None:
        self.side = side
        self.transport = transport
        self.has_sizes = has_sizes
        self.methods: dict[str, MethodCalls] = {}  # By path.
        self.refusals: Counter[tuple[str, str]] = Counter()  # By guards: code and reason.

    def at(self, method: Method) -> MethodCalls:
        """Return the calls of `method`; its own p99 target is one of the bounds."""
        calls = self.methods.get(method.path)
        if calls is None:
            bounds_s = bounds_with(method.policy.p99_ms / 1000)
            calls = self.methods[method.path] = MethodCalls(bounds_s=bounds_s)
        return calls

    def refuse(self, method: Method, code: str, reason: str) -> None:
        """Count a call that a guard refuses."""
        self.at(method).add(code, 0.0)
        self.turn_away(code, reason)

    def turn_away(self, code: str, reason: str) -> None:
        """Count a call that does not get as far as its method: who makes it is not known."""
        self.refusals[code, reason] += 1

    def of(self, path: str) -> MethodCalls:
        """Return the calls of the method at `path`; none so far if nobody called it."""
        calls = self.methods.get(path)
        return MethodCalls() if calls is None else calls

    def count(self, path: str, code: str) -> int:
        """Return how many calls of a method ended with `code`."""
        series = self.of(path).by_code.get(code)
        return series.count if series else 0


def bounds_with(target_s: float) -> tuple[float, ...]:
    """Return the bounds with a method's target, so that its share within is read exactly."""
    if target_s <= 0 or target_s in BOUNDS_S:
        return BOUNDS_S
    return tuple(sorted((*BOUNDS_S, target_s)))
