"""A durable risk decision over real gRPC against a bare echo, in one run."""

import asyncio
import sys
import time
from functools import partial

from trading.risk.v1.risk_pb2 import ValidateOrderRequest
from trading.risk.v1.risk_port import RiskService
from trading.types.v1.order_pb2 import SIDE_BUY

from fixtures.mothers import market_order
from fixtures.principals import service
from fixtures.setup import Setup
from fixtures.stage import STAGE_START_NS, Stage
from fixtures.worlds import World
from runtime.bench import echo
from runtime.bench.stopwatch import in_real_time

SYMBOL, CALLS = "SQ00.XSIM", 600


async def decisions_per_s(at_once: int) -> float:
    """Return how many orders a second are validated, each decided, held and committed."""
    stage = await Stage.set_up(Setup(World.EMBEDDED, start_ns=STAGE_START_NS))
    try:
        await stage.close_bar(SYMBOL, "100.00")
        risk = stage.system.client(RiskService, service("orders"))
        gate = asyncio.Semaphore(at_once)

        async def validate(number: int) -> None:
            order = market_order(SYMBOL, SIDE_BUY, 1 + number, client_order_id=f"b{number}")
            request = ValidateOrderRequest(validation_id=f"b{number}:1", order=order, epoch=1)
            async with gate:
                answer = await risk.validate_order(request)
            assert answer.decision.checks, "every check must have been run"

        await validate(0)
        started_s = time.perf_counter()
        await asyncio.gather(*(validate(number) for number in range(1, CALLS + 1)))
        return CALLS / (time.perf_counter() - started_s)
    finally:
        await stage.system.stop()


def main() -> int:
    """Measure both in one run and print the ratio."""
    for at_once in (1, 8):
        raw_rps, _ = in_real_time(partial(echo.over_grpc, at_once=at_once))
        ours_rps = in_real_time(partial(decisions_per_s, at_once))
        sys.stdout.write(
            f"  {at_once:>3} at once: bare gRPC echo {raw_rps:,.0f}/s, ValidateOrder with guards, "
            f"checks and a committed decision {ours_rps:,.0f}/s, ratio {raw_rps / ours_rps:.1f}\n"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
