"""CHAIN: market data in, trades out, through every service; arrivals even over each second."""

from runtime.load.on_locust.plugin import Flow
from runtime.load.plan import Gate, Profile


class Chain(Flow):
    """Candles of a hundred instruments that make strategies trade."""

    profile = Profile(
        name="CHAIN",
        unit="candle published → its fill booked in the ledger",
        rate_1x=100.0,
        gates=(Gate("booked", p99_ms=500.0, p50_ms=120.0),),
        traffic="loadtests.traffic.chain:Chain",
        arrivals="constant",
    )
