"""TICKS: 200,000 ticks a second in batches of 200, read by two subscribers."""

from runtime.load.on_locust.plugin import Flow
from runtime.load.plan import Gate, Profile


class Ticks(Flow):
    """Batches of ticks that every subscriber decodes into arrays, without a gap."""

    profile = Profile(
        name="TICKS",
        unit="batch of 200 ticks sent → decoded into arrays by the slower subscriber",
        rate_1x=1_000.0,
        gates=(Gate("decoded", p99_ms=50.0),),
        traffic="loadtests.traffic.ticks:Ticks",
        arrivals="constant",
        engine_rate=700.0,  # Each reads what it sends twice.
    )
