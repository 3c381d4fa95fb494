"""What a scrape is answered: OpenMetrics text, every series with the labels of its instance."""

from collections.abc import Iterable, Iterator
from typing import Any, Protocol

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector
from prometheus_client.samples import Exemplar as Example

from runtime.observe.memory import MemoryMetrics
from runtime.observe.metrics import Declared, Distribution, Kind, Labels, Reading

Family = CounterMetricFamily | GaugeMetricFamily | HistogramMetricFamily


class _Collects(Protocol):
    def collect(self) -> Iterable[Metric]: ...


class Exposed:
    """Everything that is exposed, as the Prometheus client collects it."""

    def __init__(
        self, metrics: MemoryMetrics, constant: Labels, more: Iterable[_Collects] = ()
    ) -> None:
        self._metrics = metrics
        self._constant = dict(constant)
        self._more = tuple(more)

    def collect(self) -> Iterator[Metric]:
        """Yield every family; constant labels are on all of their series."""
        for family in self._families():
            family.samples = [
                sample._replace(labels={**sample.labels, **self._constant})
                for sample in family.samples
                if not sample.name.endswith("_created")
            ]
            yield family

    def _families(self) -> Iterator[Metric]:
        found: dict[str, list[Reading]] = {}
        for reading in self._metrics.readings():
            found.setdefault(reading.name, []).append(reading)
        for name in sorted(found):
            yield _family(self._metrics.declared[name], found[name])
        for collector in self._more:
            yield from collector.collect()


def exposed(
    metrics: MemoryMetrics, constant: Labels, more: Iterable[Collector] = ()
) -> tuple[str, bytes]:
    """Return the content type and the body of an answer to a scrape."""
    body: bytes = generate_latest(Exposed(metrics, constant, more))  # type: ignore[no-untyped-call]
    return CONTENT_TYPE_LATEST, body


def _family(declared: Declared, readings: list[Reading]) -> Metric:
    made: Family
    if declared.kind is Kind.COUNTER:
        made = CounterMetricFamily(
            declared.name.removesuffix("_total"), declared.help, labels=declared.labels
        )
    elif declared.kind is Kind.GAUGE:
        made = GaugeMetricFamily(declared.name, declared.help, labels=declared.labels)
    else:
        made = HistogramMetricFamily(declared.name, declared.help, labels=declared.labels)
    for reading in readings:
        _add(made, [reading.labels[name] for name in declared.labels], reading.value)
    return made


def _add(family: Family, labels: list[str], value: float | Distribution) -> None:
    if isinstance(value, Distribution):
        assert isinstance(family, HistogramMetricFamily)
        buckets: Any = _buckets(value)
        family.add_metric(labels, buckets, value.total)
    else:
        assert not isinstance(family, HistogramMetricFamily)
        family.add_metric(labels, value)


def _buckets(spread: Distribution) -> list[tuple[str, float, Example | None]]:
    """Return the buckets as Prometheus counts them: each holds those below it, too."""
    found, below = [], 0
    bounds = [*map(repr, spread.bounds), "+Inf"]
    for number, (bound, count) in enumerate(zip(bounds, spread.buckets, strict=True)):
        below += count
        known = spread.exemplars.get(number)
        example = known and Example({"trace_id": known.trace_id}, known.value)
        found.append((bound, float(below), example or None))
    return found
