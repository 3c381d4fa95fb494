"""How fast strategies decide: `python -m services.strategy.bench`.

EMA_CROSS with ready indicators, flat and with a position whose stops are watched; the market
crosses on every fourth bar. The best of many short rounds, because what else runs on the
machine only ever adds. VEGAS signals on every second bar, with filters, stops and targets.
"""

import sys
import time
from collections.abc import Sequence
from dataclasses import replace

from services.strategy.evaluation import evaluate
from services.strategy.kinds import KindState
from services.strategy.positions import FLAT, Position
from services.strategy.terms import Point, Setting
from services.strategy.tests import mothers, vegas_mothers

BARS, ROUNDS = 400, 200
FLAT_PER_S_MIN = 100_000
VEGAS_US_MAX = 200

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


def main() -> int:
    """Print each figure beside its limit; return 1 if one is missed."""
    settled = replace(mothers.held(stop=90), is_entry_bar_adverse=False)
    flat, held = decisions_per_s(FLAT), decisions_per_s(settled)
    sys.stdout.write(f"decisions flat     {flat:>10,.0f}/s, at least {FLAT_PER_S_MIN:,}\n")
    sys.stdout.write(f"decisions in trade {held:>10,.0f}/s\n")
    tunnel_us = 1e6 / decisions_per_s(FLAT, vegas_mothers.setting(), TUNNEL_POINTS)
    sys.stdout.write(f"decision of VEGAS  {tunnel_us:>10,.1f} us, at most {VEGAS_US_MAX}\n")
    return int(flat < FLAT_PER_S_MIN or tunnel_us > VEGAS_US_MAX)


if __name__ == "__main__":
    sys.exit(main())
