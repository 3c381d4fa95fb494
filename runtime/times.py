"""Instants are UTC nanoseconds since the epoch in the domain, Timestamps on the wire."""

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

NS_PER_S = 1_000_000_000


def to_timestamp(time_ns: int) -> Timestamp:
    """Return the wire form of an instant."""
    seconds, nanos = divmod(time_ns, NS_PER_S)
    return Timestamp(seconds=seconds, nanos=nanos)


def to_ns(timestamp: Timestamp) -> int:
    """Return an instant as nanoseconds since the epoch."""
    return timestamp.seconds * NS_PER_S + timestamp.nanos


def to_duration(duration_ns: int) -> Duration:
    """Return the wire form of a length of time."""
    duration = Duration()
    duration.FromNanoseconds(duration_ns)
    return duration
