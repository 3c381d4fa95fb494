"""The strategy service on a bench: small peers, its own store, time at hand."""

import asyncio
import random
from collections.abc import Iterable
from typing import Any

from google.protobuf.struct_pb2 import Struct
from trading.indicators.v1.indicators_port import IndicatorService
from trading.marketdata.v1.marketdata_port import MarketDataService
from trading.strategy.v1 import strategy_pb2 as pb
from trading.strategy.v1.strategy_port import StrategyService
from trading.types.v1 import event_pb2, execution_pb2, market_pb2, order_pb2, signal_pb2

from runtime.clock import ReplayClock
from runtime.environment import Environment
from runtime.hosting import Tasks
from runtime.ids import Ids
from runtime.local import LocalTransport
from runtime.naming import identity_of
from runtime.progress import Progress
from runtime.rpc import connect
from runtime.stores import Database, Streams
from runtime.stores.relay import GATHER_S
from runtime.stores.simulated_redis import SimulatedRedis, SimulatedServer
from runtime.times import to_ns, to_timestamp
from services.strategy.service import Strategies
from services.strategy.tests.fakes import (
    ALPHA,
    MINUTE_1,
    START_NS,
    FakeIndicators,
    FakeMarket,
    candle,
)
from services.strategy.tests.fakes import decimal as decimal_of

SETTLE_STEP_S = 0.05
SQUARE = [100, 100, 100, 100, 110, 110, 110, 110]
"""One period of closes that EMA(2, 5) crosses once on the way up and once on the way down."""


def square(count: int) -> list[float]:
    """Return closes that jump every four candles."""
    return [float(SQUARE[index % len(SQUARE)]) for index in range(count)]


class Rig:
    """Builds the service, feeds it candles and order events, and reads what it said."""

    def __init__(
        self,
        market: FakeMarket | None = None,
        indicators: type[FakeIndicators] = FakeIndicators,
        database: Database | None = None,
    ) -> None:
        self.market = market or FakeMarket()
        self.indicators = indicators(self.market)
        self.database = database or Database.inline_memory()
        self.clock = ReplayClock(START_NS)
        self.redis = SimulatedRedis(SimulatedServer())
        self.streams = Streams(self.redis, identity_of("strategy"))
        self.progress = Progress()
        self.minutes: dict[str, int] = {}
        self.sequence = 0
        self._executions = 0
        self.service = self._built()
        self.client = connect(StrategyService, LocalTransport([self.service]))

    def _built(self) -> Strategies:
        self.progress = Progress()
        self.tasks = Tasks("strategy")
        environment = Environment(
            service="strategy",
            clock=self.clock,
            rng=random.Random(1),
            ids=Ids(random.Random(2)),
            database=self.database,
            streams=self.streams,
            progress=self.progress,
            tasks=self.tasks,
        )
        return Strategies(
            environment,
            connect(MarketDataService, LocalTransport([self.market])),
            connect(IndicatorService, LocalTransport([self.indicators])),
        )

    async def __aenter__(self) -> "Rig":
        await self.service.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.service.stop()

    async def crash(self) -> None:
        """Lose what is not committed, and start again on the rest."""
        self.database = self.database.crash()
        for task in list(self.tasks._running):
            task.cancel()
        await asyncio.sleep(0)
        self.service = self._built()
        self.client = connect(StrategyService, LocalTransport([self.service]))
        await self.service.start()

    async def create(self, **changes: Any) -> pb.Strategy:
        """Create EMA_CROSS(2, 5) on ALPHA that ends at ten units."""
        request = creation(**changes)
        return (await self.client.create_strategy(request)).strategy

    async def started(self, *, is_cold: bool = True, **changes: Any) -> str:
        """Create and start a strategy; return its id."""
        strategy = await self.create(**changes)
        await self.client.start_strategy(
            pb.StartStrategyRequest(
                strategy_id=strategy.strategy_id,
                request_id=f"start-{strategy.strategy_id}",
                is_cold_start_allowed=is_cold,
            )
        )
        return strategy.strategy_id

    async def get(self, strategy_id: str) -> pb.Strategy:
        """Return a strategy."""
        request = pb.GetStrategyRequest(strategy_id=strategy_id)
        return (await self.client.get_strategy(request)).strategy

    async def feed(self, closes: Iterable[float], *, instrument: str = ALPHA, **more: Any) -> None:
        """Show one candle after the other, each once everything has settled."""
        for close in closes:
            self.show(close, instrument=instrument, **more)
            await self.settle()

    def show(self, close: float, *, instrument: str = ALPHA, **more: Any) -> market_pb2.Candle:
        """Show the next candle of an instrument, at the time it closes."""
        minute = self.minutes.get(instrument, 0)
        self.minutes[instrument] = minute + 1
        made = candle(minute, close, instrument=instrument, **more)
        self.clock.skip_to(to_ns(made.close_time))
        self.market.publish(made)
        return made

    def store(self, closes: Iterable[float], *, instrument: str = ALPHA, **more: Any) -> None:
        """Store candles of the past that nobody is to act on."""
        for close in closes:
            minute = self.minutes.get(instrument, 0)
            self.minutes[instrument] = minute + 1
            made = candle(minute, close, instrument=instrument, **more)
            self.market.publish(made, is_backfill=True)

    async def settle(self) -> None:
        """Wait until every candle was evaluated, at most a minute of loop time."""
        for _ in range(1_200):
            await asyncio.sleep(SETTLE_STEP_S)
            if self.progress.read["candles"] >= len(self.market.items):
                return
        raise AssertionError("the candles were not evaluated within a minute")

    async def signals(self, **wanted: Any) -> list[signal_pb2.Signal]:
        """Return what was signalled, in order."""
        request = pb.ListSignalsRequest(page_size=1_000, **wanted)
        return list((await self.client.list_signals(request)).signals)

    async def published(self) -> list[signal_pb2.Signal]:
        """Return what stands in the stream of signals once the relay has gathered and sent."""
        await asyncio.sleep(2 * GATHER_S)
        entries: Any = await self.redis.xrange(self.streams.key("signals"))
        return [signal_pb2.Signal.FromString(fields[b"payload"]) for _, fields in entries]

    async def fill(
        self, signal: signal_pb2.Signal, quantity: int, price: float
    ) -> event_pb2.OrderEvent:
        """Report that a signal's order was filled; below zero sells. Return the event."""
        event = self.event(signal, quantity, price)
        await self.report(event)
        return event

    async def report(self, *events: event_pb2.OrderEvent) -> int:
        """Report order events; return the sequence taken."""
        request = pb.ReportOrderEventsRequest(events=events)
        return (await self.client.report_order_events(request)).last_sequence

    def event(
        self, signal: signal_pb2.Signal, quantity: int = 0, price: float = 0
    ) -> event_pb2.OrderEvent:
        """Return the next order event of a signal's order: a fill, or without one its end."""
        self.sequence += 1
        event = order_event(signal, self.sequence)
        if not quantity:
            event.order.status = order_pb2.ORDER_STATUS_REJECTED
            return event
        self._executions += 1
        report = event.execution
        report.exec_id = f"x-{self._executions}"
        report.venue = "XSIM"
        report.exec_type = execution_pb2.EXEC_TYPE_TRADE
        report.side = order_pb2.SIDE_BUY if quantity > 0 else order_pb2.SIDE_SELL
        report.last_quantity.value = str(abs(quantity))
        report.last_price.CopyFrom(decimal_of(price))
        report.transact_time.CopyFrom(to_timestamp(self.clock.now_ns()))
        return event


def creation(**changes: Any) -> pb.CreateStrategyRequest:
    """Return the request for EMA_CROSS(2, 5) on ALPHA that ends at ten units."""
    parameters = Struct()
    parameters.update({"fast": 2, "slow": 5} | changes.pop("parameters", {}))
    arguments: dict[str, Any] = {
        "request_id": "create-1",
        "kind": pb.STRATEGY_KIND_EMA_CROSS,
        "account": "main",
        "instruments": [ALPHA],
        "timeframe": MINUTE_1,
        "parameters": parameters,
        "sizing": signal_pb2.Sizing(target_position=decimal_of(10)),
    }
    return pb.CreateStrategyRequest(**arguments | changes)


def order_event(signal: signal_pb2.Signal, sequence: int) -> event_pb2.OrderEvent:
    """Return an event of the order that a signal became."""
    event = event_pb2.OrderEvent()
    event.header.sequence = sequence
    event.order.status = order_pb2.ORDER_STATUS_FILLED
    event.order.spec.signal_id = signal.signal_id
    event.order.spec.strategy_id = signal.strategy_id
    event.order.spec.account = signal.account
    event.order.spec.instrument = signal.instrument
    return event
