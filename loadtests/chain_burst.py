"""CHAIN_BURST: the same as CHAIN, with all candles of a second inside ten milliseconds."""

from runtime.load.on_locust.plugin import Flow
from runtime.load.plan import Gate, Profile


class ChainBurst(Flow):
    """Candles of a hundred instruments, all at once every second."""

    profile = Profile(
        name="CHAIN_BURST",
        unit="candle published → its fill booked in the ledger",
        rate_1x=100.0,
        gates=(Gate("booked", p99_ms=750.0),),
        traffic="loadtests.traffic.chain:Chain",
        arrivals="burst",
    )
