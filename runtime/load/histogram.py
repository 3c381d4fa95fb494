"""HDR histograms of latencies: 1 µs to 10 minutes, exact to three digits, to be added up."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from math import ceil
from typing import Any

import numpy as np
from hdrh.histogram import HdrHistogram  # type: ignore[import-untyped]
from numpy.typing import NDArray

LOWEST_US, HIGHEST_US, DIGITS = 1, 600_000_000, 3
HALF_BITS = 10  # Half of the 2,048 steps that three digits take: 1,024 new ones per power of two.

Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Latencies:
    """How often each latency was seen. What is read from it is never less than what was seen.

    Only steps that were seen take room, so that one for every second of a run can be kept.
    """

    steps: Integers  # The numbers of the steps, as HDR histograms number them, ascending,
    counts: Integers  # and how often each was seen.

    @classmethod
    def of(cls, seconds: Iterable[float] | NDArray[np.float64] = ()) -> "Latencies":
        """Return the histogram of latencies in seconds; beyond the range counts at its end."""
        values = np.asarray(seconds if isinstance(seconds, np.ndarray) else list(seconds), float)
        micros = np.clip(np.rint(values * 1e6), LOWEST_US, HIGHEST_US).astype(np.int64)
        return cls._counted(_step(micros), np.ones(len(micros), np.int64))

    @classmethod
    def merged(cls, parts: Iterable["Latencies"]) -> "Latencies":
        """Return the histogram of all that `parts` have seen."""
        all_of = list(parts)
        none: Integers = np.empty(0, np.int64)
        steps = np.concatenate([none, *(one.steps for one in all_of)])
        return cls._counted(steps, np.concatenate([none, *(one.counts for one in all_of)]))

    @classmethod
    def from_text(cls, text: str) -> "Latencies":
        """Return the histogram of HDR's own text form (V2, base64)."""
        counts = np.array(HdrHistogram.decode(text).counts, np.int64)
        steps = np.flatnonzero(counts)
        return cls(steps, counts[steps])

    def to_text(self) -> str:
        """Return HDR's own text form, which its tools for any language read, in µs."""
        histogram: Any = HdrHistogram(LOWEST_US, HIGHEST_US, DIGITS)
        for step, count in zip(_lowest_us(self.steps), self.counts, strict=True):
            histogram.record_value(int(step), int(count))
        encoded: bytes = histogram.encode()
        return encoded.decode("ascii")

    def __eq__(self, other: object) -> bool:
        """Whether both have seen the same."""
        if not isinstance(other, Latencies):
            return NotImplemented
        return np.array_equal(self.steps, other.steps) and np.array_equal(self.counts, other.counts)

    __hash__ = None  # type: ignore[assignment]

    @cached_property
    def total(self) -> int:
        """Return how many latencies were seen."""
        return int(self.counts.sum())

    @property
    def max_ms(self) -> float:
        """Return the greatest latency; 0 if none was seen."""
        return self.rank_ms(self.total)

    @property
    def mean_ms(self) -> float:
        """Return the mean; 0 if none was seen."""
        return float((_highest_us(self.steps) * self.counts).sum()) / 1e3 / max(1, self.total)

    def percentile_ms(self, percent: float) -> float:
        """Return the latency that `percent` of all do not exceed; 0 if none was seen."""
        return self.rank_ms(max(1, ceil(self.total * percent / 100 - 1e-9)))

    def rank_ms(self, rank: int) -> float:
        """Return the latency of this rank in ascending order, from 1 to `total`."""
        if not self.total:
            return 0.0
        place = int(np.searchsorted(self._upto, min(max(rank, 1), self.total)))
        return float(_highest_us(self.steps[place : place + 1])[0]) / 1e3

    def count_to(self, ms: float) -> int:
        """Return how many took `ms` or less."""
        return int(self.counts[_highest_us(self.steps) <= ms * 1e3].sum())

    def buckets(self) -> list[tuple[float, int]]:
        """Return every step that was seen: the latency it ends at, in ms, and how many it had."""
        ends = (_highest_us(self.steps) / 1e3).tolist()
        return list(zip(ends, self.counts.tolist(), strict=True))

    @cached_property
    def _upto(self) -> Integers:
        return np.cumsum(self.counts)

    @classmethod
    def _counted(cls, steps: Integers, counts: Integers) -> "Latencies":
        unique, place = np.unique(steps, return_inverse=True)
        sums: Integers = np.zeros(len(unique), np.int64)
        np.add.at(sums, place, counts)
        return cls(unique, sums)


def _step(micros: Integers) -> Integers:
    bucket = np.maximum(0, np.frexp(micros)[1].astype(np.int64) - HALF_BITS - 1)
    steps: Integers = (bucket << HALF_BITS) + (micros >> bucket)
    return steps


def _lowest_us(steps: Integers) -> Integers:
    bucket = np.maximum(0, (steps >> HALF_BITS) - 1)
    lowest: Integers = (steps - (bucket << HALF_BITS)) << bucket
    return lowest


def _highest_us(steps: Integers) -> Integers:
    return _lowest_us(steps + 1) - 1
