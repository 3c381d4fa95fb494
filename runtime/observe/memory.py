"""Metrics in memory: what checks and tests read, and what the Prometheus adapter renders."""

import math
import threading
from bisect import bisect_left
from collections.abc import Iterable

from runtime.measurements import Exemplar
from runtime.observe.declared import METRICS
from runtime.observe.metrics import (
    NO_LABELS,
    OTHER,
    SERIES_MAX,
    Declared,
    Distribution,
    Kind,
    Labels,
    MetricsError,
    Reader,
    Reading,
    Scrape,
)
from runtime.observe.scope import sampled_trace_id

Key = tuple[str, ...]
REJECTED = "metrics_rejected_total"


class MemoryMetrics:
    """A metrics port that keeps everything readable.

    `is_strict` makes a wrong use raise MetricsError, as tests want it; otherwise it is counted
    in `metrics_rejected_total`. A value that cannot be, as NaN, is only ever counted: data must
    not break the work that is measured. More than 100 series of a metric become `other`.
    """

    def __init__(self, declared: Iterable[Declared] = METRICS, *, is_strict: bool = True) -> None:
        self.declared = {metric.name: metric for metric in declared}
        self._is_strict = is_strict
        self._lock = threading.Lock()
        self._values: dict[str, dict[Key, float]] = {}
        self._spread: dict[str, dict[Key, Distribution]] = {}
        self._readers: list[Reader] = []

    def inc_counter(self, name: str, labels: Labels = NO_LABELS, by: float = 1) -> None:
        """Add `by` to a counter."""
        if key := self._admitted(name, Kind.COUNTER, labels, by):
            with self._lock:
                values = self._values.setdefault(name, {})
                key = self._within(name, key, values)
                values[key] = values.get(key, 0.0) + by

    def set_gauge(self, name: str, value: float, labels: Labels = NO_LABELS) -> None:
        """Say what something is now."""
        if key := self._admitted(name, Kind.GAUGE, labels, abs(value)):
            with self._lock:
                values = self._values.setdefault(name, {})
                values[self._within(name, key, values)] = value

    def observe_histogram(self, name: str, value: float, labels: Labels = NO_LABELS) -> None:
        """Count a value; the trace it belongs to, if one is recorded, is its example."""
        key = self._admitted(name, Kind.HISTOGRAM, labels, value)
        if not key:
            return
        with self._lock:
            spread = self._spread.setdefault(name, {})
            key = self._within(name, key, spread)
            kept = spread.get(key)
            bounds = self.declared[name].bounds
            if kept is None:
                kept = Distribution(bounds, [0] * (len(bounds) + 1), 0.0, {})
            bucket, exemplars = bisect_left(bounds, value), kept.exemplars
            kept.buckets[bucket] += 1
            if trace_id := sampled_trace_id():
                exemplars = {**exemplars, bucket: Exemplar(trace_id, value)}
            spread[key] = kept._replace(total=kept.total + value, exemplars=exemplars)

    def add_reader(self, reader: Reader) -> None:
        """Ask `reader` whenever somebody reads: it tells what somebody else keeps anyway."""
        self._readers.append(reader)

    def readings(self) -> list[Reading]:
        """Return every series as it is now."""
        told = [reading for reader in self._readers for reading in self._told(reader)]
        with self._lock:
            kept: dict[str, dict[Key, float | Distribution]] = {
                name: dict(series)
                for book in (self._values, self._spread)
                for name, series in book.items()
            }
        return told + [
            Reading(name, value, dict(zip(self.declared[name].labels, key[1:], strict=True)))
            for name, series in kept.items()
            for key, value in series.items()
        ]

    def series(self, name: str) -> list[Reading]:
        """Return the series of one metric."""
        return [reading for reading in self.readings() if reading.name == name]

    def value(self, name: str, **labels: str) -> float:
        """Return the sum of a metric's series that have these labels; of a histogram, its count."""
        return sum(
            reading.value.number if isinstance(reading.value, Distribution) else reading.value
            for reading in self.series(name)
            if labels.items() <= reading.labels.items()
        )

    def get_http_handler(self) -> Scrape:
        """Return what answers a scrape, without labels of an instance."""
        from runtime.observe.exposition import exposed  # Its library is heavy.

        return lambda: exposed(self, NO_LABELS)

    def _told(self, reader: Reader) -> list[Reading]:
        try:
            readings = reader()
        except Exception:
            if self._is_strict:
                raise
            self._reject("reader")
            return []
        return [reading for reading in readings if self._is_declared(reading)]

    def _is_declared(self, reading: Reading) -> bool:
        declared = self.declared.get(reading.name)
        kind = Kind.GAUGE if declared is None else declared.kind
        value = 0.0 if isinstance(reading.value, Distribution) else abs(reading.value)
        return self._admitted(reading.name, kind, reading.labels, value) is not None

    def _admitted(self, name: str, kind: Kind, labels: Labels, value: float) -> Key | None:
        """Return the key of a series, with its metric's name before it; None when refused."""
        declared = self.declared.get(name)
        if declared is None:
            self._refuse("undeclared", f"{name} is not declared: add it to METRICS")
            return None
        if declared.kind is not kind:
            self._refuse("kind", f"{name} is a {declared.kind}, not a {kind}")
            return None
        try:
            key = (name, *declared.key(labels))
        except KeyError:
            given, known = ", ".join(labels), ", ".join(declared.labels)
            self._refuse("labels", f"{name} got labels ({given}), must get ({known})")
            return None
        if not 0 <= value < math.inf:
            self._reject("value")
            return None
        return key

    def _refuse(self, reason: str, text: str) -> None:
        if self._is_strict:
            raise MetricsError(text)
        self._reject(reason)

    def _reject(self, reason: str) -> None:
        with self._lock:
            values = self._values.setdefault(REJECTED, {})
            key = (REJECTED, reason)
            values[key] = values.get(key, 0.0) + 1

    def _within(
        self, name: str, key: Key, series: dict[Key, float] | dict[Key, Distribution]
    ) -> Key:
        """Return `key`, or the series of all others once there are too many."""
        if key in series or len(series) < SERIES_MAX:
            return key
        declared = self.declared[name]
        is_closed = [True, *(label in declared.closed for label in declared.labels)]
        if all(is_closed):
            return key
        return tuple(one if keep else OTHER for one, keep in zip(key, is_closed, strict=True))
