"""Sends spans to an OpenTelemetry collector over HTTP, and never makes anybody wait for it.

Switched on by the standard OTEL_EXPORTER_OTLP_ENDPOINT (or …_TRACES_ENDPOINT); headers and
certificates come from the other standard variables.
"""

import logging
import threading
from collections import Counter, deque
from collections.abc import Sequence

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanKind, Status, StatusCode, TraceFlags
from opentelemetry.trace import SpanContext as OtelContext

from runtime.observe.prometheus import Instance
from runtime.observe.spans import Kind, Span, SpanContext
from runtime.observe.tracer import UNREMARKABLE
from runtime.virtual import require_real_time

QUEUE_MAX, BATCH_MAX = 2_048, 512
EVERY_S = 1.0  # So often what has come is sent, however little it is.
TIMEOUT_S = 5.0  # For one batch with its repeats; meanwhile spans queue.
CLOSING_S = 3.0
FULL, AWAY, CLOSED = "queue_full", "collector_away", "closed"
KINDS = {
    Kind.CLIENT: SpanKind.CLIENT,
    Kind.SERVER: SpanKind.SERVER,
    Kind.PRODUCER: SpanKind.PRODUCER,
    Kind.CONSUMER: SpanKind.CONSUMER,
}
SCOPE = InstrumentationScope("plimsoll")
log = logging.getLogger(__name__)


class OtlpExporter:
    """A sink of spans with a queue of 2,048; what does not fit or arrive is dropped and counted."""

    def __init__(
        self, instance: Instance, endpoint: str = "", timeout_s: float = TIMEOUT_S
    ) -> None:
        """Send to `endpoint`, the full URL; without one, to where the environment says."""
        require_real_time("an OTLP exporter")
        logging.getLogger("opentelemetry.exporter").setLevel(logging.CRITICAL)  # We count.
        self.dropped: Counter[str] = Counter()
        self.sent = 0
        self._instance = instance
        self._exporter = OTLPSpanExporter(endpoint=endpoint or None, timeout=timeout_s)
        self._resources: dict[tuple[str, str], Resource] = {}
        self._queue: deque[Span] = deque()
        self._wake = threading.Event()
        self._is_closing = False
        self._is_away = False
        self._thread = threading.Thread(target=self._run, name="otlp", daemon=True)
        self._thread.start()

    def take(self, span: Span) -> None:
        """Queue `span`, or drop it when the queue is full."""
        if len(self._queue) >= QUEUE_MAX or self._is_closing:
            self.dropped[CLOSED if self._is_closing else FULL] += 1
            return
        self._queue.append(span)
        if len(self._queue) == BATCH_MAX:
            self._wake.set()

    def close(self) -> None:
        """Send what is queued, three seconds at most; blocks: call it when nothing else runs."""
        self._is_closing = True
        self._wake.set()
        self._thread.join(CLOSING_S)
        self._exporter.shutdown()  # type: ignore[no-untyped-call]
        self._thread.join(CLOSING_S)
        self.dropped[CLOSED] += len(self._queue)
        self._queue.clear()

    def _run(self) -> None:
        while not (self._is_closing and not self._queue):
            if not self._is_closing:
                self._wake.wait(EVERY_S)
                self._wake.clear()
            while self._queue:
                batch = [self._queue.popleft() for _ in range(min(BATCH_MAX, len(self._queue)))]
                self._send(batch)

    def _send(self, batch: Sequence[Span]) -> None:
        try:
            outcome = self._exporter.export([self._readable(span) for span in batch])
        except Exception as error:  # noqa: BLE001 - nothing here may reach who is traced.
            log.debug("spans could not be sent: %r", error)
            outcome = SpanExportResult.FAILURE
        is_away = outcome is not SpanExportResult.SUCCESS
        if is_away:
            self.dropped[AWAY] += len(batch)
        else:
            self.sent += len(batch)
        if is_away is not self._is_away:
            self._is_away = is_away
            log.warning("the collector of spans is %s", "away" if is_away else "back")

    def _readable(self, span: Span) -> ReadableSpan:
        is_failure = span.code not in UNREMARKABLE
        status = Status(StatusCode.ERROR, span.code) if is_failure else Status(StatusCode.UNSET)
        parent = span.context._replace(span_id=span.parent_id) if span.parent_id else None
        return ReadableSpan(
            name=span.name,
            context=_otel(span.context),
            parent=parent and _otel(parent),
            resource=self._resource(span),
            attributes={**span.attributes, "rpc.system": "grpc", "code": span.code},
            events=[Event(text, timestamp=at_ns) for at_ns, text in span.events],
            links=[Link(_otel(link)) for link in span.links],
            kind=KINDS[span.kind],
            status=status,
            start_time=span.start_ns,
            end_time=span.start_ns + span.duration_ns,
            instrumentation_scope=SCOPE,
        )

    def _resource(self, span: Span) -> Resource:
        key = span.service, span.instance_name
        if key not in self._resources:
            self._resources[key] = Resource(
                {
                    "service.name": span.service,
                    "service.instance.id": span.instance_name,
                    "service.version": self._instance.version,
                    "deployment.environment.name": self._instance.environment,
                    "plimsoll.process": self._instance.instance_name,
                }
            )
        return self._resources[key]


def _otel(context: SpanContext) -> OtelContext:
    flags = TraceFlags(TraceFlags.SAMPLED if context.is_sampled else TraceFlags.DEFAULT)
    return OtelContext(int(context.trace_id, 16), int(context.span_id, 16), False, flags)
