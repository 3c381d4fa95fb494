"""MIX: all of it together at 1x. It is never doubled: twice of it exceeds two cores."""

from runtime.load.on_locust.plugin import Flow
from runtime.load.plan import Gate, Profile

SHARES = {"CHAIN": 100.0, "SUBMIT": 50.0, "VALIDATE": 100.0, "TICKS": 500.0}  # A second, at 1x.


class Mix(Flow):
    """Candles, orders, validations and ticks at the same time, held to the limits of CHAIN."""

    profile = Profile(
        name="MIX",
        unit="candle published → its fill booked in the ledger, under all other load",
        rate_1x=sum(SHARES.values()),
        gates=(Gate("CHAIN booked", p99_ms=500.0, p50_ms=120.0),),
        traffic="loadtests.traffic.mix:Mix",
        arrivals="constant",
        multiple_max=1.0,
        engine_rate=sum(SHARES.values()),
        options={"shares": SHARES},
    )
