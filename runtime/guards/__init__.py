"""What every served call passes through, the same over every transport.

    (span ->) validate -> authorize -> deadline -> measure, trace -> outage -> port

`guarded` is the one place where they are composed. A refusal comes before any effect.
"""

import random
from collections.abc import Sequence

from runtime.guards.authorization import Authorization
from runtime.guards.expiry import Expiry
from runtime.guards.measuring import Measuring, Refusals
from runtime.guards.outage import Outage
from runtime.guards.validation import Validation
from runtime.local import Direct
from runtime.measurements import Measurements
from runtime.observe.counted import Counted
from runtime.observe.serving import Served
from runtime.observe.tracer import Tracer
from runtime.rpc import Port, Transport
from runtime.stores.durability import Durability
from runtime.trace import Traces

__all__ = ["guarded"]


def guarded(
    ports: Sequence[Port],
    measurements: Measurements | None = None,
    rng: random.Random | None = None,
    durability: Durability | None = None,
    tracer: Tracer | None = None,
) -> Transport:
    """Return the way to `ports` that lets only proper calls through.

    `rng` makes the trace ids of callers that bring none; `durability` is of the one service
    whose ports these are, None when it has no stores; `tracer` is of that service, too, None
    when nothing is traced. Raises ValueError when a method states neither roles nor callers:
    nobody could be let through, or everybody would be.
    """
    counts = Measurements() if measurements is None else measurements
    inner: Transport = Direct(ports)
    if durability is not None:
        inner = Outage(inner, durability)
    rng = rng or random.SystemRandom()
    traces = Traces(rng)  # Where a tracer stands outside, every call has its trace already.
    measured = Measuring(inner, counts, traces) if tracer is None else Counted(inner, counts)
    way_in = Refusals(Validation(Authorization(Expiry(measured), ports)), counts)
    return way_in if tracer is None else Served(way_in, tracer, Traces(rng))
