"""Small collectors: whom a process reaches and whom it turns away, as metrics."""

from collections.abc import Callable, Mapping

from runtime.client_stats import ClientStats
from runtime.measurements import Measurements
from runtime.observe.metrics import Reader, Reading

BREAKERS = ("CLOSED", "HALF_OPEN", "OPEN")
OF_IDENTITY = ("UNAUTHENTICATED", "PERMISSION_DENIED")
OF_LOAD = "RESOURCE_EXHAUSTED"
ADMISSION = "admission"  # The class of calls that every process limits.

Peers = Callable[[], Mapping[str, ClientStats]]  # By target: "risk->orders".
Ways = Callable[[], Mapping[str, Mapping[str, int]]]  # By target and way.
Leases = Callable[[], Mapping[str, int]]  # By instance: 0 held, 1 in doubt, 2 lost.


def peers_of(peers: Peers) -> Reader:
    """Return what tells how the peers of a process can be reached."""

    def read() -> list[Reading]:
        return [one for target, stats in peers().items() for one in _peer(target, stats)]

    return read


def _peer(target: str, stats: ClientStats) -> list[Reading]:
    labels, standing = {"target": target}, stats.standing()
    return [
        Reading("breaker_state", BREAKERS.index(standing.breaker), labels),
        Reading("target_endpoints", standing.endpoints, labels),
        Reading("rpc_retries_total", stats.retried, labels),
        Reading("rpc_retries_refused_total", stats.over_budget, labels),
    ]


def ways_of(ways: Ways) -> Reader:
    """Return what tells how many calls to each peer went by gRPC and by REST."""
    return lambda: [
        Reading("way_calls_total", calls, {"target": target, "way": way})
        for target, counts in ways().items()
        for way, calls in counts.items()
    ]


def refusals_of(served: Measurements) -> Reader:
    """Return what tells how many calls were turned away at the door, and why."""

    def read() -> list[Reading]:
        refusals = sorted(served.refusals.items())
        limited = sum(count for (code, _), count in refusals if code == OF_LOAD)
        return [
            Reading("rate_limited_total", limited, {"class": ADMISSION}),
            *(
                Reading("auth_failures_total", count, {"reason": reason})
                for (code, reason), count in refusals
                if code in OF_IDENTITY
            ),
        ]

    return read


def leases_of(leases: Leases) -> Reader:
    """Return what tells whether a process may act under its names."""
    return lambda: [Reading("lease_state", state, {"lease": n}) for n, state in leases().items()]
