"""Finds signals that the stream lost: a gap in their sequences, or a look every 30 s (X11)."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from trading.strategy.v1.strategy_pb2 import ListSignalsRequest
from trading.strategy.v1.strategy_port import StrategyService
from trading.types.v1.signal_pb2 import SIGNAL_STATUS_PUBLISHED, Signal

from runtime.environment import Environment
from runtime.errors import ServiceError
from runtime.observe.flow import continuing
from runtime.stores import Entry
from services.orders.settled import Settled

EVERY_S = 30.0
GAP_S = 1.0  # What is settled out of order, or the relay sends late, is no gap so soon.
PAGE_SIZE = 256
log = logging.getLogger(__name__)

Handle = Callable[[Sequence[Entry]], Awaitable[None]]


class Sweep:
    """Reads undecided signals from their source; deciding one twice changes nothing."""

    def __init__(self, environment: Environment, strategy: StrategyService) -> None:
        self._environment = environment
        self._strategy = strategy

    async def run(self, settled: Settled, handle: Handle) -> None:
        """Look until cancelled: soon, then every 30 s, and a second after a gap has shown.

        Soon, because what the stream lost while orders was away shows no gap.
        """
        loop = asyncio.get_running_loop()
        looked_s = loop.time() - EVERY_S
        while True:
            before = settled.until
            await asyncio.sleep(GAP_S)
            has_gap = settled.has_gap and settled.until == before
            if not has_gap and loop.time() < looked_s + EVERY_S:
                continue
            looked_s = loop.time()
            try:
                await self._look(settled, handle)
            except ServiceError as error:
                log.info("signals cannot be looked through: %s", error)

    async def _look(self, settled: Settled, handle: Handle) -> None:
        request = ListSignalsRequest(
            status=SIGNAL_STATUS_PUBLISHED, after_sequence=settled.until, page_size=PAGE_SIZE
        )
        found = (await self._strategy.list_signals(request)).signals
        for signal in found:
            if signal.header.sequence not in settled:
                entry = _entry(signal)
                with (
                    self._environment.progress.working("sweep"),
                    continuing("signals", [entry.traceparent]),
                ):
                    await handle([entry])


def _entry(signal: Signal) -> Entry:
    """Return a signal as the stream would have brought it."""
    return Entry(
        entry_id="",
        event_id=signal.header.event_id or signal.signal_id,
        type=Signal.DESCRIPTOR.full_name,
        key=f"{signal.account}/{signal.instrument}/{signal.strategy_id}",
        sequence=signal.header.sequence,
        payload=signal.SerializeToString(),
        traceparent=signal.header.traceparent,
    )
