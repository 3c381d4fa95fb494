"""How far a percentile of a sample can be trusted: its interval by order statistics.

Nothing is assumed of how latencies are distributed, only that calls are independent. Calls that
wait in one queue are not, quite: an interval is the least doubt there is, not all of it.
"""

from dataclasses import dataclass
from itertools import accumulate
from math import exp, lgamma, log, sqrt

from runtime.load.histogram import Latencies

CONFIDENCE = 0.95
MAXIMUM = 100.0  # As a percentile. It has no interval: what was not seen may be longer.


@dataclass(frozen=True)
class Ranks:
    """Between which samples a percentile lies, counted from 1 at the shortest."""

    low: int
    high: int


def ranks(count: int, share: float, confidence: float = CONFIDENCE) -> Ranks | None:
    """Return between which of `count` sorted samples the quantile `share` lies.

    None when so few samples cannot tell: for the p99 it takes 368.
    Source: H. A. David and H. N. Nagaraja, Order Statistics, section 7.1.
    """
    tail = (1 - confidence) / 2
    # The samples not above the true quantile are binomially many; further out lies nothing.
    reach = 8 * sqrt(count * share * (1 - share)) + 8
    first = max(0, int(count * share - reach))
    last = min(count, int(count * share + reach))
    at_most = list(accumulate(_binomial(count, share, k) for k in range(first, last + 1)))
    low = first + sum(1 for below in at_most if below <= tail)
    high = first + 1 + sum(1 for below in at_most if below < 1 - tail)
    return Ranks(low, high) if low >= 1 and high <= count else None


@dataclass(frozen=True)
class Estimate:
    """One percentile of a sample, in ms, and the interval in which the true one lies."""

    value: float
    low: float | None = None  # None, and `high` too: too few samples to tell.
    high: float | None = None


def estimate(latencies: Latencies, percent: float) -> Estimate:
    """Return the percentile of what was seen: 50, 99, 99.9, or MAXIMUM."""
    value = latencies.percentile_ms(percent)
    found = None if percent == MAXIMUM else ranks(latencies.total, percent / 100)
    if found is None:
        return Estimate(value)
    return Estimate(value, latencies.rank_ms(found.low), latencies.rank_ms(found.high))


def samples_needed(share: float, confidence: float = CONFIDENCE) -> int:
    """Return how many samples it takes before `share` has an interval at all."""
    tail = (1 - confidence) / 2
    few = int(log(tail) / log(max(share, 1 - share)))
    return next(n for n in range(few, few + 3) if ranks(n, share, confidence))


def _binomial(count: int, share: float, k: int) -> float:
    chosen = lgamma(count + 1) - lgamma(k + 1) - lgamma(count - k + 1)
    return exp(chosen + k * log(share) + (count - k) * log(1 - share))
