"""Messages of the strategy service."""

from trading.strategy.v1 import strategy_pb2 as pb
from trading.types.v1 import market_pb2

from loadtests.traffic.callers import ORDERS, TRADER
from loadtests.traffic.market import MINUTE_NS, flat_candle
from loadtests.traffic.messages.asking import ask
from loadtests.traffic.messages.portfolio import EVENTS_MAX
from loadtests.traffic.messages.stage import STRATEGIES, Stage
from loadtests.traffic.strategies import creation, ema_cross, sizing

SERVICE = "StrategyService"
CANDLES = 40


def _id(stage: Stage, number: int) -> str:
    return stage.strategies[number % STRATEGIES].strategy_id


@ask(f"{SERVICE}/CreateStrategy", TRADER, "accounts")
def _create_strategy(stage: Stage, number: int) -> pb.CreateStrategyRequest:
    return creation(
        stage.account(number),
        [stage.instrument(number)],
        market_pb2.TIMEFRAME_MINUTE_1,
        request_id=stage.name(number),
    )


def _updated(
    stage: Stage, request: pb.UpdateStrategyRequest, answer: pb.UpdateStrategyResponse
) -> None:
    stage.etags[request.strategy_id] = answer.strategy.etag


@ask(f"{SERVICE}/UpdateStrategy", TRADER, "strategies", heard=_updated)
def _update_strategy(stage: Stage, number: int) -> pb.UpdateStrategyRequest:
    strategy = stage.strategies[number % STRATEGIES]
    return pb.UpdateStrategyRequest(
        strategy_id=strategy.strategy_id,
        request_id=stage.name(number),
        etag=stage.etags.get(strategy.strategy_id, strategy.etag),
        sizing=sizing(),
    )


@ask(f"{SERVICE}/StartStrategy", TRADER, "fresh")
async def _start_strategy(stage: Stage, number: int) -> pb.StartStrategyRequest:
    strategy = await stage.fresh.take()
    return pb.StartStrategyRequest(
        strategy_id=strategy.strategy_id,
        request_id=stage.name(number),
        is_cold_start_allowed=True,
    )


@ask(f"{SERVICE}/PauseStrategy", TRADER, "started")
def _pause_strategy(stage: Stage, number: int) -> pb.PauseStrategyRequest:
    return pb.PauseStrategyRequest(strategy_id=_id(stage, number), request_id=stage.name(number))


@ask(f"{SERVICE}/StopStrategy", TRADER, "fresh")
async def _stop_strategy(stage: Stage, number: int) -> pb.StopStrategyRequest:
    strategy = await stage.fresh.take()
    return pb.StopStrategyRequest(strategy_id=strategy.strategy_id, request_id=stage.name(number))


@ask(f"{SERVICE}/GetStrategy", TRADER, "strategies")
def _get_strategy(stage: Stage, number: int) -> pb.GetStrategyRequest:
    return pb.GetStrategyRequest(strategy_id=_id(stage, number))


@ask(f"{SERVICE}/ListStrategies", TRADER, "strategies")
def _list_strategies(stage: Stage, number: int) -> pb.ListStrategiesRequest:
    return pb.ListStrategiesRequest(page_size=100)


@ask(f"{SERVICE}/EvaluateCandle", TRADER, "accounts")
def _evaluate_candle(stage: Stage, number: int) -> pb.EvaluateCandleRequest:
    first_ns = stage.long_ago_ns(0)
    config = pb.StrategyConfig(
        kind=pb.STRATEGY_KIND_EMA_CROSS,
        account=stage.account(number),
        timeframe=market_pb2.TIMEFRAME_MINUTE_1,
        parameters=ema_cross(),
        sizing=sizing(),
    )
    candles = [
        flat_candle(stage.instrument(number), first_ns + place * MINUTE_NS)
        for place in range(CANDLES)
    ]
    return pb.EvaluateCandleRequest(config=config, candles=candles)


@ask(f"{SERVICE}/ListSignals", TRADER)
def _list_signals(stage: Stage, number: int) -> pb.ListSignalsRequest:
    return pb.ListSignalsRequest(page_size=100)


@ask(f"{SERVICE}/WatchSignals", TRADER, "strategies")
def _watch_signals(stage: Stage, number: int) -> pb.WatchSignalsRequest:
    return pb.WatchSignalsRequest(strategy_ids=[_id(stage, number)])


@ask(f"{SERVICE}/ReportOrderEvents", ORDERS, "trades")
def _report_order_events(stage: Stage, number: int) -> pb.ReportOrderEventsRequest:
    return pb.ReportOrderEventsRequest(events=stage.events[-EVENTS_MAX:])
