"""What watching costs: `python -m runtime.observe.bench` prints figures beside their limits.

Each cost is the difference between two ways of making the same call in the same run, in time
of the processor: nothing here waits, and what else the machine does does not count.
"""

import logging
import random
import sys
import time
from collections.abc import Callable
from functools import partial

from trading.echo.v1.echo_port import EchoService

from runtime.bench.echo import ANA, LOCAL_CALLS, REQUEST, Echo
from runtime.bench.stopwatch import ROUNDS, in_real_time
from runtime.client import client_for
from runtime.clock import SystemClock
from runtime.guards import guarded
from runtime.local import LocalTransport
from runtime.measurements import CLIENT, Measurements
from runtime.observe.counted import Counted
from runtime.observe.memory import MemoryMetrics
from runtime.observe.metrics import Reading
from runtime.observe.prometheus import Instance, PrometheusMetrics
from runtime.observe.scope import work_of
from runtime.observe.spans import Span
from runtime.observe.tracer import Source, Tracer

SAMPLED_US_MAX, UNSAMPLED_US_MAX = 80.0, 40.0
SCRAPE_MS_MAX, SERIES = 50.0, 2_000
REPEATS = 20_000
SCRAPES = 10


class Nowhere:
    """Takes spans and forgets them: what is measured is making them."""

    def take(self, span: Span) -> None:
        """Forget `span`."""


async def call_s(tracer: Tracer | None = None, *, is_counted: bool = False) -> float:
    """Return the seconds of a local call through client and guards."""
    served = Measurements(has_sizes=is_counted)
    inner = LocalTransport([Echo()], lambda ports: guarded(ports, served, tracer=tracer))
    way = Counted(inner, Measurements(CLIENT, has_sizes=True)) if is_counted else inner
    echo = client_for(EchoService, way, caller=ANA, rng=random.Random(1))

    best_s = float("inf")
    with work_of(tracer):
        for _ in range(ROUNDS):
            began_s = time.process_time()
            for _ in range(LOCAL_CALLS):
                await echo.echo(REQUEST)
            best_s = min(best_s, time.process_time() - began_s)
    return best_s / LOCAL_CALLS


def tracer_of(share: float) -> Tracer:
    """Return a tracer that keeps that share of its traces."""
    return Tracer(Source("echo", "echo"), Nowhere(), SystemClock(), random.Random(1), share)


def each_s(work: Callable[[], object]) -> float:
    """Return the seconds of one call of `work`."""
    began_s = time.process_time()
    for _ in range(REPEATS):
        work()
    return (time.process_time() - began_s) / REPEATS


def scrape_s() -> tuple[float, int]:
    """Return the seconds of a scrape, and how many series it has."""
    metrics = PrometheusMetrics(Instance("echo", "echo", "0.1.0", "bench"))
    metrics.add_reader(
        lambda: [
            Reading("rpc_in_flight", n, {"method": f"Service/Method{n}", "side": "server"})
            for n in range(SERIES - 20)
        ]
    )
    for _ in range(3):
        metrics.observe_histogram("loop_lag_seconds", 0.001)
    best_s, body = float("inf"), b""
    for _ in range(SCRAPES):
        began_s = time.process_time()
        _, body = metrics.handler()
        best_s = min(best_s, time.process_time() - began_s)
    return best_s, sum(1 for line in body.splitlines() if not line.startswith(b"#"))


def main() -> int:
    """Measure everything in one run; return 1 when a limit is missed."""
    logging.getLogger().setLevel(logging.WARNING)
    bare_s = in_real_time(call_s)
    counted_s = in_real_time(partial(call_s, is_counted=True))
    sampled_s = in_real_time(partial(call_s, tracer_of(1.0), is_counted=True))
    unsampled_s = in_real_time(partial(call_s, tracer_of(0.0), is_counted=True))
    _say("local call, client and guards", bare_s * 1e6, "µs")
    _say("  counted and sized on both sides, more by", (counted_s - bare_s) * 1e6, "µs")
    misses = [
        _limited("  and two spans, sampled, more by", sampled_s - bare_s, SAMPLED_US_MAX),
        _limited("  and two spans, unsampled, more by", unsampled_s - bare_s, UNSAMPLED_US_MAX),
    ]
    metrics, labels = MemoryMetrics(), {"class": "order"}
    _say("counter", each_s(partial(metrics.inc_counter, "rate_limited_total", labels)) * 1e6, "µs")
    observe = partial(metrics.observe_histogram, "loop_lag_seconds", 0.003)
    _say("histogram", each_s(observe) * 1e6, "µs")
    misses.append(_scrape())
    return 1 if any(misses) else 0


def _scrape() -> bool:
    took_s, series = scrape_s()
    _say(f"scrape of {series:,} series (limit {SCRAPE_MS_MAX:.0f})", took_s * 1e3, "ms")
    return took_s * 1e3 > SCRAPE_MS_MAX


def _limited(text: str, took_s: float, limit_us: float) -> bool:
    _say(f"{text} (limit {limit_us:.0f})", took_s * 1e6, "µs")
    return took_s * 1e6 > limit_us


def _say(text: str, figure: float, unit: str) -> None:
    sys.stdout.write(f"{text:<58}{figure:>10.2f} {unit}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
