"""How fast strategies decide: `python -m services.strategy.bench`.

A million one-second candles of a random walk are replayed through EMA_CROSS with ready
indicators, its signals filled at the next open and its stops watched; then the whole service
with its store in a file takes in 200 candles a second, one in four of which signals.

EMA_CROSS with ready indicators, flat and with a position whose stops are watched; the market
crosses on every fourth bar. The best of many short rounds, because what else runs on the
machine only ever adds. VEGAS signals on every second bar, with filters, stops and targets.
"""

import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from services.strategy.evaluation import evaluate
from services.strategy.kinds import KindState
from services.strategy.positions import FLAT, Fill, Position, after_fill
from services.strategy.terms import Action, Bar, Point, Proposal, Setting
from services.strategy.tests import bench_peers, mothers, vegas_mothers

BARS, ROUNDS = 400, 200
FLAT_PER_S_MIN = 100_000
VEGAS_US_MAX = 200
REPLAYED, BLOCK, REPLAYED_PER_S_MIN = 1_000_000, 500, 100_000
CANDLES_PER_S, SIGNALLING_S, SIGNAL_MS_MAX = 200, 10.0, 60

SETTING = mothers.setting()
WAVE = [100 + index // 4 % 2 for index in range(BARS)]
TAILS = [[mothers.bar(index, level, high=102, low=99)] for index, level in enumerate(WAVE)]
POINTS = [mothers.point(level, 100.5) for level in WAVE]
TUNNEL_POINTS = [
    vegas_mothers.point(vegas_mothers.UP, bull=level - 100, volume_ratio=2.5, width=0.02)
    for level in WAVE
]


def decisions_per_s(
    position: Position, setting: Setting = SETTING, points: Sequence[Point] = POINTS
) -> float:
    """Return how many bars a second are evaluated."""
    best_s = float("inf")
    for _ in range(ROUNDS):
        state: KindState = {}
        began_s = time.perf_counter()
        for tail, point in zip(TAILS, points, strict=True):
            state, _ = evaluate(setting, state, tail, point, position)
        best_s = min(best_s, time.perf_counter() - began_s)
    return BARS / best_s


@dataclass(frozen=True, slots=True)
class Block:
    """Candles of a random walk, and what the indicators say after each."""

    bars: list[Bar]
    points: list[Point]


def walk(count: int) -> Block:
    """Return one-second candles around 100 that move by two basis points each."""
    rng, price, fast, slow = random.Random(1), 100.0, 100.0, 100.0
    bars, points = [], []
    for index in range(count):
        opened, price = price, price * (1 + rng.gauss(0, 2e-4))
        high = max(opened, price) * (1 + abs(rng.gauss(0, 1e-4)))
        low = min(opened, price) * (1 - abs(rng.gauss(0, 1e-4)))
        fast, slow = fast + 2 / 13 * (price - fast), slow + 2 / 27 * (price - slow)
        rounded = (round(one, 2) for one in (opened, high, low))
        prices = dict(zip(("open_", "high", "low"), rounded, strict=True))
        bars.append(mothers.bar(index, round(price, 2), **prices))
        points.append(mothers.point(fast, slow, 0.03))
    return Block(bars, points)


def replay(block: Block, setting: Setting) -> None:
    """Decide on every candle, each signal filled at the next open."""
    state: KindState = {}
    position, ordered = FLAT, None
    for bar, point in zip(block.bars, block.points, strict=True):
        if ordered is not None:
            position = filled(position, ordered, bar)
        state, found = evaluate(setting, state, [bar], point, position)
        position, ordered = found.position, None
        for one in found.proposals:
            if one.is_published and one.action is not Action.ADJUST_STOP:
                ordered = one


def filled(position: Position, ordered: Proposal, bar: Bar) -> Position:
    """Return the position after a signal got what it wanted at a bar's open."""
    wanted_atto = ordered.sizing.amount_atto if ordered.sizing else 0
    quantity_atto = wanted_atto - position.quantity_atto
    if not quantity_atto:
        return position
    stop = ordered.stop_atto, ordered.stop_source
    return after_fill(
        position, Fill("x", quantity_atto, bar.open_atto or 0, bar.open_ns, "s", *stop)
    )


def replayed_per_s() -> float:
    """Return how many candles a second are replayed: the quietest of many blocks counts."""
    block, setting = walk(BLOCK), mothers.setting(parameters={"fast": 12, "slow": 26})
    best_s = float("inf")
    for _ in range(REPLAYED // BLOCK):
        began_s = time.perf_counter()
        replay(block, setting)
        best_s = min(best_s, time.perf_counter() - began_s)
    return BLOCK / best_s


def signalled_ms_p99() -> float:
    """Return within how many ms 99 of 100 signals are committed after their candle."""
    with tempfile.TemporaryDirectory() as directory:
        run = bench_peers.signal_latencies_ms(CANDLES_PER_S, SIGNALLING_S, Path(directory))
        taken = asyncio.run(run)
    return taken[len(taken) * 99 // 100]


def main() -> int:
    """Print each figure beside its limit; return 1 if one is missed."""
    settled = replace(mothers.held(stop=90), is_entry_bar_adverse=False)
    flat, held = decisions_per_s(FLAT), decisions_per_s(settled)
    sys.stdout.write(f"decisions flat     {flat:>10,.0f}/s, at least {FLAT_PER_S_MIN:,}\n")
    sys.stdout.write(f"decisions in trade {held:>10,.0f}/s\n")
    tunnel_us = 1e6 / decisions_per_s(FLAT, vegas_mothers.setting(), TUNNEL_POINTS)
    sys.stdout.write(f"decision of VEGAS  {tunnel_us:>10,.1f} us, at most {VEGAS_US_MAX}\n")
    replayed, committed_ms = replayed_per_s(), signalled_ms_p99()
    sys.stdout.write(f"replay of 1 M      {replayed:>10,.0f}/s, at least {REPLAYED_PER_S_MIN:,}\n")
    sys.stdout.write(f"candle to signal   {committed_ms:>10,.1f} ms p99, at most {SIGNAL_MS_MAX}\n")
    is_slow = min(flat / FLAT_PER_S_MIN, replayed / REPLAYED_PER_S_MIN) < 1
    return int(is_slow or tunnel_us > VEGAS_US_MAX or committed_ms > SIGNAL_MS_MAX)


if __name__ == "__main__":
    sys.exit(main())
