"""One simulated trading session, candle to position: `python -m plimsoll.day_bench`."""

import sys
import time

from chaos.square_session import EXPERIMENT
from fixtures.trial import Plan, conduct, judge
from fixtures.worlds import World

LIMIT_S = 10.0


def main() -> int:
    """Run the session once; return 1 when it took longer than the specification allows."""
    started_s = time.perf_counter()
    with World.SIMULATED.runner() as runner:
        history = runner.run(conduct(Plan(EXPERIMENT, World.SIMULATED, seed=1)))
    took_s = time.perf_counter() - started_s
    outcome = judge(history, EXPERIMENT)
    figures = outcome.figures
    sys.stdout.write(
        f"  390 bars × 5 instruments: {took_s:.2f} s (limit {LIMIT_S:.0f} s), "
        f"{figures.signals} signals, {figures.orders} orders, {figures.fills} fills, "
        f"{outcome.verdict}\n"
    )
    return 0 if took_s <= LIMIT_S else 1


if __name__ == "__main__":
    sys.exit(main())
