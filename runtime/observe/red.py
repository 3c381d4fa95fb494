"""Rate, errors and durations of calls, read from what the guards count anyway."""

from collections.abc import Iterator

from runtime.measurements import BOUNDS_BYTES, Measurements, MethodCalls
from runtime.observe.metrics import Distribution, Reader, Reading


def calls_of(measurements: Measurements) -> Reader:
    """Return what tells of the calls in `measurements`: see `rpc_…` in METRICS."""

    def read() -> list[Reading]:
        found = list(measurements.methods.items())
        return [reading for path, calls in found for reading in _read(measurements, path, calls)]

    return read


def _read(measurements: Measurements, path: str, calls: MethodCalls) -> Iterator[Reading]:
    labels = {"method": path.lstrip("/").rpartition(".")[2], "side": measurements.side}
    by_code = list(calls.by_code.items())
    for code, series in by_code:
        others = {way: n for (way, of), n in list(calls.came_by.items()) if of == code}
        counts = {measurements.transport: series.count - sum(others.values()), **others}
        for transport, count in counts.items():
            of_code = {**labels, "code": code, "transport": transport}
            yield Reading("rpc_requests_total", count, of_code)
    buckets = [sum(column) for column in zip(*(s.buckets for _, s in by_code), strict=True)]
    if buckets:
        total_s = sum(series.total_s for _, series in by_code)
        spread = Distribution(calls.bounds_s, buckets, total_s, dict(calls.exemplars))
        yield Reading("rpc_duration_seconds", spread, labels)
    yield Reading("rpc_in_flight", calls.in_flight, labels)
    if calls.messages:
        yield Reading("rpc_stream_messages_total", calls.messages, labels)
        yield Reading("rpc_stream_gap_seconds", calls.longest_gap_s, labels)
    if calls.sizes.count:
        bounds, sizes = tuple(map(float, BOUNDS_BYTES)), calls.sizes
        spread = Distribution(bounds, list(sizes.buckets), float(sizes.total_bytes), {})
        yield Reading("rpc_message_bytes", spread, labels)
