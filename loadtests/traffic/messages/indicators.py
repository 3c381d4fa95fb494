"""Messages of the indicator service."""

from trading.indicators.v1 import indicators_pb2 as pb
from trading.types.v1 import indicator_pb2, market_pb2

from loadtests.traffic.callers import TRADER
from loadtests.traffic.market import MINUTE_NS, flat_candle
from loadtests.traffic.messages.asking import ask
from loadtests.traffic.messages.stage import Stage

SERVICE = "IndicatorService"
CANDLES = 40
SPECS = [
    indicator_pb2.IndicatorSpec(kind=indicator_pb2.INDICATOR_KIND_EMA, parameters={"n": 5}),
    indicator_pb2.IndicatorSpec(kind=indicator_pb2.INDICATOR_KIND_ATR),
]


@ask(f"{SERVICE}/ListIndicators", TRADER)
def _list_indicators(stage: Stage, number: int) -> pb.ListIndicatorsRequest:
    return pb.ListIndicatorsRequest()


@ask(f"{SERVICE}/ComputeIndicators", TRADER)
def _compute_indicators(stage: Stage, number: int) -> pb.ComputeIndicatorsRequest:
    name, first_ns = stage.instrument(number), stage.long_ago_ns(0)
    candles = [flat_candle(name, first_ns + place * MINUTE_NS) for place in range(CANDLES)]
    return pb.ComputeIndicatorsRequest(
        instrument=name,
        timeframe=market_pb2.TIMEFRAME_MINUTE_1,
        specs=SPECS,
        candles=pb.InlineCandles(candles=candles),
        is_last_only=True,
    )


@ask(f"{SERVICE}/WatchIndicators", TRADER, "market")
def _watch_indicators(stage: Stage, number: int) -> pb.WatchIndicatorsRequest:
    return pb.WatchIndicatorsRequest(
        instruments=[stage.instrument(number)],
        timeframe=market_pb2.TIMEFRAME_MINUTE_1,
        specs=SPECS,
    )
