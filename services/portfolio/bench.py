"""How fast the ledger books: `python -m services.portfolio.bench`.

In virtual time with the store inline, so what counts is the service's own work. A native
ledger of another class is known to book 404,000 transfers a second.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable

from trading.portfolio.v1 import portfolio_pb2 as pb

from runtime.virtual import VirtualLoop
from services.portfolio.positions import replay
from services.portfolio.tests import mothers
from services.portfolio.tests.rig import Rig

BATCH = 256
BATCHES = 40
POSITIONS = 200
FILLS, ROUNDS = 10_000, 20
FILLS_PER_S_MIN, REBUILD_PER_S_MIN = 5_000, 50_000
REPORT_MS_MAX, PORTFOLIO_MS_MAX = 40.0, 10.0


async def report_ms() -> float:
    """Return the milliseconds that booking a batch of 256 fills takes.

    The quietest batch counts: other processes only ever add.
    """
    rig = await Rig.started()
    batches = [
        [
            mothers.event(n, mothers.execution("1" if n % 3 else "-2", "10", exec_id=f"x{n}"))
            for n in range(batch * BATCH + 1, (batch + 1) * BATCH + 1)
        ]
        for batch in range(BATCHES)
    ]
    best_s = float("inf")
    for events in batches:
        began_s = time.perf_counter()
        await rig.report(*events)
        best_s = min(best_s, time.perf_counter() - began_s)
    await rig.service.stop()
    return best_s * 1e3


async def portfolio_ms() -> float:
    """Return the milliseconds that GetPortfolio with 200 positions takes."""
    rig = await Rig.started()
    for number in range(POSITIONS):
        await rig.trade("1", "10", instrument=f"N{number}.XSIM")
    request = pb.GetPortfolioRequest(account=mothers.ACCOUNT)
    best_s = float("inf")
    for _ in range(50):
        began_s = time.perf_counter()
        await rig.portfolio.get_portfolio(request)
        best_s = min(best_s, time.perf_counter() - began_s)
    await rig.service.stop()
    return best_s * 1e3


def rebuilt_per_s() -> float:
    """Return how many fills a second make a position anew."""
    fills = [mothers.fill(1 if n % 3 else -2, "10", exec_id=f"x{n}") for n in range(FILLS)]
    best_s = float("inf")
    for _ in range(ROUNDS):
        began_s = time.perf_counter()
        replay(fills)
        best_s = min(best_s, time.perf_counter() - began_s)
    return FILLS / best_s


def main() -> int:
    """Print the figures beside their limits; return 1 if one is missed."""
    batch_ms, answer_ms = in_virtual_time(report_ms), in_virtual_time(portfolio_ms)
    per_s, rebuilt = BATCH / batch_ms * 1e3, rebuilt_per_s()
    _say("ReportOrderEvents of 256 fills", f"{batch_ms:.1f} ms", f"<= {REPORT_MS_MAX:.0f} ms")
    _say("fills booked, stored in line", f"{per_s:,.0f}/s", f">= {FILLS_PER_S_MIN:,}/s")
    _say("fills replayed", f"{rebuilt:,.0f}/s", f">= {REBUILD_PER_S_MIN:,}/s")
    _say("GetPortfolio, 200 positions", f"{answer_ms:.2f} ms", f"<= {PORTFOLIO_MS_MAX:.0f} ms")
    kept = batch_ms <= REPORT_MS_MAX and per_s >= FILLS_PER_S_MIN
    return 0 if kept and rebuilt >= REBUILD_PER_S_MIN and answer_ms <= PORTFOLIO_MS_MAX else 1


def in_virtual_time(work: Callable[[], Awaitable[float]]) -> float:
    """Return what `work` measured on a loop of its own."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:

        async def run() -> float:
            return await work()

        return runner.run(run())


def _say(text: str, figure: str, limit: str) -> None:
    sys.stdout.write(f"{text:<40}{figure:>16}{limit:>14}\n")


if __name__ == "__main__":
    sys.exit(main())
