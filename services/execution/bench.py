"""How fast orders are executed: `python -m services.execution.bench`.

Schedules and routing in process; the way of a direct order from the call to the venue, with all
guards and a file store, in real time; and five hundred algorithms that wake at random instants.
"""

import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from trading.exchange.v1 import exchange_pb2
from trading.types.v1.order_pb2 import EXECUTION_STYLE_CROSS

from runtime.clock import SystemClock
from runtime.rpc import Call
from runtime.stores import Database
from runtime.times import NS_PER_S, to_timestamp
from services.execution.algorithms.schedule import timetable
from services.execution.algorithms.terms import Impact, Kind
from services.execution.algorithms.tests.mothers import terms
from services.execution.modes import Modes, Subject
from services.execution.planning import is_direct
from services.execution.tests import mothers
from services.execution.tests.market_venue import MarketVenue
from services.execution.tests.working import WorkingRig, order
from services.execution.wire import venue_of

SCHEDULE_MS, DIRECT_MS, LATENESS_MS, ROUTING_US = 5.0, 15.0, 20.0, 20.0
ORDERS, RATE = 1_000, 200
ALGORITHMS, LEAD_S, SPREAD_S = 500, 8.0, 20
ROUNDS = 20
SLICES = 1_000
SHARE_99 = 0.99


class TimedVenue(MarketVenue):
    """Notes when each order came."""

    def __init__(self) -> None:
        super().__init__()
        self.came: dict[str, float] = {}

    async def place_order(
        self, request: exchange_pb2.PlaceOrderRequest, call: Call = Call()
    ) -> exchange_pb2.PlaceOrderResponse:
        self.came[request.order.client_order_id] = time.perf_counter()
        return await super().place_order(request, call)


def p99(values: Sequence[float]) -> float:
    """Return what 99 of 100 values do not exceed."""
    return sorted(values)[int(SHARE_99 * (len(values) - 1))]


def best_s(work: Callable[[], object]) -> float:
    """Return the shortest of some rounds: other processes only ever add."""
    taken = []
    for _ in range(ROUNDS):
        began_s = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began_s)
    return min(taken)


def schedule_ms() -> float:
    """Return how long the slowest kind takes to make a schedule of a thousand slices."""
    rng = random.Random(1)
    made = replace(terms(quantity_lots=1_000_000), interval_ns=NS_PER_S // 10)
    made = replace(made, end_ns=made.start_ns + SLICES * made.interval_ns, impact=Impact(5))
    kinds = (Kind.TWAP, Kind.VWAP, Kind.IMPLEMENTATION_SHORTFALL)
    assert made.slice_count == SLICES
    plans = [replace(made, kind=kind) for kind in kinds]
    return max(best_s(partial(timetable, plan, rng)) for plan in plans) * 1e3


def routing_us() -> float:
    """Return how long it takes to decide where an order goes, and whether it may."""
    spec, modes = mothers.order(), Modes(heard_s=0.0, is_told=True)
    subject = Subject("ana", "", spec.instrument, is_reducing=False, judged_ns=1)

    def route() -> None:
        for _ in range(1_000):
            venue_of(spec.instrument)
            is_direct(spec)
            modes.stops(subject, 1.0)

    return best_s(route) * 1e6 / 1_000


async def started(directory: str) -> tuple[WorkingRig, TimedVenue]:
    """Return execution on a file store and the machine's clock."""
    rig, venue = WorkingRig(), TimedVenue()
    rig.clock = SystemClock()  # type: ignore[assignment]
    rig.venue, rig.database = venue, Database.sqlite_file(Path(directory) / "execution.sqlite")
    await rig.start()
    return rig, venue


async def direct_ms(directory: str) -> float:
    """Return the p99 from the call of StartExecution to the venue, at 200 orders a second."""
    rig, venue = await started(directory)
    loop, sent, waiting = asyncio.get_running_loop(), dict[str, float](), []
    began_s = loop.time()
    for number in range(ORDERS):
        await asyncio.sleep(max(0.0, began_s + number / RATE - loop.time()))
        name = f"order-{number}"
        sent[name] = time.perf_counter()
        waiting.append(asyncio.ensure_future(rig.send(mothers.order(name))))
    await asyncio.gather(*waiting)
    await rig.service.stop()
    await rig.database.close()
    return p99([venue.came[name] - at_s for name, at_s in sent.items()]) * 1e3


async def lateness_ms(directory: str) -> float:
    """Return the p99 of how late slices of five hundred algorithms are committed and sent."""
    rig, _ = await started(directory)
    start_ns = rig.clock.now_ns() + round(LEAD_S * NS_PER_S)
    for number in range(ALGORITHMS):
        spec = order("TWAP", client_order_id=f"order-{number}", style=EXECUTION_STYLE_CROSS)
        algorithm = spec.algorithm
        begin_ns = start_ns + number * SPREAD_S * NS_PER_S // ALGORITHMS
        algorithm.start_time.CopyFrom(to_timestamp(begin_ns))
        algorithm.end_time.CopyFrom(to_timestamp(begin_ns + 600 * NS_PER_S))
        await rig.send(spec)
    await asyncio.sleep(max(0.0, (start_ns - rig.clock.now_ns()) / NS_PER_S) + SPREAD_S + 14)
    rows = [row for row in await rig.rows("schedules") if row.sent_ns]
    assert len(rows) >= ALGORITHMS, f"only {len(rows)} slices were sent"
    await rig.service.stop()
    await rig.database.close()
    return p99([row.sent_ns - row.due_ns for row in rows]) / 1e6


def main() -> int:
    """Print the figures beside their limits; return 1 when one is missed."""
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        figures = (
            ("schedule of 1,000 slices", schedule_ms(), SCHEDULE_MS, "ms"),
            ("routing decision", routing_us(), ROUTING_US, "us"),
            ("direct, call to venue, p99", asyncio.run(direct_ms(first)), DIRECT_MS, "ms"),
            ("500 algorithms, lateness p99", asyncio.run(lateness_ms(second)), LATENESS_MS, "ms"),
        )
    for name, value, limit, unit in figures:
        sys.stdout.write(f"{name}: {value:.2f} {unit}, at most {limit:g} {unit}\n")
    return int(any(value > limit for _, value, limit, _ in figures))


if __name__ == "__main__":
    sys.exit(main())
