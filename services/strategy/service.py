"""The strategy service: hosts strategies, evaluates candles, publishes signals."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from trading.indicators.v1.indicators_port import IndicatorService
from trading.marketdata.v1 import marketdata_pb2
from trading.marketdata.v1.marketdata_port import MarketDataService
from trading.strategy.v1 import strategy_pb2 as pb
from trading.strategy.v1.strategy_port import StrategyService
from trading.types.v1 import signal_pb2

from runtime.environment import Environment
from runtime.follow import Following, follow
from runtime.paging import place_of, size_of, token_of
from runtime.rpc import Call
from runtime.stores import Relay
from services.strategy import signal_store
from services.strategy.evaluator import Evaluator
from services.strategy.indicators import IndicatorRequests
from services.strategy.instruments import Instruments
from services.strategy.lifecycle import Lifecycle
from services.strategy.order_events import OrderEvents
from services.strategy.points import Points
from services.strategy.priming import Priming
from services.strategy.refusals import refusals_as_status
from services.strategy.rehearsal import Rehearsal
from services.strategy.roster import Roster
from services.strategy.wire import strategy_message


class Strategies(StrategyService):
    """Hosts strategies over market data and indicators."""

    def __init__(
        self, environment: Environment, market: MarketDataService, indicators: IndicatorService
    ) -> None:
        self._environment = environment
        self._market = market
        self._roster = Roster(environment)
        instruments, requests = Instruments(market), IndicatorRequests(indicators)
        points = Points(indicators, environment.clock, environment.tasks, environment.rng)
        self._lifecycle = Lifecycle(environment, self._roster, instruments, requests)
        self._evaluator = Evaluator(environment, self._roster, points, Priming(requests, market))
        self._events = OrderEvents(environment, self._roster)
        self._rehearsal = Rehearsal(self._roster, instruments, requests, environment.clock)

    async def start(self) -> None:
        """Read what was committed, then take in candles and publish signals."""
        environment, roster = self._environment, self._roster
        await roster.start()
        relay = Relay(environment.database, roster.outbox, environment.streams, environment.clock)
        environment.durability.publishes_through(relay)
        environment.tasks.spawn(relay.run(), name="relay")
        following = Following("candles", self._watch_candles, self._evaluator.take)
        environment.tasks.spawn(
            follow(following, after=roster.candles_sequence, rng=environment.rng), name="candles"
        )

    async def stop(self) -> None:
        """End watches and background work; what was committed stays."""
        self._roster.feed.close()
        await self._lifecycle.stop_waiting()
        await self._environment.tasks.stop()

    async def create_strategy(
        self, request: pb.CreateStrategyRequest, call: Call = Call()
    ) -> pb.CreateStrategyResponse:
        """Create a strategy; see the contract."""
        with refusals_as_status():
            strategy = await self._lifecycle.create(request, call)
        return pb.CreateStrategyResponse(strategy=strategy)

    async def update_strategy(
        self, request: pb.UpdateStrategyRequest, call: Call = Call()
    ) -> pb.UpdateStrategyResponse:
        """Replace a configuration; see the contract."""
        with refusals_as_status():
            strategy = await self._lifecycle.update(request, call)
        return pb.UpdateStrategyResponse(strategy=strategy)

    async def start_strategy(
        self, request: pb.StartStrategyRequest, call: Call = Call()
    ) -> pb.StartStrategyResponse:
        """Start or resume a strategy; see the contract."""
        with refusals_as_status():
            strategy = await self._lifecycle.start(request, call)
        return pb.StartStrategyResponse(strategy=strategy)

    async def pause_strategy(
        self, request: pb.PauseStrategyRequest, call: Call = Call()
    ) -> pb.PauseStrategyResponse:
        """Pause a strategy; see the contract."""
        with refusals_as_status():
            strategy = await self._lifecycle.pause(request)
        return pb.PauseStrategyResponse(strategy=strategy)

    async def stop_strategy(
        self, request: pb.StopStrategyRequest, call: Call = Call()
    ) -> pb.StopStrategyResponse:
        """Stop a strategy; see the contract."""
        with refusals_as_status():
            strategy = await self._lifecycle.stop(request)
        return pb.StopStrategyResponse(strategy=strategy)

    async def get_strategy(
        self, request: pb.GetStrategyRequest, call: Call = Call()
    ) -> pb.GetStrategyResponse:
        """Return a strategy; see the contract."""
        with refusals_as_status():
            hosted = self._roster.known(request.strategy_id)
        return pb.GetStrategyResponse(strategy=strategy_message(hosted))

    async def list_strategies(
        self, request: pb.ListStrategiesRequest, call: Call = Call()
    ) -> pb.ListStrategiesResponse:
        """Return a page of strategies; see the contract."""
        with refusals_as_status():
            after = int(place_of(request, request.page_token) or 0)
        size = size_of(request.page_size)
        found = [one for one in self._roster.hosted.values() if one.number > after]
        found.sort(key=lambda one: one.number)
        token = token_of(request, str(found[size - 1].number)) if len(found) > size else ""
        return pb.ListStrategiesResponse(
            strategies=[strategy_message(one) for one in found[:size]], next_page_token=token
        )

    async def evaluate_candle(
        self, request: pb.EvaluateCandleRequest, call: Call = Call()
    ) -> pb.EvaluateCandleResponse:
        """Answer what would be decided; see the contract."""
        with refusals_as_status():
            evaluation = await self._rehearsal.evaluate(request, call)
        return pb.EvaluateCandleResponse(evaluation=evaluation)

    async def list_signals(
        self, request: pb.ListSignalsRequest, call: Call = Call()
    ) -> pb.ListSignalsResponse:
        """Return a page of signals; see the contract."""
        with refusals_as_status():
            after = int(place_of(request, request.page_token) or 0)
        wanted = {
            name: value
            for name in ("strategy_id", "instrument", "status")
            if (value := getattr(request, name))
        }
        size = size_of(request.page_size)
        rows = await self._environment.database.read(
            lambda tx: signal_store.list_signals(
                tx, wanted, (after, request.after_sequence), size + 1
            )
        )
        token = token_of(request, str(rows[size - 1].number)) if len(rows) > size else ""
        signals = [signal_pb2.Signal.FromString(row.payload) for row in rows[:size]]
        return pb.ListSignalsResponse(signals=signals, next_page_token=token)

    async def watch_signals(
        self, request: pb.WatchSignalsRequest, call: Call = Call()
    ) -> AsyncGenerator[pb.WatchSignalsResponse, None]:
        """Stream published signals; see the contract."""
        deliveries = self._roster.feed.watch(request.after_sequence, self._published_after)
        async with aclosing(deliveries) as found:
            async for delivery in found:
                answer = pb.WatchSignalsResponse(
                    sequence=delivery.sequence, is_heartbeat=delivery.is_heartbeat
                )
                if delivery.item is not None:
                    answer.signal.ParseFromString(delivery.item)
                if delivery.item is None or _is_wanted(answer.signal, request):
                    yield answer

    async def report_order_events(
        self, request: pb.ReportOrderEventsRequest, call: Call = Call()
    ) -> pb.ReportOrderEventsResponse:
        """Take in order events; see the contract."""
        with refusals_as_status():
            sequence = await self._events.take(request.events)
        return pb.ReportOrderEventsResponse(last_sequence=sequence)

    def _watch_candles(
        self, after_sequence: int
    ) -> AsyncGenerator[marketdata_pb2.WatchCandlesResponse, None]:
        """Watch everything: which strategies there are may change at any time."""
        request = marketdata_pb2.WatchCandlesRequest(after_sequence=after_sequence)
        return self._market.watch_candles(request)

    async def _published_after(self, after: int, limit: int) -> Sequence[tuple[int, bytes]]:
        return await self._environment.database.read(
            lambda tx: signal_store.published_after(tx, after, limit)
        )


def _is_wanted(signal: signal_pb2.Signal, request: pb.WatchSignalsRequest) -> bool:
    is_strategy = not request.strategy_ids or signal.strategy_id in request.strategy_ids
    return is_strategy and (not request.instruments or signal.instrument in request.instruments)
