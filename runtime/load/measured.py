"""What an engine has measured, to be added up over engines and sent as one line of JSON."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, TypeVar

from runtime.load.histogram import Latencies
from runtime.load.traffic import Remainder

T = TypeVar("T")


@dataclass(frozen=True)
class Second:
    """What ended in one second of the measured time, or after it: the backlog."""

    second: int  # From 0.
    failed: int
    latencies: Latencies  # Corrected, of all that ended well in it.

    @property
    def ended(self) -> int:
        """Return how many ended, well or not."""
        return self.failed + self.latencies.total

    @property
    def p50_ms(self) -> float:
        """Return the median."""
        return self.latencies.percentile_ms(50)

    @property
    def p99_ms(self) -> float:
        """Return the 99th percentile."""
        return self.latencies.percentile_ms(99)

    @property
    def max_ms(self) -> float:
        """Return the greatest latency."""
        return self.latencies.max_ms

    @classmethod
    def merged(cls, parts: Sequence["Second"]) -> "Second":
        """Return the same second over all engines."""
        latencies = Latencies.merged(part.latencies for part in parts)
        return cls(parts[0].second, sum(part.failed for part in parts), latencies)


@dataclass(frozen=True)
class Series:
    """The latencies of one kind of unit that ended well, and how many did not.

    `corrected` counts from the intended instant. `uncorrected` is what one caller that waits
    for each answer before it sends the next would have seen of the same run.
    """

    corrected: Latencies
    uncorrected: Latencies
    counts: Mapping[str, int]  # How many ended by status: {"OK": 11980, "UNAVAILABLE": 20}.
    timeline: tuple[Second, ...] = ()

    @property
    def ended(self) -> int:
        """Return how many ended, well or not."""
        return sum(self.counts.values())

    @property
    def failed(self) -> int:
        """Return how many did not end well."""
        return self.ended - self.counts.get("OK", 0)

    @classmethod
    def merged(cls, parts: Sequence["Series"]) -> "Series":
        """Return the series over all engines."""
        seconds = _by_key([(one.second, one) for part in parts for one in part.timeline])
        return cls(
            Latencies.merged(part.corrected for part in parts),
            Latencies.merged(part.uncorrected for part in parts),
            dict(sum((Counter(part.counts) for part in parts), Counter())),
            tuple(Second.merged(seconds[second]) for second in sorted(seconds)),
        )


@dataclass(frozen=True)
class StreamSeen:
    """The messages of one stream (or of one kind of streams), by their sequences."""

    messages: int
    gaps: int  # Sequences that never came, between the first and the last that did.
    out_of_order: int  # Came after one with a greater sequence.
    repeats: int
    age: Latencies  # How old each was when it came, as far as that was said.

    @classmethod
    def merged(cls, parts: Sequence["StreamSeen"]) -> "StreamSeen":
        """Return what all engines have seen."""
        return cls(
            messages=sum(part.messages for part in parts),
            gaps=sum(part.gaps for part in parts),
            out_of_order=sum(part.out_of_order for part in parts),
            repeats=sum(part.repeats for part in parts),
            age=Latencies.merged(part.age for part in parts),
        )


@dataclass(frozen=True)
class Measured:
    """One run of one profile: what was offered, how it ended, and what the generator was like."""

    profile: str
    multiple: float
    rate: float  # Units per second, all parts together.
    parts: int
    warmup_s: float
    duration_s: float
    seed: int
    # Of the measured time alone:
    scheduled: int  # Units whose intended instant lies in it,
    sent: int  # those of them that were sent,
    late: int  # more than LATE_S after that instant,
    dropped: int  # and those that were not, as too many were in flight.
    lateness: Latencies
    series: Mapping[str, Series]
    streams: Mapping[str, StreamSeen] = field(default_factory=dict)
    cpu_share: float = 0.0  # Of one core, of the busiest engine.
    rss_bytes: int = 0  # Of the largest engine.
    is_steady: bool = True
    unsteady_reason: str = ""
    is_interrupted: bool = False
    remainder: Remainder = field(default_factory=Remainder)

    @classmethod
    def merged(cls, parts: Sequence["Measured"]) -> "Measured":
        """Return what the engines that shared one rate have measured together."""
        reasons = [part.unsteady_reason for part in parts if not part.is_steady]
        return replace(
            parts[0],
            **{name: sum(getattr(part, name) for part in parts) for name in SUMMED},
            lateness=Latencies.merged(part.lateness for part in parts),
            series=_merged(Series.merged, [part.series for part in parts]),
            streams=_merged(StreamSeen.merged, [part.streams for part in parts]),
            cpu_share=max(part.cpu_share for part in parts),
            rss_bytes=max(part.rss_bytes for part in parts),
            is_steady=not reasons,
            unsteady_reason="; ".join(dict.fromkeys(reasons)),
            is_interrupted=any(part.is_interrupted for part in parts),
            remainder=_remainder([part.remainder for part in parts]),
        )

    def to_object(self) -> dict[str, Any]:
        """Return this as JSON knows it, histograms in HDR's own text form."""
        told: dict[str, Any] = _told(self)
        return told

    @classmethod
    def from_object(cls, told: Mapping[str, Any]) -> "Measured":
        """Return what `to_object` told. Keys that it does not know are left out."""
        known = {one.name: told[one.name] for one in fields(cls) if one.name in told}
        known["lateness"] = Latencies.from_text(known["lateness"])
        known["series"] = {name: _series(one) for name, one in known["series"].items()}
        known["streams"] = {name: _stream(one) for name, one in known["streams"].items()}
        known["remainder"] = Remainder(**known["remainder"])
        return cls(**known)


SUMMED = ("rate", "parts", "scheduled", "sent", "late", "dropped")


def _told(value: Any) -> Any:
    if isinstance(value, Latencies):
        return value.to_text()
    if isinstance(value, Remainder):
        return asdict(value)
    if isinstance(value, Measured | Series | StreamSeen | Second):
        return {one.name: _told(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {name: _told(one) for name, one in value.items()}
    return [_told(one) for one in value] if isinstance(value, tuple) else value


def _series(told: Mapping[str, Any]) -> Series:
    seconds = tuple(
        Second(one["second"], one["failed"], Latencies.from_text(one["latencies"]))
        for one in told["timeline"]
    )
    corrected, uncorrected = (
        Latencies.from_text(told["corrected"]),
        Latencies.from_text(told["uncorrected"]),
    )
    return Series(corrected, uncorrected, dict(told["counts"]), seconds)


def _stream(told: Mapping[str, Any]) -> StreamSeen:
    return StreamSeen(**{**told, "age": Latencies.from_text(told["age"])})


def _merged(merge: Callable[[Sequence[T]], T], parts: Sequence[Mapping[str, T]]) -> dict[str, T]:
    named = _by_key([(name, one) for part in parts for name, one in part.items()])
    return {name: merge(all_of) for name, all_of in named.items()}


def _by_key(pairs: Iterable[tuple[Any, T]]) -> dict[Any, list[T]]:
    found: dict[Any, list[T]] = {}
    for key, one in pairs:
        found.setdefault(key, []).append(one)
    return found


def _remainder(parts: Sequence[Remainder]) -> Remainder:
    """Return the sum; also of the facts, which are rates and counts."""
    facts = _by_key([pair for part in parts for pair in part.facts.items()])
    return Remainder(
        backlog=sum(part.backlog for part in parts),
        unresolved=sum(part.unresolved for part in parts),
        lost=sum(part.lost for part in parts),
        doubled=sum(part.doubled for part in parts),
        facts={name: sum(values) for name, values in facts.items()},
    )
