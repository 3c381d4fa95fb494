"""Runs that were never made: what they measured is drawn from a seed."""

import numpy as np

from runtime.load.histogram import Latencies
from runtime.load.measured import Measured, Second, Series, StreamSeen
from runtime.load.plan import Gate, Profile
from runtime.load.served import Served, Spread, Use
from runtime.load.traffic import Remainder
from runtime.measurements import BOUNDS_S

SUBMIT = Profile(
    name="SUBMIT",
    unit="one marketable limit order of 50 accounts",
    rate_1x=200.0,
    gates=(Gate("acknowledged", p99_ms=250.0), Gate("booked", p99_ms=500.0, p50_ms=120.0)),
    traffic="loadtests.traffic.submit:Submit",
)
RATE, SECONDS = 400, 60


def series(
    median_ms: float, *, count: int = RATE * SECONDS, failed: int = 0, seed: int = 1
) -> Series:
    """Return lognormal latencies of `count` units but for those that have `failed`."""
    rng = np.random.default_rng(seed)
    took_s = rng.lognormal(np.log(median_ms / 1e3), 0.5, count)[failed:]
    ended = np.arange(count)[failed:] * SECONDS // max(1, count)
    timeline = tuple(
        Second(second, failed if second == 0 else 0, Latencies.of(took_s[ended == second]))
        for second in range(SECONDS)
    )
    waited_s = took_s[:: max(1, count // 1_000)]
    counts = {"OK": count - failed} | ({"UNAVAILABLE": failed} if failed else {})
    return Series(Latencies.of(took_s), Latencies.of(waited_s), counts, timeline)


def measured(**changes: object) -> Measured:
    """Return a run of SUBMIT at 2x in which everything went well, but for `changes`."""
    whole = {
        "profile": "SUBMIT",
        "multiple": 2.0,
        "rate": float(RATE),
        "parts": 1,
        "warmup_s": 10.0,
        "duration_s": float(SECONDS),
        "seed": 1,
        "scheduled": RATE * SECONDS,
        "sent": RATE * SECONDS,
        "late": 0,
        "dropped": 0,
        "lateness": Latencies.of([0.0002] * 100),
        "series": {"acknowledged": series(20.0), "booked": series(45.0, seed=2)},
        "cpu_share": 0.2,
        "rss_bytes": 80_000_000,
        "remainder": Remainder(facts={"signals_per_s": 51.2}),
    }
    return Measured(**{**whole, **changes})  # type: ignore[arg-type]


def stream(**changes: int) -> StreamSeen:
    """Return a stream that came as it should, but for `changes`."""
    whole = {"messages": 1_000, "gaps": 0, "out_of_order": 0, "repeats": 0}
    return StreamSeen(**{**whole, **changes}, age=Latencies.of([0.004] * 1_000))


def served(scale: float = 1.0) -> Served:
    """Return what servers of such a run may say."""
    bounds_s = (*BOUNDS_S, float("inf"))
    submits, validates = (
        (0, 0, 0, 0, 20, 400, 6_000, 14_000, 3_000, 500, 80, 0, 0, 0, 0, 0, 0, 0),
        (0, 0, 0, 60, 9_000, 12_000, 2_500, 400, 40, 0, 0, 0, 0, 0, 0, 0, 0, 0),
    )
    return Served(
        {
            "OrderService/SubmitOrder": Spread(bounds_s, submits),
            "RiskService/ValidateOrder": Spread(bounds_s, validates, failed=3),
        },
        {"orders": Use(41.2 * scale, 120e6), "risk": Use(22.9 * scale, 96e6)},
    )
