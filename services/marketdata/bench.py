"""How fast market data takes in and gives out: `python -m services.marketdata.bench`.

In virtual time with the store inline, so what counts is the service's own work.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable

from trading.marketdata.v1 import marketdata_pb2 as pb
from trading.types.v1 import market_pb2

from runtime.virtual import VirtualLoop
from services.marketdata.datasets import BUNDLED, read_series
from services.marketdata.generated import generate_series
from services.marketdata.series import Series
from services.marketdata.tests.mothers import (
    NOON_NS,
    SQUARE,
    a_market,
    a_replay,
    publication,
)
from services.marketdata.timeframes import NS_PER_MINUTE, Timeframe

BATCH = 100
CANDLES = 20_000
LISTED = 5_000
PUBLISH_PER_S_MIN = 2_000
LIST_MS_MAX = 60.0
INSTRUMENTS = BUNDLED["square-v1"].instruments[:5]
MINUTES = 390


def square(instrument: str, count: int) -> Series:
    """Return the first candles of a square wave, from noon."""
    return generate_series(instrument, Timeframe.MINUTE_1, seed=1, start_ns=NOON_NS, count=count)


async def published_per_s() -> float:
    """Return how many candles a second are published, in batches of 100."""
    candles = list(square(SQUARE, CANDLES).candles())
    market = await a_market(now_ns=candles[-1].close_ns)
    requests = [
        publication(*candles[start : start + BATCH], number=start)
        for start in range(0, CANDLES, BATCH)
    ]
    began_s = time.perf_counter()
    for request in requests:
        await market.client.publish_candles(request)
    return CANDLES / (time.perf_counter() - began_s)


async def list_ms() -> float:
    """Return the milliseconds that a page of 5,000 candles takes."""
    candles = list(square(SQUARE, LISTED).candles())
    market = await a_market(now_ns=candles[-1].close_ns)
    for start in range(0, LISTED, BATCH):
        batch = candles[start : start + BATCH]
        await market.client.publish_candles(publication(*batch, number=start))
    request = pb.ListCandlesRequest(
        instrument=SQUARE, timeframe=market_pb2.TIMEFRAME_MINUTE_1, page_size=LISTED
    )
    best_s = float("inf")
    for _ in range(5):
        began_s = time.perf_counter()
        page = await market.client.list_candles(request)
        best_s = min(best_s, time.perf_counter() - began_s)
        assert len(page.candles) == LISTED
    return best_s * 1e3


class Still:
    """A world in which nothing else happens."""

    async def before(self, candles: object) -> None:
        """Change nothing."""

    async def after(self) -> None:
        """Let the watcher read."""
        await asyncio.sleep(0)


async def day_s() -> float:
    """Return the seconds that a day of 390 × 5 candles takes, replayed to one watcher."""
    market = await a_market(now_ns=NOON_NS + MINUTES * NS_PER_MINUTE, pacer=Still())
    to_time = market_pb2.Candle().open_time
    to_time.FromNanoseconds(NOON_NS + MINUTES * NS_PER_MINUTE)
    watch = market.client.watch_candles(pb.WatchCandlesRequest())
    began_s = time.perf_counter()
    await market.client.start_replay(a_replay(instruments=INSTRUMENTS, to_time=to_time))
    async for item in watch:
        if item.sequence == MINUTES * len(INSTRUMENTS) and not item.is_heartbeat:
            break
    await watch.aclose()
    return time.perf_counter() - began_s


def read_ms() -> float:
    """Return the milliseconds that reading one name of the bundled closes takes, files warm."""
    read_series("sp500-20-close", "KO.XSIM")
    began_s = time.perf_counter()
    read_series("sp500-20-close", "PEP.XSIM")
    return (time.perf_counter() - began_s) * 1e3


def generated_per_s() -> float:
    """Return how many candles a second the load generator makes, as columns."""
    began_s = time.perf_counter()
    square(SQUARE, 1_000_000)
    return 1_000_000 / (time.perf_counter() - began_s)


def in_virtual_time(work: Callable[[], Awaitable[float]]) -> float:
    """Return what `work` measured on a loop of its own."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:

        async def run() -> float:
            return await work()

        return runner.run(run())


def main() -> int:
    """Print the figures beside their limits; return 1 if one is missed."""
    publish_per_s = in_virtual_time(published_per_s)
    page_ms = in_virtual_time(list_ms)
    _say("PublishCandles, batches of 100", f"{publish_per_s:,.0f}/s", f">= {PUBLISH_PER_S_MIN:,}/s")
    _say("ListCandles, 5,000 rows", f"{page_ms:.1f} ms", f"<= {LIST_MS_MAX:.0f} ms")
    _say("replayed day, 390 x 5, one watcher", f"{in_virtual_time(day_s):.2f} s", "")
    _say("one bundled name, 8,313 rows", f"{read_ms():.1f} ms", "")
    _say("square-v1, as columns", f"{generated_per_s():,.0f}/s", "")
    return 1 if publish_per_s < PUBLISH_PER_S_MIN or page_ms > LIST_MS_MAX else 0


def _say(text: str, figure: str, limit: str) -> None:
    sys.stdout.write(f"{text:<40}{figure:>16}{limit:>14}\n")


if __name__ == "__main__":
    sys.exit(main())
