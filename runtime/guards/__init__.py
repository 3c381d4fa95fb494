"""What every served call passes through, the same over every transport.

    validate -> authorize -> deadline -> measure, trace -> port

`guarded` is the one place where they are composed. A refusal comes before any effect.
"""

import random
from collections.abc import Sequence

from runtime.guards.authorization import Authorization
from runtime.guards.expiry import Expiry
from runtime.guards.measuring import Measuring, Refusals
from runtime.guards.validation import Validation
from runtime.local import Direct
from runtime.measurements import Measurements
from runtime.rpc import Port, Transport

__all__ = ["guarded"]


def guarded(
    ports: Sequence[Port],
    measurements: Measurements | None = None,
    rng: random.Random | None = None,
) -> Transport:
    """Return the way to `ports` that lets only proper calls through.

    `rng` makes the trace ids of callers that bring none. Raises ValueError when a method
    states neither roles nor callers: nobody could be let through, or everybody would be.
    """
    counts = Measurements() if measurements is None else measurements
    measured = Measuring(Direct(ports), counts, rng or random.SystemRandom())
    return Refusals(Validation(Authorization(Expiry(measured), ports)), counts)
