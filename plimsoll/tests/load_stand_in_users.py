"""The locustfile of the tests: small profiles of the stand-in."""

from dataclasses import replace

from runtime.load.on_locust.plugin import Flow
from runtime.load.plan import Gate, Profile

ECHO = Profile(
    name="ECHO",
    unit="one call and its answer",
    rate_1x=100.0,
    gates=(Gate("echoed", p99_ms=400.0),),
    traffic="plimsoll.tests.load_stand_in:Echoes",
)


class Echo(Flow):
    """Calls that are answered."""

    profile = ECHO


class Busy(Flow):
    """The same, by a generator that has far too much to do."""

    profile = replace(ECHO, name="BUSY", options={"busy_s": 0.004})
    is_default = False
    labels = ("starved",)


class Shared(Flow):
    """The same, where one engine is said to send no more than half of it."""

    profile = replace(ECHO, name="SHARED", engine_rate=100.0)
    is_default = False
    labels = ("shared",)
