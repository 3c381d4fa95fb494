"""Metrics are declared once, bounded, never wrong because of a value, and never break the work."""

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from runtime.measurements import BOUNDS_S
from runtime.observe.declared import METRICS
from runtime.observe.memory import MemoryMetrics
from runtime.observe.metrics import (
    SERIES_MAX,
    Distribution,
    Kind,
    MetricsError,
    MetricsPort,
    Reading,
)
from runtime.observe.prometheus import Instance, PrometheusMetrics

INSTANCE = Instance("orders", "orders-LH", "0.1.0", "test")
REQUEST = {"method": "GET", "route": "/metrics", "code": "200"}
PORTS: list[Callable[[], MemoryMetrics]] = [MemoryMetrics, lambda: PrometheusMetrics(INSTANCE)]


@pytest.mark.parametrize("port", PORTS, ids=["memory", "prometheus"])
def test_what_is_counted_can_be_read(port: Callable[[], MemoryMetrics]) -> None:
    metrics = port()
    counted: MetricsPort = metrics
    counted.inc_counter("http_requests_total", REQUEST)
    counted.inc_counter("http_requests_total", REQUEST, by=2)
    counted.set_gauge("breaker_state", 2, {"target": "risk"})
    counted.set_gauge("breaker_state", 1, {"target": "risk"})
    for value in (0.0001, 0.0002, 100.0):
        counted.observe_histogram("http_request_duration_seconds", value, REQUEST)
    assert metrics.value("http_requests_total", route="/metrics") == 3
    assert metrics.value("breaker_state", target="risk") == 1
    assert metrics.value("http_request_duration_seconds") == 3
    (reading,) = metrics.series("http_request_duration_seconds")
    assert isinstance(reading.value, Distribution)
    assert [reading.value.buckets[n] for n in (0, 1, len(BOUNDS_S))] == [1, 1, 1]


def test_a_wrong_use_is_an_error_in_tests() -> None:
    metrics = MemoryMetrics()
    with pytest.raises(MetricsError, match="made_up_total is not declared: add it to METRICS"):
        metrics.inc_counter("made_up_total")
    with pytest.raises(MetricsError, match=r"labels \(peer\), must get \(target\)"):
        metrics.set_gauge("breaker_state", 1, {"peer": "risk"})
    with pytest.raises(MetricsError, match="breaker_state is a gauge, not a counter"):
        metrics.inc_counter("breaker_state", {"target": "risk"})


def test_a_wrong_use_is_counted_in_production_and_breaks_nothing() -> None:
    metrics = PrometheusMetrics(INSTANCE)
    metrics.inc_counter("made_up_total")
    metrics.set_gauge("breaker_state", 1, {"peer": "risk"})
    metrics.observe_histogram("loop_lag_seconds", 1, {"one": "too many"})
    metrics.add_reader(lambda: [Reading("made_up_total", 1)])
    metrics.add_reader(lambda: 1 // 0)  # type: ignore[arg-type, return-value]
    readings = metrics.readings()
    assert {reading.name for reading in readings} == {"metrics_rejected_total"}
    counts = {reading.labels["reason"]: reading.value for reading in readings}
    assert counts == {"undeclared": 2, "labels": 2, "reader": 1}


@given(st.sampled_from([math.nan, math.inf, -math.inf, -1.0, -1e-9]))
def test_a_duration_that_cannot_be_is_refused_and_counted(value: float) -> None:
    metrics = MemoryMetrics()
    metrics.observe_histogram("loop_lag_seconds", value)
    metrics.inc_counter("rate_limited_total", {"class": "order"}, by=value)
    assert metrics.series("loop_lag_seconds") == metrics.series("rate_limited_total") == []
    assert metrics.value("metrics_rejected_total", reason="value") == 2


def test_a_gauge_may_be_below_zero_but_not_nan() -> None:
    metrics = MemoryMetrics()
    metrics.set_gauge("clock_offset_seconds", -0.25)
    metrics.set_gauge("clock_offset_seconds", math.nan)
    assert metrics.value("clock_offset_seconds") == -0.25


def test_a_thousand_unknown_paths_make_one_series_more() -> None:
    metrics = MemoryMetrics()
    for number in range(1000):
        metrics.inc_counter("http_requests_total", {**REQUEST, "route": f"/{number}"})
    series = metrics.series("http_requests_total")
    assert len(series) == SERIES_MAX + 1
    assert metrics.value("http_requests_total", route="other") == 1000 - SERIES_MAX
    assert metrics.value("http_requests_total") == 1000


def test_every_series_names_its_instance() -> None:
    metrics = PrometheusMetrics(INSTANCE)
    metrics.set_gauge("breaker_state", 2, {"target": "risk"})
    content_type, body = metrics.get_http_handler()()
    assert content_type.startswith("application/openmetrics-text")
    families = list(text_string_to_metric_families(body.decode()))  # type: ignore[no-untyped-call]
    samples = [sample for family in families for sample in family.samples]
    assert {"breaker_state", "process_cpu_seconds_total", "python_info"} <= {
        sample.name for sample in samples
    }
    for sample in samples:
        known = (sample.labels["service"], sample.labels["instance_name"])
        assert known == ("orders", "orders-LH"), sample
        assert (sample.labels["version"], sample.labels["environment"])[1] == "test"


def test_a_histogram_is_scraped_with_every_bucket_and_all_below_it() -> None:
    metrics = MemoryMetrics()
    for value in (0.0003, 0.004, 0.004, 70.0):
        metrics.observe_histogram("loop_lag_seconds", value)
    _, body = metrics.get_http_handler()()
    (family,) = text_string_to_metric_families(body.decode())  # type: ignore[no-untyped-call]
    buckets = {s.labels["le"]: s.value for s in family.samples if s.name.endswith("_bucket")}
    assert [buckets[le] for le in ("0.0001", "0.0005", "0.005", "60.0", "+Inf")] == [0, 1, 3, 3, 4]
    assert {s.name: s.value for s in family.samples}["loop_lag_seconds_count"] == 4


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_every_name_says_what_it_counts(metric: object) -> None:
    declared = next(one for one in METRICS if one is metric)
    assert declared.name.endswith("_total") is (declared.kind is Kind.COUNTER)
    assert bool(declared.bounds) is (declared.kind is Kind.HISTOGRAM)
    assert declared.help.endswith(".")
    assert len(set(declared.labels)) == len(declared.labels)
    constant = {"service", "instance_name", "version", "environment", "instance", "le"}
    assert not constant & set(declared.labels)


def test_nothing_is_declared_twice() -> None:
    names = [metric.name for metric in METRICS]
    assert sorted(set(names)) == sorted(names)
