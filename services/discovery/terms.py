"""How patient discovery is: lengths in nanoseconds of the injected clock."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from runtime.times import NS_PER_S

DEVELOPMENT = ("local", "development", "test", "simulated")  # And test-…: loopback is an address.


@dataclass(frozen=True)
class Terms:
    """The rules of leases, of mass expiry and of probes; specification D1 to D3."""

    ttl_ns: int = 15 * NS_PER_S  # Of a lease whose holder asks for nothing else.
    kept_ns: int = 300 * NS_PER_S  # How long one that ended is still listed.
    events_kept_ns: int = 7 * 86_400 * NS_PER_S
    mass_leases_min: int = 6  # Fewer leases may all end at once.
    mass_pause_ns: int = 60 * NS_PER_S
    probe_every_ns: int = 10 * NS_PER_S
    probe_limit_s: float = 1.0  # Of the event loop.
    failures_max: int = 2  # One failure more in a row: the instance does not serve.
    successes_min: int = 2  # So many in a row: it serves again.
    areas: Mapping[str, str] = field(default_factory=dict)  # Of services with a hyphen (N2).
