"""One simulated trading session, candle to position: `python -m plimsoll.day_bench`."""

import sys
import time

from chaos.square_session import EXPERIMENT
from fixtures.places import Place
from fixtures.trial import Plan, judge
from fixtures.worlds import World
from plimsoll.trial import record

LIMIT_S = 10.0


def main() -> int:
    """Run the session once; return 1 when trading took longer than the specification allows."""
    reached_s: dict[str, float] = {}

    def observe(stage: str, done: int, total: int) -> None:
        reached_s.setdefault(stage, time.perf_counter())
        reached_s[f"{stage}, done"] = time.perf_counter()

    started_s = time.perf_counter()
    history = record(Plan(EXPERIMENT, Place(World.SIMULATED), seed=1), observe)
    whole_s = time.perf_counter() - started_s
    trading_s = reached_s["trading, done"] - reached_s["trading"]
    figures = judge(history, EXPERIMENT).figures
    sys.stdout.write(
        f"  390 bars × 5 instruments: {trading_s:.2f} s (limit {LIMIT_S:.0f} s); with start, "
        f"60 bars of warm-up and testimony {whole_s:.2f} s; {figures.signals} signals, "
        f"{figures.orders} orders, {figures.fills} fills\n"
    )
    return 0 if trading_s <= LIMIT_S else 1


if __name__ == "__main__":
    sys.exit(main())
