"""Messages of the market data service. PublishTicks is the profile TICKS."""

from trading.marketdata.v1 import marketdata_pb2 as pb
from trading.types.v1 import market_pb2

from loadtests.traffic.callers import FEED, OPERATOR, ORDERS, TRADER
from loadtests.traffic.market import MINUTE_NS, flat_candle
from loadtests.traffic.messages.asking import ask
from loadtests.traffic.messages.stage import Stage, replay
from runtime.clock import SystemClock
from runtime.times import to_timestamp

SERVICE = "MarketDataService"


@ask(f"{SERVICE}/PublishCandles", FEED)
def _publish_candles(stage: Stage, number: int) -> pb.PublishCandlesRequest:
    """Publish a candle of long ago: nobody shall act on it. CHAIN publishes those of now."""
    close_ns = stage.long_ago_ns(number) + MINUTE_NS
    candle = flat_candle("JP03.XSIM", close_ns)
    return pb.PublishCandlesRequest(
        request_id=stage.name(number), candles=[candle], is_backfill=True
    )


@ask(f"{SERVICE}/WatchCandles", TRADER)
def _watch_candles(stage: Stage, number: int) -> pb.WatchCandlesRequest:
    return pb.WatchCandlesRequest(instruments=[stage.instrument(number)])


@ask(f"{SERVICE}/WatchTicks", ORDERS)
def _watch_ticks(stage: Stage, number: int) -> pb.WatchTicksRequest:
    return pb.WatchTicksRequest(instruments=[stage.instrument(number)], is_from_now=True)


@ask(f"{SERVICE}/ListCandles", TRADER, "market")
def _list_candles(stage: Stage, number: int) -> pb.ListCandlesRequest:
    return pb.ListCandlesRequest(
        instrument=stage.instrument(number),
        timeframe=market_pb2.TIMEFRAME_MINUTE_1,
        last_count=100,
        page_size=100,
    )


@ask(f"{SERVICE}/GetQuote", TRADER, "market")
def _get_quote(stage: Stage, number: int) -> pb.GetQuoteRequest:
    return pb.GetQuoteRequest(instrument=stage.instrument(number))


@ask(f"{SERVICE}/ListInstruments", TRADER)
def _list_instruments(stage: Stage, number: int) -> pb.ListInstrumentsRequest:
    return pb.ListInstrumentsRequest(venue="XSIM", page_size=100)


@ask(f"{SERVICE}/ListSessions", TRADER)
def _list_sessions(stage: Stage, number: int) -> pb.ListSessionsRequest:
    now = to_timestamp(SystemClock().now_ns())
    return pb.ListSessionsRequest(calendar="XNYS", from_time=now, page_size=10)


@ask(f"{SERVICE}/ListDatasets", TRADER)
def _list_datasets(stage: Stage, number: int) -> pb.ListDatasetsRequest:
    return pb.ListDatasetsRequest(page_size=100)


@ask(f"{SERVICE}/StartReplay", OPERATOR)
def _start_replay(stage: Stage, number: int) -> pb.StartReplayRequest:
    return replay(stage, number)


@ask(f"{SERVICE}/StopReplay", OPERATOR, "replay_id")
def _stop_replay(stage: Stage, number: int) -> pb.StopReplayRequest:
    """Stop one that is over, which changes nothing, as often as one likes."""
    return pb.StopReplayRequest(replay_id=stage.replay_id, request_id=stage.name(number))


@ask(f"{SERVICE}/GetReplay", OPERATOR, "replay_id")
def _get_replay(stage: Stage, number: int) -> pb.GetReplayRequest:
    return pb.GetReplayRequest(replay_id=stage.replay_id)
