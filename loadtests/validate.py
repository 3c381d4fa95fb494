"""VALIDATE: orders put to risk alone, as the order service puts them."""

from runtime.load.on_locust.plugin import Flow
from runtime.load.plan import Gate, Profile


class Validate(Flow):
    """Orders that risk decides on, and holds money for, durably."""

    profile = Profile(
        name="VALIDATE",
        unit="order put to risk → decision and hold are durable",
        rate_1x=500.0,
        gates=(Gate("RiskService/ValidateOrder", p99_ms=100.0),),
        traffic="loadtests.traffic.validate:Validate",
        engine_rate=400.0,  # A call that is refused costs more than one that is answered.
    )
