"""Every metric of the platform, in one place."""

from runtime.measurements import BOUNDS_BYTES, BOUNDS_S
from runtime.observe.metrics import Declared, Kind

RPC = frozenset({"method", "code", "transport", "side"})


def _counter(name: str, text: str, *labels: str, closed: frozenset[str] = RPC) -> Declared:
    return Declared(name, Kind.COUNTER, text, labels, closed=closed & frozenset(labels))


def _gauge(name: str, text: str, *labels: str, closed: frozenset[str] = RPC) -> Declared:
    return Declared(name, Kind.GAUGE, text, labels, closed=closed & frozenset(labels))


def _seconds(name: str, text: str, *labels: str) -> Declared:
    return Declared(name, Kind.HISTOGRAM, text, labels, BOUNDS_S, RPC & frozenset(labels))


HTTP = ("method", "route", "code")

METRICS: tuple[Declared, ...] = (
    # Calls, on both sides of the wire; `method` is "OrderService/SubmitOrder".
    _counter("rpc_requests_total", "Calls that ended.", "method", "code", "transport", "side"),
    _seconds(
        "rpc_duration_seconds",
        "How long calls took; streams until they ended.",
        *("method", "side"),
    ),
    _gauge("rpc_in_flight", "Calls under way.", "method", "side"),
    Declared(
        "rpc_message_bytes",
        Kind.HISTOGRAM,
        "Messages on the wire by their size.",
        ("method", "side"),
        tuple(map(float, BOUNDS_BYTES)),
        RPC,
    ),
    _counter("rpc_stream_messages_total", "Messages of response streams.", "method", "side"),
    _gauge(
        "rpc_stream_gap_seconds", "The longest wait for a message of a stream.", "method", "side"
    ),
    # HTTP; `route` is the template, "unmatched" for a path that has none.
    _counter("http_requests_total", "Requests that ended.", *HTTP, closed=frozenset()),
    _counter(
        "http_request_errors_total",
        "Those with a status of 400 or more.",
        *HTTP,
        closed=frozenset(),
    ),
    Declared(
        "http_request_duration_seconds", Kind.HISTOGRAM, "How long they took.", HTTP, BOUNDS_S
    ),
    # What this process is.
    _gauge("build_info", "Always 1.", "release", "python"),
    _gauge("contract_info", "Always 1; the digest of the contracts served.", "digest"),
    _seconds("loop_lag_seconds", "How much later than due the event loop came to its work."),
    # Stores and streams; `store` is "orders/database".
    _gauge("durability", "What is promised: 0 is all, see State for the rest in order.", "store"),
    _gauge(
        "outbox_oldest_seconds", "How long the oldest event has waited for its stream.", "store"
    ),
    _gauge("spool_depth", "Facts on local disk that wait for their database.", "store"),
    _gauge("stream_lag", "Items that are written and not read.", "stream", "group"),
    # Peers.
    _gauge("breaker_state", "0 closed, 1 half open, 2 open.", "target"),
    _gauge("target_endpoints", "Where a peer may be called, as far as is known.", "target"),
    _counter("rpc_retries_total", "Calls that were sent once more.", "target"),
    _counter("rpc_retries_refused_total", "Repeats not sent: there were too many.", "target"),
    _counter("way_calls_total", "Calls to a peer by gRPC and by REST.", "target", "way"),
    _gauge("lease_state", "0 held, 1 in doubt, 2 lost.", "lease"),
    _counter("auth_failures_total", "Calls refused because of who called.", "reason"),
    _counter("rate_limited_total", "Calls refused because there were too many.", "class"),
    _gauge("certificate_expires_seconds", "How long the certificate in use is good.", "name"),
    _gauge("clock_offset_seconds", "How far the clock is off."),
    # Telemetry of telemetry.
    _counter("metrics_rejected_total", "Uses of metrics that were refused.", "reason"),
    _counter("spans_dropped_total", "Spans that the collector did not get.", "reason"),
    _counter("log_dropped_total", "Log lines left out because they repeat.", "logger"),
)
