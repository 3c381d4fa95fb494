"""Batches of ticks between the contract's messages and the domain."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from trading.marketdata.v1 import marketdata_pb2 as pb
from trading.types.v1 import market_pb2

from runtime.times import to_ns, to_timestamp
from services.marketdata.calendars import Instants
from services.marketdata.ticks import TIME_MAX_NS, TickKind, Ticks, running

BYTES_PACKED = 3_000_000  # Far from the largest message there may be.


@dataclass(frozen=True, slots=True, eq=False)
class Arrival:
    """A batch that somebody sent: for judging, and as it is kept (a TickBatch)."""

    ticks: Ticks
    body: bytes
    is_after_gap: bool
    source: bytes | None  # DataSource; None when nobody said.

    @classmethod
    def received(cls, request: pb.PublishTicksRequest) -> "Arrival":
        """Return what came with `request`. Raises MarketDataRefused for too large numbers."""
        batch = request.batch
        has_source = request.HasField("source")
        return cls(
            ticks=ticks_of(batch),
            body=batch.SerializeToString(deterministic=True),
            is_after_gap=request.is_after_gap,
            source=request.source.SerializeToString(deterministic=True) if has_source else None,
        )


@dataclass(frozen=True, slots=True)
class TickItem:
    """One batch of the stream: a TickBatch, as it is kept. Watchers' messages are made of it."""

    instrument: str
    body: bytes


def ticks_of(batch: market_pb2.TickBatch) -> Ticks:
    """Return the ticks of a batch, decoded: base + running sum, as arrays.

    Raises MarketDataRefused when a number needs more than 18 digits.
    """
    deltas_ns = np.array(batch.time_deltas_ns, dtype=np.int64)
    return Ticks(
        instrument=batch.instrument,
        kind=TickKind(batch.kind),
        sequence_first=batch.sequence_first,
        price_exponent=batch.price_exponent,
        quantity_exponent=batch.quantity_exponent,
        times_ns=running(to_ns(batch.base_time), deltas_ns, TIME_MAX_NS),
        prices=running(batch.base_price, np.array(batch.price_deltas, dtype=np.int64)),
        quantities=np.array(batch.quantities, dtype=np.int64),
    )


def batch_of(ticks: Ticks) -> market_pb2.TickBatch:
    """Return ticks as they travel; the first delta is 0."""
    return market_pb2.TickBatch(
        instrument=ticks.instrument,
        sequence_first=ticks.sequence_first,
        price_exponent=ticks.price_exponent,
        quantity_exponent=ticks.quantity_exponent,
        base_time=to_timestamp(int(ticks.times_ns[0])),
        base_price=int(ticks.prices[0]),
        time_deltas_ns=_deltas(ticks.times_ns),
        price_deltas=_deltas(ticks.prices),
        quantities=ticks.quantities.tolist(),
        kind=market_pb2.TickKind.ValueType(ticks.kind),
    )


def packed(
    items: Iterable[tuple[int, TickItem]], batches_max: int
) -> Iterator[pb.WatchTicksResponse]:
    """Yield batches, each with its sequence, in as few messages as hold them, in order."""
    message: pb.WatchTicksResponse | None = None
    held, size = 0, 0
    for sequence, item in items:
        size += len(item.body)
        if message is None or held >= batches_max or size > BYTES_PACKED:
            if message is not None:
                yield message
            message, held, size = pb.WatchTicksResponse(), 0, len(item.body)
        (message.more.add() if held else message.batch).ParseFromString(item.body)
        message.sequence = sequence
        held += 1
    if message is not None:
        yield message


def _deltas(values: Instants) -> list[int]:
    deltas: list[int] = np.diff(values, prepend=values[:1]).tolist()
    return deltas
