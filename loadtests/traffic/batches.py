"""Batches of 200 ticks as they travel, made from a few patterns, and read into arrays."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from trading.marketdata.v1.marketdata_pb2 import PublishTicksRequest
from trading.types.v1 import market_pb2

from runtime.clock import SystemClock
from runtime.times import NS_PER_S, to_ns

TICKS = 200
BASE_PRICE = 10_000  # Cents.
APART_NS = 10_000
NS_PER_US = 1_000
PATTERNS, SEED = 8, 1
Integers = NDArray[np.int64]


class Arrays(NamedTuple):
    """What a subscriber computes with."""

    times_ns: Integers
    prices: Integers
    quantities: Integers


class Batches:
    """Makes batch after batch of each instrument, in sequence.

    A sequence begins with the microseconds of the machine's clock, so it is ahead of every
    earlier run's: instruments have known ticks before, and skip to ours once, as declared.
    """

    def __init__(self, instruments: Sequence[str]) -> None:
        self._clock = SystemClock()
        self._patterns = [_pattern(instrument) for instrument in instruments]
        self.first = self._clock.now_ns() // NS_PER_US
        self._made = [0] * len(instruments)

    def next(self, place: int) -> PublishTicksRequest:
        """Return the next batch of the instrument at `place`."""
        patterns, number = self._patterns[place], self._made[place]
        self._made[place] = number + 1
        request = PublishTicksRequest()
        request.CopyFrom(patterns[number % PATTERNS])
        request.is_after_gap = number == 0
        batch = request.batch
        batch.sequence_first = self.first + number * TICKS
        begun_ns = self._clock.now_ns() - TICKS * APART_NS
        batch.base_time.seconds, batch.base_time.nanos = divmod(begun_ns, NS_PER_S)
        return request

    def number(self, batch: market_pb2.TickBatch) -> int:
        """Return which batch of its instrument this is, from 0; below 0: not one of ours."""
        return (batch.sequence_first - self.first) // TICKS


def decode(batch: market_pb2.TickBatch) -> Arrays:
    """Return the ticks of a batch as numbers."""
    return Arrays(
        to_ns(batch.base_time) + np.cumsum(np.array(batch.time_deltas_ns, np.int64)),
        batch.base_price + np.cumsum(np.array(batch.price_deltas, np.int64)),
        np.array(batch.quantities, np.int64),
    )


def _pattern(instrument: str) -> list[PublishTicksRequest]:
    """Return batches whose price walks by a cent and comes back."""
    rng = np.random.default_rng([SEED, *instrument.encode()])
    patterns = []
    for _ in range(PATTERNS):
        steps = rng.permutation(np.repeat([1, -1], TICKS // 2))
        lots = rng.integers(1, 100, TICKS) * rng.choice([1, -1], TICKS)
        batch = market_pb2.TickBatch(
            instrument=instrument,
            price_exponent=-2,
            base_price=BASE_PRICE,
            time_deltas_ns=[APART_NS] * TICKS,
            price_deltas=steps.tolist(),
            quantities=lots.tolist(),
            kind=market_pb2.TICK_KIND_TRADES,
        )
        source = market_pb2.DataSource(dataset="load", provider="load", is_synthetic=True)
        patterns.append(PublishTicksRequest(batch=batch, source=source))
    return patterns
