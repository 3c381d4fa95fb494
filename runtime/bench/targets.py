"""Print what a target costs a call: `python -m runtime.bench.targets`, all in one run."""

import random
import sys
from collections.abc import AsyncIterator

from google.protobuf.message import Message
from trading.echo.v1.echo_port import EchoService

from runtime.bench.echo import ANA, REQUEST, Echo
from runtime.bench.stopwatch import Work, in_virtual_time, seconds_per_call
from runtime.client import client_for
from runtime.client_stats import ClientStats
from runtime.guards.admission import Admission
from runtime.local import LocalTransport
from runtime.rpc import Call, Method, Transport, connect
from runtime.single import Messages
from runtime.targets import Breaker, Endpoint, Pool, Static, Target

CALLS = 500
STATS_US_MAX = 1.0


class Lent:
    """A local transport as a connection."""

    is_broken, is_connected = False, True

    def __init__(self, way: Transport) -> None:
        self._way = way

    def call(self, method: Method, requests: AsyncIterator[Message], call: Call) -> Messages:
        """Carry a call."""
        return self._way.call(method, requests, call)

    async def close(self) -> None:
        """There is nothing to close."""


class Unmeasured(ClientStats):
    """Figures as they were before they told how long calls take."""

    class _Nowhere:
        def append(self, _took_s: float) -> None:
            """Forget it."""

    def __init__(self) -> None:
        super().__init__()
        self.recent_s = self._Nowhere()  # type: ignore[assignment]


async def measured() -> dict[str, float]:
    """Return the seconds of a call on each way, the best of many rounds that take turns."""
    local = LocalTransport([Echo()])

    def pool_of(count: int) -> Pool:
        pool = Pool("echo", lambda _endpoint: Lent(local), rng=random.Random(1))
        pool.update([Endpoint(f"{n}:1") for n in range(count)])
        return pool

    target = Target(
        "echo", [Static([Endpoint("a:1")])], lambda _e: Lent(local), rng=random.Random(1)
    )
    await target.start()
    await target.resolver.found()

    def client(way: Transport, stats: ClientStats | None = None) -> EchoService:
        return client_for(EchoService, way, caller=ANA, rng=random.Random(1), stats=stats)

    ways = {
        "local transport alone": connect(EchoService, local),
        "admission": connect(EchoService, Admission(local)),
        "breaker": connect(EchoService, Breaker(local, "echo")),
        "pool of 1": connect(EchoService, pool_of(1)),
        "pool of 5": connect(EchoService, pool_of(5)),
        "target (breaker, pool of 1)": connect(EchoService, target),
        "client, not telling how long": client(local, Unmeasured()),
        "client": client(local),
        "client, target": client(target, target.stats),
    }
    best_s = dict.fromkeys(ways, float("inf"))
    for _ in range(4):
        for name, echo in ways.items():
            best_s[name] = min(best_s[name], await seconds_per_call(_asking(echo), CALLS))
    await target.stop()
    return best_s


def _asking(echo: EchoService) -> Work:
    return lambda: echo.echo(REQUEST)


def main() -> int:
    """Measure and print; return 1 when telling how long calls take costs too much."""
    took_s = in_virtual_time(measured)
    bare_s = took_s["local transport alone"]
    sys.stdout.write(f"{'unary call, in one process':<44}{'µs':>10}{'more':>10}{'ratio':>10}\n")
    for name, one_s in took_s.items():
        more_us = (one_s - bare_s) * 1e6
        sys.stdout.write(
            f"  {name:<42}{one_s * 1e6:>10.2f}{more_us:>10.2f}{one_s / bare_s:>10.2f}\n"
        )
    stats_us = (took_s["client"] - took_s["client, not telling how long"]) * 1e6
    sys.stdout.write(
        f"  telling how long calls take: {stats_us:.2f} µs, at most {STATS_US_MAX} µs\n"
    )
    return 1 if stats_us > STATS_US_MAX else 0


if __name__ == "__main__":
    sys.exit(main())
