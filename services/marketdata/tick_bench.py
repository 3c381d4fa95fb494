"""How fast ticks go in and out: `python -m services.marketdata.tick_bench`.

The service and its publisher run in a process of their own, over real gRPC and a file with
fsync; this one subscribes and decodes. Its share of a core is what counts: the rate is given.
Beside it, what decoding one message per tick would cost.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from typing import NamedTuple

import numpy as np
from trading.marketdata.v1 import marketdata_pb2 as pb
from trading.marketdata.v1.marketdata_port import MarketDataService
from trading.types.v1 import market_pb2

from runtime.client import client_for
from runtime.clock import SystemClock
from runtime.environment import Environment
from runtime.errors import ServiceError
from runtime.hosting import Tasks
from runtime.identity import Principal
from runtime.ids import Ids, derived_rng
from runtime.local import LocalTransport
from runtime.naming import identity_of
from runtime.network import GrpcTransport, open_channel
from runtime.progress import Progress
from runtime.rpc import connect
from runtime.server import Server
from runtime.stores import Database, Streams
from runtime.stores.simulated_redis import SimulatedRedis, SimulatedServer
from services.marketdata.service import MarketData
from services.marketdata.tests.mothers import SQUARE
from services.marketdata.tests.tick_mothers import a_batch
from services.marketdata.tick_kernel import COLUMNS, compiled
from services.marketdata.tick_messages import ticks_of
from services.marketdata.timeframes import NS_PER_SECOND

BATCH = 200
TICKS_PER_S = 400_000
BATCHES_PER_S = TICKS_PER_S // BATCH
WARM_UP_S, MEASURED_S = 3, 6
CORE_SHARE_MAX = 0.4
KERNEL_PER_S_MIN = 5_000_000
KERNEL_TICKS = 5_000_000
DECODED = 2_000
PRICES = [0] + [1, -1] * (BATCH // 2)


class Figures(NamedTuple):
    """What a subscriber measured; the share of a core is that of the full rate."""

    per_s: float
    core_share: float
    p99_ms: float
    cuts: int


def a_packed_batch(first: int, now_ns: int) -> market_pb2.TickBatch:
    """Return 200 trades of the last instant."""
    batch = a_batch(first, BATCH, base_price=10_000, price_deltas=PRICES[:BATCH])
    batch.base_time.FromNanoseconds(now_ns)
    batch.time_deltas_ns[:] = [0] * BATCH
    return batch


async def serve(folder: str) -> None:
    """Host the service, publish at the rate given, write the port to standard output."""
    rng, clock = derived_rng(1, "bench"), SystemClock()
    environment = Environment(
        service="marketdata",
        clock=clock,
        rng=rng,
        ids=Ids(rng),
        database=Database.sqlite_file(Path(folder, "ticks.sqlite")),
        streams=Streams(SimulatedRedis(SimulatedServer()), identity_of("marketdata")),
        progress=Progress(),
        tasks=Tasks("marketdata"),
    )
    service = MarketData(environment)
    await service.start()
    server = Server([service])
    sys.stdout.write(f"{await server.start()}\n")
    sys.stdout.flush()
    feed = connect(MarketDataService, LocalTransport([service]))
    await feed.publish_ticks(paced(clock))


async def paced(clock: SystemClock) -> AsyncIterator[pb.PublishTicksRequest]:
    """Yield a batch whenever one is due; those that are late come at once."""
    loop = asyncio.get_running_loop()
    template = a_packed_batch(0, 0)
    began_s = loop.time()
    for number in range((WARM_UP_S + MEASURED_S + 60) * BATCHES_PER_S):
        await asyncio.sleep(max(0.0, began_s + number / BATCHES_PER_S - loop.time()))
        template.sequence_first = number * BATCH
        template.base_time.FromNanoseconds(clock.now_ns())
        yield pb.PublishTicksRequest(batch=template)  # A copy.


@dataclass
class Subscriber:
    """Decodes every batch, and resumes where it was when it is cut off as too slow."""

    client: MarketDataService
    sequence: int = 0
    expected: int = 0
    cuts: int = 0
    late_ms: list[float] = field(default_factory=list)

    async def read_for(self, seconds: float) -> None:
        """Read for some seconds."""
        until_s = time.perf_counter() + seconds
        self.late_ms, self.cuts = [], 0
        while time.perf_counter() < until_s:
            try:
                await self._read(until_s)
            except ServiceError as error:
                if error.reason != "SLOW_SUBSCRIBER":
                    raise
                self.cuts += 1

    async def _read(self, until_s: float) -> None:
        clock, is_first = SystemClock(), self.sequence == 0
        request = pb.WatchTicksRequest(
            instruments=[SQUARE], after_sequence=self.sequence, is_from_now=is_first
        )
        async with aclosing(self.client.watch_ticks(request)) as stream:
            async for message in stream:
                if message.is_heartbeat:
                    continue
                ticks = ticks_of(message.batch)
                assert self.expected in (0, ticks.sequence_first), "a gap"
                self.expected, self.sequence = ticks.sequence_next, message.sequence
                self.late_ms.append((clock.now_ns() - int(ticks.times_ns[0])) / 1e6)
                if time.perf_counter() > until_s:
                    return


async def subscribed(address: str) -> Figures:
    """Return what a subscriber that decodes measures."""
    async with open_channel(address) as channel:
        client = client_for(
            MarketDataService,
            GrpcTransport(channel),
            caller=Principal("bench", service="strategy"),
            rng=derived_rng(1, "subscriber"),
        )
        subscriber = Subscriber(client)
        await subscriber.read_for(WARM_UP_S)
        began_s, cpu_s = time.perf_counter(), time.process_time()
        await subscriber.read_for(MEASURED_S)
        took_s, cpu_s = time.perf_counter() - began_s, time.process_time() - cpu_s
    per_s = len(subscriber.late_ms) * BATCH / took_s
    p99_ms = quantiles(subscriber.late_ms, n=100)[98]
    return Figures(per_s, cpu_s / took_s / per_s * TICKS_PER_S, p99_ms, subscriber.cuts)


def through_one_stream() -> Figures:
    """Return what a subscriber measures of a service in another process."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "services.marketdata.tick_bench", folder]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None
            port = server.stdout.readline().strip()
            try:
                return asyncio.run(subscribed(f"127.0.0.1:{port}"))
            finally:
                server.kill()


def decoded_per_s() -> tuple[float, float]:
    """Return how many ticks a second are decoded out of packed batches, and one by one."""
    now_ns = SystemClock().now_ns()
    packed = pb.WatchTicksResponse(batch=a_packed_batch(0, now_ns)).SerializeToString()
    single = pb.WatchTicksResponse(batch=a_batch(0, 1)).SerializeToString()
    began_s = time.perf_counter()
    for _ in range(DECODED):
        ticks_of(pb.WatchTicksResponse.FromString(packed).batch)
    packed_s = time.perf_counter() - began_s
    began_s = time.perf_counter()
    for _ in range(DECODED * 10):
        batch = pb.WatchTicksResponse.FromString(single).batch
        _ = (batch.base_time.ToNanoseconds(), batch.base_price, batch.quantities[0])
    single_s = time.perf_counter() - began_s
    return DECODED * BATCH / packed_s, DECODED * 10 / single_s


def folded_per_s() -> float:
    """Return how many ticks a second the compiled kernel folds into bars of a second."""
    rng = np.random.default_rng(1)
    times = np.cumsum(rng.integers(1, 100_000, KERNEL_TICKS))
    prices = 10_000 + rng.integers(-50, 50, KERNEL_TICKS)
    quantities = rng.integers(-100, 100, KERNEL_TICKS)
    out = np.zeros((KERNEL_TICKS, COLUMNS), dtype=np.int64)
    compiled()(times[:2], prices[:2], quantities[:2], NS_PER_SECOND, out)
    began_s = time.perf_counter()
    compiled()(times, prices, quantities, NS_PER_SECOND, out)
    return KERNEL_TICKS / (time.perf_counter() - began_s)


def main() -> int:
    """Print the figures beside their limits; return 1 if one is missed."""
    packed, single = decoded_per_s()
    kernel = folded_per_s()
    found = through_one_stream()
    _say("ticks -> bars of a second, compiled", f"{kernel / 1e6:,.0f} M/s", ">= 5 M/s")
    _say("decode, 200 to a batch", f"{packed / 1e6:,.2f} M ticks/s", "")
    _say("decode, one message per tick", f"{single / 1e6:,.2f} M ticks/s", "(beside it)")
    _say("one subscriber over gRPC", f"{found.per_s:,.0f} ticks/s", f">= {TICKS_PER_S:,}")
    _say("  its share of a core at 400,000/s", f"{found.core_share:.2f}", f"<= {CORE_SHARE_MAX}")
    _say(f"  p99 sent to decoded, {os.cpu_count()} cores", f"{found.p99_ms:.1f} ms", "<= 50 ms")
    _say("  times it was cut off and resumed", f"{found.cuts}", "")
    is_slow = found.per_s < TICKS_PER_S * 0.99 or found.core_share > CORE_SHARE_MAX
    return 1 if kernel < KERNEL_PER_S_MIN or is_slow else 0


def _say(text: str, figure: str, limit: str) -> None:
    sys.stdout.write(f"{text:<40}{figure:>16}{limit:>14}\n")


if __name__ == "__main__":
    sys.exit(asyncio.run(serve(sys.argv[1])) if len(sys.argv) > 1 else main())
