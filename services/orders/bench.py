"""How fast orders live: `python -m services.orders.bench`.

The state machine alone, then signals through the whole service in virtual time: store inline,
every message through the guards, peers that answer at once. Processor time, the best of several
rounds, because other processes only ever add.
"""

import asyncio
import sys
import time

from runtime.atto import ATTO
from runtime.virtual import VirtualLoop
from services.orders.events import Event, Kind
from services.orders.machine import apply
from services.orders.states import Fill, Order
from services.orders.tests.mothers import open_signal, trade
from services.orders.tests.rig import Rig

TRANSITIONS_PER_S_MIN = 200_000
ROUNDS = 15
LIVES = 2_000
SIGNALS = 50
LIFE = (
    Event(Kind.SUBMITTED, 1),
    Event(Kind.RISK_APPROVED, 2, decision_id="d"),
    Event(Kind.DISPATCHED, 3),
    Event(Kind.ACKNOWLEDGED, 4, venue_order_id="v"),
    Event(Kind.TRADED, 5, fill=Fill(4 * ATTO, 100 * ATTO, ATTO)),
    Event(Kind.TRADED, 6, fill=Fill(6 * ATTO, 100 * ATTO, ATTO)),
)


def transitions_per_s() -> float:
    """Return how many transitions a second one order after the other makes."""
    best_s = float("inf")
    for _ in range(ROUNDS):
        began_s = time.process_time()
        for _ in range(LIVES):
            order = Order(10 * ATTO)
            for event in LIFE:
                order = apply(order, event).order
        best_s = min(best_s, time.process_time() - began_s)
    return LIVES * len(LIFE) / best_s


async def ms_per_signal() -> float:
    """Return the processor milliseconds from a signal to its fill, told to everybody."""
    rig = await Rig.started()
    best_s = float("inf")
    for round_number in range(ROUNDS):
        began_s = time.process_time()
        for number in range(SIGNALS):
            await rig.publish(open_signal(round_number * SIGNALS + number))
            await asyncio.sleep(0.02)
            order = rig.execution.starts[-1].order
            exec_id = f"x-{order.client_order_id}"
            rig.execution.happen(trade(order, exec_id, 30, cum=30))
            await asyncio.sleep(0.02)
        best_s = min(best_s, time.process_time() - began_s)
    assert len(rig.risk.told.events) == ROUNDS * SIGNALS * 5
    await rig.stop()
    return best_s / SIGNALS * 1_000


def main() -> int:
    """Print the figures beside their limits; return 1 when one is missed."""
    per_s = transitions_per_s()
    sys.stdout.write(f"transitions: {per_s:,.0f}/s, at least {TRANSITIONS_PER_S_MIN:,}/s\n")
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        took_ms = runner.run(ms_per_signal())
    sys.stdout.write(
        f"signal to fill told to three subscribers, peers and guards included: {took_ms:.1f} ms\n"
    )
    return 0 if per_s >= TRANSITIONS_PER_S_MIN else 1


if __name__ == "__main__":
    sys.exit(main())
