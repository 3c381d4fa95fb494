"""What one process tells of itself: metrics, spans and log lines, put together in one place.

    OTEL_EXPORTER_OTLP_ENDPOINT   where spans go; without it nowhere
    OTEL_TRACES_SAMPLER_ARG       share of traces that are kept            0.1
    PLIMSOLL_SPANS                a file of spans for `plimsoll trace`      none

Only hosts import this: its libraries are heavy.
"""

import asyncio
import random
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from runtime.clock import SystemClock
from runtime.measurements import CLIENT, SERVER, Measurements
from runtime.observe.collectors import (
    Environments,
    dropped_of,
    process_of,
    stores_of,
    streams_of,
    watch_loop,
)
from runtime.observe.counted import Counted
from runtime.observe.logs import JsonLines, configure_logging
from runtime.observe.prometheus import Instance, PrometheusMetrics
from runtime.observe.reaching import (
    Leases,
    Peers,
    Ways,
    leases_of,
    peers_of,
    refusals_of,
    ways_of,
)
from runtime.observe.recorder import SpanRecorder
from runtime.observe.red import calls_of
from runtime.observe.spans import Span, SpanSink
from runtime.observe.tracer import SHARE, Source, Tracer
from runtime.rpc import Port, Transport

HTTP_ERROR = 400
ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")


class Nowhere:
    """A sink that keeps nothing."""

    def take(self, span: Span) -> None:
        """Forget `span`."""


class Telemetry:
    """The metrics and tracers of one process. Close it when nothing is served any more."""

    def __init__(self, instance: Instance, environ: Mapping[str, str]) -> None:
        """Read the environment; raises ValueError for a share that is none."""
        self.metrics = PrometheusMetrics(instance)
        self.served = Measurements(SERVER, "grpc", has_sizes=True)
        self.called = Measurements(CLIENT, "grpc", has_sizes=True)
        for side in (self.served, self.called):
            self.metrics.add_reader(calls_of(side))
        self._share = _share(environ.get("OTEL_TRACES_SAMPLER_ARG", ""))
        self._close: Callable[[], None] = _nothing
        self._sink = self._opened(instance, environ)

    def tracer(self, service: str, instance_name: str) -> Tracer:
        """Return what traces a service of this process."""
        source = Source(service, instance_name)
        chance = random.Random(random.SystemRandom().getrandbits(128))  # Asks the kernel once.
        return Tracer(source, self._sink, SystemClock(), chance, self._share)

    def counted(self, transport: Transport) -> Transport:
        """Return `transport` with the calls that leave through it counted."""
        return Counted(transport, self.called)

    def log(self, level: str, secrets: Iterable[str] = ()) -> JsonLines:
        """Log JSON lines from now on; raises ValueError for an unknown level."""
        lines = configure_logging(self.metrics.instance, level, secrets=secrets)
        self.metrics.add_reader(dropped_of("log_dropped_total", "logger", lines.bursts))
        return lines

    def tell_of(self, ports: Iterable[type[Port]], environments: Environments) -> None:
        """Have the metrics tell which contracts are served, and how stores and streams stand."""
        version = self.metrics.instance.version
        for reader in (
            process_of(version, ports),
            stores_of(environments),
            streams_of(environments),
        ):
            self.metrics.add_reader(reader)

    def count_http(self, verb: str, route: str, status: int, duration_s: float) -> None:
        """Count an answer over HTTP, whatever was asked for."""
        labels = {"method": verb, "route": route, "code": str(status)}
        self.metrics.inc_counter("http_requests_total", labels)
        self.metrics.observe_histogram("http_request_duration_seconds", duration_s, labels)
        if status >= HTTP_ERROR:
            self.metrics.inc_counter("http_request_errors_total", labels)

    def tell_of_peers(self, peers: Peers, ways: Ways) -> None:
        """Have the metrics tell how each peer can be reached, and who was turned away here."""
        self.metrics.add_reader(peers_of(peers))
        self.metrics.add_reader(ways_of(ways))
        self.metrics.add_reader(refusals_of(self.served))

    def tell_of_leases(self, leases: Leases) -> None:
        """Have the metrics tell whether the process may act under its names."""
        self.metrics.add_reader(leases_of(leases))

    async def run(self) -> None:
        """Measure what has to be looked at from time to time, until cancelled."""
        await watch_loop(self.metrics)

    async def close(self) -> None:
        """Send the last spans, a few seconds at most."""
        await asyncio.to_thread(self._close)

    def _opened(self, instance: Instance, environ: Mapping[str, str]) -> SpanSink:
        if any(environ.get(name) for name in ENDPOINTS):
            from runtime.observe.otlp import OtlpExporter  # The SDK takes its time to load.

            exporter = OtlpExporter(instance)
            self._close = exporter.close
            self.metrics.add_reader(dropped_of("spans_dropped_total", "reason", exporter))
            return exporter
        if path := environ.get("PLIMSOLL_SPANS"):
            recorder = SpanRecorder(Path(path), spans_max=0)
            self._close = recorder.close
            return recorder
        return Nowhere()


def _share(text: str) -> float:
    try:
        share = float(text or SHARE)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise ValueError(f"OTEL_TRACES_SAMPLER_ARG is {text!r}, must be a share from 0 to 1")
    return share


def _nothing() -> None:
    """Close nothing."""
