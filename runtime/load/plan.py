"""What a load run offers and what it must keep: profiles, gates, the plan of one engine."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

LATE_S = 0.005  # A send this much after its intended instant is late (specification 0.2).
LATE_SHARE_MAX = 0.001  # More late sends than this share make a run void,
GENERATOR_CPU_MAX = 0.35  # and so does a generator that uses more than this share of one core.
OFFERED_TOLERANCE = 0.001  # Offered is what was scheduled, give or take this share.
ENGINES_MAX = 4  # More would only take the machine away from what they load.
BACKLOG_S = 2.0  # What was sent is done within this time after the last send.


@dataclass(frozen=True)
class Gate:
    """What one series of latencies must keep at the multiple that the profile is judged at."""

    series: str  # "acknowledged", "booked", or the label of a method.
    p99_ms: float
    p50_ms: float | None = None


@dataclass(frozen=True)
class Profile:
    """One traffic shape: its rate at 1x, how units arrive, and its gates."""

    name: str  # "SUBMIT"; for a single RPC its label, "OrderService/GetOrder".
    unit: str  # What one unit is, in words.
    rate_1x: float  # Units per second at 1x.
    gates: tuple[Gate, ...]
    traffic: str  # "loadtests.traffic.submit:Submit", a class of the protocol Traffic.
    arrivals: str = "poisson"  # constant, poisson, burst, step or ramp (runtime/load/arrivals.py).
    multiple_max: float | None = None  # MIX is not doubled: 1.
    engine_rate: float = 500.0  # Units per second that one engine sends with no third of a core.
    error_share_max: float = 0.001  # Calls that may fail. Nothing may be lost or doubled, ever.
    options: Mapping[str, Any] = field(default_factory=dict)  # For its traffic class.

    def multiple(self, asked: float) -> float:
        """Return the multiple that is offered when `asked` is."""
        return asked if self.multiple_max is None else min(asked, self.multiple_max)

    def engines(self, asked: float) -> int:
        """Return how many engines it takes to offer the multiple `asked`."""
        return min(ENGINES_MAX, math.ceil(self.rate_1x * self.multiple(asked) / self.engine_rate))


@dataclass(frozen=True)
class Target:
    """Where the services are, and as whom they are called."""

    addresses: Mapping[str, str]  # By service, "orders": "127.0.0.1:50050"; "*" for any other.
    certificates: str = ""  # A folder as of runtime/tls/folder.py with callers' files; "": clear.
    environment: str = "demo"  # The environment that the servers' certificates name.

    def address_of(self, service: str) -> str:
        """Return where `service` is."""
        return self.addresses.get(service) or self.addresses["*"]


@dataclass(frozen=True)
class Plan:
    """What one engine process does: it reads this as one line of JSON."""

    profile: Profile
    target: Target
    multiple: float = 2.0
    warmup_s: float = 10.0
    duration_s: float = 60.0
    seed: int = 1
    part: int = 0  # Of `parts` engines that share the rate, this one.
    parts: int = 1
    in_flight_max: int = 1000  # A send that would exceed it is dropped, and counted.

    @property
    def rate(self) -> float:
        """Return the units per second that this engine offers."""
        return self.profile.rate_1x * self.profile.multiple(self.multiple) / self.parts

    def share(self, count: int) -> int:
        """Return this engine's part of what all engines have `count` of."""
        return max(1, len(range(self.part, count, self.parts)))

    def to_json(self) -> str:
        """Return this plan as one line."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, line: str) -> "Plan":
        """Return the plan of a line."""
        told = json.loads(line)
        profile, target = told.pop("profile"), told.pop("target")
        gates = tuple(Gate(**gate) for gate in profile.pop("gates"))
        return cls(Profile(gates=gates, **profile), Target(**target), **told)
