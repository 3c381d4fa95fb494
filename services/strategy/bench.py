"""How fast strategies decide: `python -m services.strategy.bench`.

EMA_CROSS with ready indicators, flat and with a position whose stops are watched; the market
crosses on every fourth bar. The best of many short rounds, because what else runs on the
machine only ever adds.
"""

import sys
import time
from dataclasses import replace

from services.strategy.evaluation import evaluate
from services.strategy.kinds import KindState
from services.strategy.positions import FLAT, Position
from services.strategy.tests import mothers

BARS, ROUNDS = 400, 200
FLAT_PER_S_MIN = 100_000

SETTING = mothers.setting()
WAVE = [100 + index // 4 % 2 for index in range(BARS)]
TAILS = [[mothers.bar(index, level, high=102, low=99)] for index, level in enumerate(WAVE)]
POINTS = [mothers.point(level, 100.5) for level in WAVE]


def decisions_per_s(position: Position) -> float:
    """Return how many bars a second are evaluated."""
    best_s = float("inf")
    for _ in range(ROUNDS):
        state: KindState = {}
        began_s = time.perf_counter()
        for tail, point in zip(TAILS, POINTS, strict=True):
            state, _ = evaluate(SETTING, state, tail, point, position)
        best_s = min(best_s, time.perf_counter() - began_s)
    return BARS / best_s


def main() -> int:
    """Print each figure beside its limit; return 1 if one is missed."""
    settled = replace(mothers.held(stop=90), is_entry_bar_adverse=False)
    flat, held = decisions_per_s(FLAT), decisions_per_s(settled)
    sys.stdout.write(f"decisions flat     {flat:>10,.0f}/s, at least {FLAT_PER_S_MIN:,}\n")
    sys.stdout.write(f"decisions in trade {held:>10,.0f}/s\n")
    return int(flat < FLAT_PER_S_MIN)


if __name__ == "__main__":
    sys.exit(main())
