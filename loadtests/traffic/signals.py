"""From the candle to the fill that it caused: which signal came of which, and what became of it."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import NamedTuple

from grpc import StatusCode
from trading.orders.v1 import orders_pb2
from trading.orders.v1.orders_pb2 import SignalDecision
from trading.strategy.v1.strategy_pb2 import WatchSignalsRequest, WatchSignalsResponse
from trading.strategy.v1.strategy_port import StrategyService
from trading.types.v1.order_pb2 import Order
from trading.types.v1.signal_pb2 import SIGNAL_ACTION_ADJUST_STOP, Signal

from loadtests.traffic.callers import TRADER
from loadtests.traffic.following import follow
from runtime.errors import ServiceError, refusal
from runtime.load.traffic import Ground, Meter
from runtime.times import NS_PER_S, to_ns

SERIES = "booked"
Candle = tuple[str, int]  # The instrument, and the second that it opened in.


class Sent(NamedTuple):
    """When a candle was to be published, and when it was."""

    intended_s: float
    sent_s: float


class Signals:
    """Every signal of some strategies, from the candle it was made of to its fill in the ledger."""

    def __init__(self, ground: Ground, meter: Meter) -> None:
        self._strategies = ground.port(StrategyService, TRADER)
        self._meter = meter
        self._candles: dict[Candle, Sent] = {}
        self._open: dict[str, Sent] = {}  # By signal_id: those with no fill booked yet.
        self._ended: dict[str, ServiceError | None] = {}  # Those of orders that have ended.
        self._watching: asyncio.Task[None] | None = None
        self.heard = self.traded = self.doubled = 0  # Traded: signals that ask for an order.

    @property
    def open(self) -> int:
        """How many signals wait for their fills to be booked."""
        return len(self._open)

    async def watch(self, strategy_ids: Sequence[str]) -> None:
        """Begin with the first signal of the strategies."""
        self._watching = asyncio.create_task(self._watch(strategy_ids), name="signals")

    async def close(self) -> None:
        """End the stream."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait([self._watching])

    def published(self, instrument: str, open_s: int, sent: Sent) -> None:
        """Take in a candle on its way to the platform."""
        self._candles[instrument, open_s] = sent

    def order_ended(self, order: Order, error: ServiceError | None) -> None:
        """Hear that the order of a signal is booked, or will never be."""
        signal_id = order.spec.signal_id
        if signal_id in self._ended:
            self.doubled += 1
            return
        self._ended[signal_id] = error
        self._end(signal_id)

    def decided(self, decision: SignalDecision) -> None:
        """Hear in the end what was decided: there may never be an order."""
        if decision.outcome != orders_pb2.SIGNAL_OUTCOME_ORDERED:
            self._ended.setdefault(decision.signal_id, _no_order(decision))
            self._end(decision.signal_id)

    def _end(self, signal_id: str) -> None:
        sent = self._open.pop(signal_id, None)
        if sent is not None:  # Else the signal is yet to be heard of.
            self._meter.ended(SERIES, *sent, self._ended[signal_id])

    def _see(self, signal: Signal) -> None:
        self.heard += 1
        sent = self._candles.get((signal.instrument, to_ns(signal.candle_open_time) // NS_PER_S))
        if sent is None or signal.action == SIGNAL_ACTION_ADJUST_STOP:
            return  # Made of the past, or no reason to trade.
        self.traded += 1
        self._open[signal.signal_id] = sent
        if signal.signal_id in self._ended:
            self._end(signal.signal_id)

    async def _watch(self, strategy_ids: Sequence[str]) -> None:
        def watch(after: int) -> AsyncGenerator[WatchSignalsResponse, None]:
            request = WatchSignalsRequest(strategy_ids=strategy_ids, after_sequence=after)
            return self._strategies.watch_signals(request)

        async for message in follow(watch):
            if not message.is_heartbeat:
                self._see(message.signal)


def _no_order(decision: SignalDecision) -> ServiceError:
    outcome = orders_pb2.SignalOutcome.Name(decision.outcome).removeprefix("SIGNAL_OUTCOME_")
    return refusal(
        StatusCode.FAILED_PRECONDITION,
        outcome,
        f"signal {decision.signal_id} is {outcome}: {', '.join(decision.codes)}",
        service="orders",
    )
