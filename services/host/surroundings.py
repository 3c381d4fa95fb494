"""What the services of a device are given of the world around them."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from runtime.clock import Clock, SteadyClock, SystemClock
from runtime.observe.tracer import Tracer
from runtime.rpc import Transport
from runtime.targets.target import DEFAULT_TARGET, TargetSettings
from services.marketdata import Pacer

if TYPE_CHECKING:  # Its libraries are heavy, and whoever starts a process chooses them.
    from runtime.observe.telemetry import Telemetry


def _no_seed(*_names: str) -> random.Random:
    return random.SystemRandom()


def _as_is(transport: Transport, _service: str) -> Transport:
    return transport


@dataclass(frozen=True)
class Surroundings:
    """A production device has the machine's clock and chance; a harness hands in others."""

    clock: Clock = field(default_factory=SystemClock)
    steady: Clock = field(default_factory=SteadyClock)  # Never set: leases are measured by it.
    rng: Callable[..., random.Random] = _no_seed  # By the names of who draws, and for what.
    over: Callable[[Transport, str], Transport] = _as_is  # What a service's calls go through.
    targets: TargetSettings = DEFAULT_TARGET  # How calls to each peer are carried.
    telemetry: "Telemetry | None" = None  # Counts and traces calls; None: nobody does.
    pacer: Pacer | None = None  # Moves the world along with a replay; None: real time.
    tracer: Callable[[str, str], Tracer] | None = None  # Traces instances; None: telemetry does.
