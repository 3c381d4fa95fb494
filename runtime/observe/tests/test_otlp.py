"""Spans arrive at a real collector, and its absence is nobody's problem."""

import gzip
import os
import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span as Sent

from runtime.clock import SystemClock
from runtime.observe import otlp
from runtime.observe.otlp import OtlpExporter
from runtime.observe.prometheus import Instance
from runtime.observe.spans import Kind, Span, SpanContext
from runtime.observe.telemetry import Telemetry
from runtime.observe.tests.tracing import traced_echo
from runtime.observe.tracer import Source, Tracer
from runtime.tests.echoing import asked, soon

INSTANCE = Instance("device-1", "device-1", "0.1.0", "test")


class Collector:
    """An OTLP/HTTP receiver on 127.0.0.1 that decodes what it is sent."""

    def __init__(self) -> None:
        self.requests: list[ExportTraceServiceRequest] = []
        self.status = 200
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if self.headers.get("content-encoding") == "gzip":
                    body = gzip.decompress(body)
                if collector.status == 200:
                    collector.requests.append(ExportTraceServiceRequest.FromString(body))
                self.send_response(collector.status)
                self.end_headers()
                self.wfile.write(ExportTraceServiceResponse().SerializeToString())

            def log_message(self, format: str, *args: object) -> None:
                """Stay silent."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.endpoint = f"http://127.0.0.1:{self.server.server_port}/v1/traces"

    def spans(self) -> list[tuple[dict[str, str], Sent]]:
        """Return every span with the resource it is of."""
        return [
            ({a.key: a.value.string_value for a in of.resource.attributes}, span)
            for request in self.requests
            for of in request.resource_spans
            for scope in of.scope_spans
            for span in scope.spans
        ]


@pytest.fixture
def collector() -> Iterator[Collector]:
    collector = Collector()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(collector.server.serve_forever, 0.01)
        yield collector
        collector.server.shutdown()
        collector.server.server_close()


def a_span(number: int = 1) -> Span:
    context = SpanContext("a" * 32, f"{number:016x}")
    return Span("Echo", Kind.SERVER, "echo", "echo", context, "", time.time_ns())


@pytest.mark.real_time
async def test_the_spans_of_a_call_arrive_decoded_as_one_trace(collector: Collector) -> None:
    exporter = OtlpExporter(INSTANCE, collector.endpoint)
    tracer = Tracer(Source("echo", "echo-LH"), exporter, SystemClock(), random.Random(1), 1.0)
    client = traced_echo(tracer)
    await client.echo(asked("a"))
    await client.quietly("refuse")
    exporter.close()
    assert (exporter.sent, dict(+exporter.dropped)) == (4, {})
    spans = collector.spans()
    for resource, _ in spans:
        assert resource["service.instance.id"] == "echo-LH"
        assert resource["deployment.environment.name"] == "test"
    kinds = [Sent.SpanKind.Name(span.kind) for _, span in spans]
    assert kinds == ["SPAN_KIND_SERVER", "SPAN_KIND_CLIENT"] * 2
    (served, called, refused, _) = [span for _, span in spans]
    assert served.trace_id == called.trace_id != refused.trace_id
    assert served.parent_span_id == called.span_id
    assert called.start_time_unix_nano <= served.start_time_unix_nano
    assert served.end_time_unix_nano <= called.end_time_unix_nano + 1_000_000
    assert (refused.status.code, refused.status.message) == (2, "FAILED_PRECONDITION")
    assert {a.key: a.value.string_value for a in served.attributes}["caller"] == "ana"


@pytest.mark.real_time
async def test_a_collector_that_is_away_is_not_noticed_by_callers() -> None:
    exporter = OtlpExporter(INSTANCE, "http://127.0.0.1:9/v1/traces", timeout_s=0.2)
    tracer = Tracer(Source("echo", "echo"), exporter, SystemClock(), random.Random(1), 1.0)
    client = traced_echo(tracer)
    longest_s = 0.0
    for _ in range(200):
        began_s = time.perf_counter()
        await client.echo(asked("a"))
        longest_s = max(longest_s, time.perf_counter() - began_s)
    assert longest_s < 0.2, "one attempt to reach the collector takes longer than any call"
    exporter.close()
    assert exporter.sent == 0
    assert sum(exporter.dropped.values()) == 400


@pytest.mark.real_time
async def test_what_does_not_fit_into_the_queue_is_dropped_and_counted(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(otlp, "EVERY_S", 60.0)
    monkeypatch.setattr(otlp, "BATCH_MAX", 10**9)
    exporter = OtlpExporter(INSTANCE, collector.endpoint)
    for number in range(1, otlp.QUEUE_MAX + 101):
        exporter.take(a_span(number))
    assert exporter.dropped[otlp.FULL] == 100
    exporter.close()
    assert exporter.sent == len(collector.spans()) == otlp.QUEUE_MAX
    exporter.take(a_span())
    assert exporter.dropped[otlp.CLOSED] == 1


@pytest.mark.real_time
async def test_a_collector_that_comes_back_gets_what_comes_after(collector: Collector) -> None:
    collector.status = 400  # Refused for good: not repeated.
    exporter = OtlpExporter(INSTANCE, collector.endpoint)
    exporter.take(a_span(1))
    exporter._wake.set()
    assert await soon(lambda: bool(exporter.dropped[otlp.AWAY]))
    collector.status = 200
    exporter.take(a_span(2))
    exporter.close()
    assert [span.span_id.hex() for _, span in collector.spans()] == [f"{2:016x}"]


@pytest.mark.real_time
async def test_the_standard_variable_switches_it_on(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = collector.endpoint.removesuffix("/v1/traces")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", base)
    telemetry = Telemetry(INSTANCE, {**os.environ, "OTEL_TRACES_SAMPLER_ARG": "1"})
    await traced_echo(telemetry.tracer("echo", "echo-LH")).echo(asked("a"))
    await telemetry.close()
    assert len(collector.spans()) == 2
    (resource, _), _ = collector.spans()
    assert resource["service.name"] == "echo"


@pytest.mark.parametrize("share", ["2", "-1", "much", "nan"])
def test_a_share_that_is_none_is_refused(share: str) -> None:
    with pytest.raises(ValueError, match="must be a share from 0 to 1"):
        Telemetry(INSTANCE, {"OTEL_TRACES_SAMPLER_ARG": share})


async def test_nothing_is_exported_in_virtual_time() -> None:
    with pytest.raises(RuntimeError, match="the running loop is virtual"):
        OtlpExporter(INSTANCE, "http://127.0.0.1:9")
