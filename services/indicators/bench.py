"""How fast indicators are computed: `python -m services.indicators.bench`.

A million points in one compiled batch, beside the reference library on the same data; one step
of a live series; the whole set of the tunnel strategy; and a watch over gRPC. Every indicator
and its rival take turns, round by round, and the best of many rounds counts, because what else
runs on the machine only ever adds.
"""

import asyncio
import os
import platform
import random
import sys
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AsyncExitStack, aclosing

import numpy as np
import talib
from numpy.typing import NDArray
from trading.indicators.v1 import indicators_pb2 as pb
from trading.indicators.v1.indicators_port import IndicatorService
from trading.marketdata.v1.marketdata_port import MarketDataService
from trading.types.v1 import indicator_pb2 as ind

from runtime.client import client_for
from runtime.identity import Principal
from runtime.network import GrpcTransport, open_channel
from runtime.rpc import Port
from runtime.server import serve
from services.indicators.catalogue import CATALOGUE
from services.indicators.compiled import compiled
from services.indicators.running import Running
from services.indicators.series import Bar, Indicator, choose
from services.indicators.service import Indicators
from services.indicators.tests.fake_market import MINUTE_1, FakeMarket, candle, environment

POINTS = 1_000_000
STEPS = 500  # A short round finds a quiet moment.
BATCH_ROUNDS, STEP_ROUNDS = 40, 40
RATIO_MAX = 2.0
STEP_US_MAX, TUNNEL_US_MAX = 2.0, 30.0
INSTRUMENTS, CANDLES_PER_S, WATCH_S, WARM_S = 100, 200, 6, 1
WATCH_MS_MAX = 20.0

Array = NDArray[np.float64]
Work = Callable[[], object]
Rival = Callable[[Array, Array, Array], object]

RIVALS: dict[str, tuple[dict[str, float], Rival]] = {
    "SMA": ({"n": 30}, lambda high, low, close: talib.SMA(close, 30)),
    "EMA": ({"n": 30}, lambda high, low, close: talib.EMA(close, 30)),
    "RSI": ({"n": 9}, lambda high, low, close: talib.RSI(close, 9)),
    "MACD": ({}, lambda high, low, close: talib.MACD(close, 12, 26, 9)),
    "BBANDS": ({}, lambda high, low, close: talib.BBANDS(close, 13, nbdevup=2.5, nbdevdn=2.5)),
    "ATR": ({"n": 14}, lambda high, low, close: talib.ATR(high, low, close, 14)),
}
TUNNEL: tuple[tuple[str, dict[str, float]], ...] = (
    ("EMA_SET", {}),
    ("VOLUME_RATIO", {}),
    ("RSI", {}),
    ("BBANDS", {}),
    ("ENGULFING", {}),
    ("HAMMER", {}),
    ("ATR", {}),
    ("MACD", {"fast": 6, "slow": 13, "signal": 4}),
    ("LEG", {}),
    ("STRUCTURE", {}),
    ("FIB", {}),
)
"""All that the tunnel strategy can ask for."""

SPECS = [
    ind.IndicatorSpec(kind=ind.INDICATOR_KIND_EMA, parameters={"n": 12}),
    ind.IndicatorSpec(kind=ind.INDICATOR_KIND_MACD),
    ind.IndicatorSpec(kind=ind.INDICATOR_KIND_ATR),
]


def walk() -> Array:
    """Return the columns of a random walk."""
    rng = np.random.default_rng(1)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 1e-4, POINTS)))
    opened = np.concatenate([close[:1], close[:-1]])
    high = np.maximum(opened, close) * (1 + abs(rng.normal(0, 1e-4, POINTS)))
    low = np.minimum(opened, close) * (1 - abs(rng.normal(0, 1e-4, POINTS)))
    volume = rng.integers(1, 10_000, POINTS).astype(float)
    return np.ascontiguousarray(np.stack([opened, high, low, close, volume]))


def best_s(works: Sequence[Work], rounds: int) -> list[float]:
    """Return the seconds of the fastest of many rounds of each, the works taking turns."""
    best = [float("inf")] * len(works)
    for _ in range(rounds):
        for index, work in enumerate(works):
            began_s = time.perf_counter()
            work()
            best[index] = min(best[index], time.perf_counter() - began_s)
    return best


def batch_of(indicator: Indicator, columns: Array) -> Work:
    """Return one compiled batch; its outputs are allocated each time, as the rival's are."""
    definition = indicator.definition
    kernel, parameters = compiled(definition.kernel), np.array(indicator.setup, dtype=float)
    room = POINTS * len(definition.outputs)
    state = np.array(definition.state(indicator.setup))
    kernel(parameters, state.copy(), columns[:, :2].copy(), np.empty(8))  # Compiles.
    return lambda: kernel(parameters, state.copy(), columns, np.empty(room))


def batches(columns: Array) -> bool:
    """Print each batch beside its rival; return whether one is too slow."""
    works: list[Work] = []
    for kind, (parameters, rival) in RIVALS.items():
        works.append(batch_of(choose(kind, parameters), columns))
        works.append(lambda rival=rival: rival(*columns[1:4]))  # type: ignore[misc]
    times = best_s(works, BATCH_ROUNDS)
    is_missed = False
    _say("batch", "ours ms", "rival ms", "ratio")
    for kind, ours, theirs in zip(RIVALS, times[::2], times[1::2], strict=True):
        is_missed |= ours / theirs > RATIO_MAX
        _say(kind, f"{ours * 1e3:.2f}", f"{theirs * 1e3:.2f}", f"{ours / theirs:.2f}")
    _say(f"limit: {RATIO_MAX} times the rival for {POINTS:,} points")
    return is_missed


def steps_us(indicators: Sequence[Indicator], bars: Sequence[Bar]) -> float:
    """Return the microseconds that one bar takes all of `indicators`, long warm."""
    runnings = [Running(indicator) for indicator in indicators]
    for running in runnings:
        for bar in bars:
            running.step(bar)

    def run() -> None:
        for bar in bars[-STEPS:]:
            for running in runnings:
                running.step(bar)

    return best_s([run], STEP_ROUNDS)[0] / STEPS * 1e6


def steps(columns: Array) -> bool:
    """Print how long one bar takes; return whether that is too long."""
    bars: list[Bar] = list(zip(*(column[:3_000].tolist() for column in columns), strict=True))
    is_missed = False
    _say("step", "µs")
    for kind in CATALOGUE:
        step = steps_us([choose(kind, {})], bars)
        is_missed |= step > STEP_US_MAX
        _say(kind, f"{step:.2f}")
    tunnel = steps_us([choose(kind, parameters) for kind, parameters in TUNNEL], bars)
    _say("tunnel set", f"{tunnel:.2f}")
    _say(f"limits: {STEP_US_MAX} µs each, {TUNNEL_US_MAX} µs the set of {len(TUNNEL)}")
    return is_missed or tunnel > TUNNEL_US_MAX


async def watch_ms() -> list[float]:
    """Return how long each candle took to its point, over gRPC on both sides, by the schedule."""
    names = [f"I{number:02}.XSIM" for number in range(INSTRUMENTS)]
    market = FakeMarket()
    async with AsyncExitStack() as stack:

        async def reach(port: Port, kind: type[Port], caller: str) -> Port:
            tcp_port = await stack.enter_async_context(serve([port]))
            channel = await stack.enter_async_context(open_channel(f"127.0.0.1:{tcp_port}"))
            by = Principal(caller, service=caller)
            return client_for(kind, GrpcTransport(channel), caller=by, rng=random.Random(1))

        source = await reach(market, MarketDataService, "indicators")
        assert isinstance(source, MarketDataService)
        indicators = await reach(Indicators(environment(), source), IndicatorService, "strategy")
        assert isinstance(indicators, IndicatorService)
        request = pb.WatchIndicatorsRequest(instruments=names, timeframe=MINUTE_1, specs=SPECS)
        stream = await stack.enter_async_context(aclosing(indicators.watch_indicators(request)))
        await anext(stream)
        return await _watched(market, stream, names)


async def _watched(
    market: FakeMarket,
    stream: AsyncGenerator[pb.WatchIndicatorsResponse, None],
    names: Sequence[str],
) -> list[float]:
    """Publish on schedule, whatever comes of it; return the wait for each point."""
    count = CANDLES_PER_S * (WARM_S + WATCH_S)
    loop, rng = asyncio.get_running_loop(), random.Random(1)
    prices = [100 + rng.random() for _ in range(count)]
    start_s = loop.time() + 0.1

    async def publish() -> None:
        for number, price in enumerate(prices):
            await asyncio.sleep(start_s + number / CANDLES_PER_S - loop.time())
            bar = (price, price + 1, price - 1, price, 1.0)
            minute, name = divmod(number, len(names))
            market.publish(candle(bar, minute, instrument=names[name]))

    publishing = asyncio.ensure_future(publish())
    waits: list[float] = []
    async for message in stream:
        if not message.is_heartbeat:
            waits.append((loop.time() - start_s - len(waits) / CANDLES_PER_S) * 1e3)
        if len(waits) == count:
            break
    await publishing
    return waits[CANDLES_PER_S * WARM_S :]


def watching() -> bool:
    """Print how late points are; return whether too late."""
    waits = sorted(asyncio.run(watch_ms()))
    p50, p99 = waits[len(waits) // 2], waits[len(waits) * 99 // 100]
    _say("watch", "p50 ms", "p99 ms", "max ms")
    load = f"{CANDLES_PER_S}/s x {len(SPECS)}"
    _say(load, f"{p50:.2f}", f"{p99:.2f}", f"{waits[-1]:.2f}")
    _say(f"limit: p99 {WATCH_MS_MAX} ms from a candle's due time to its point")
    return p99 > WATCH_MS_MAX


def main() -> int:
    """Print each figure beside its limit; return 1 if one is missed."""
    _say(f"machine: {platform.machine()}, {os.cpu_count()} cores, {platform.platform()}")
    columns = walk()
    missed = [batches(columns), steps(columns), watching()]
    return int(any(missed))


def _say(first: str, *more: str) -> None:
    sys.stdout.write(f"{first:<14}" + "".join(f"{text:>12}" for text in more) + "\n")


if __name__ == "__main__":
    sys.exit(main())
