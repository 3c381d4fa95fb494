"""What the tests of this service run against: a small market, and the service over it."""

import random
from collections.abc import AsyncGenerator, Iterable, Sequence

from google.type.decimal_pb2 import Decimal
from trading.indicators.v1.indicators_port import IndicatorService
from trading.marketdata.v1 import marketdata_pb2 as pb
from trading.marketdata.v1.marketdata_port import MarketDataService
from trading.types.v1 import market_pb2

from runtime.clock import ReplayClock
from runtime.environment import Environment
from runtime.hosting import Tasks
from runtime.ids import Ids
from runtime.local import LocalTransport
from runtime.naming import identity_of
from runtime.progress import Progress
from runtime.rpc import Call, connect
from runtime.stores import Database, Streams
from runtime.stores.simulated_redis import SimulatedRedis, SimulatedServer
from runtime.times import NS_PER_S, to_ns, to_timestamp
from runtime.watch import Feed
from services.indicators.series import Bar
from services.indicators.service import Indicators

ALPHA = "ALPHA.XSIM"
MINUTE_1 = market_pb2.TIMEFRAME_MINUTE_1
MINUTE_NS = 60 * NS_PER_S


def candle(
    bar: Bar, minute: int, *, instrument: str = ALPHA, is_confirmed: bool = True
) -> market_pb2.Candle:
    """Return the candle of a minute; a bar without high is CLOSE_ONLY, without volume OHLC."""
    opened, high, low, close, volume = bar
    made = market_pb2.Candle(
        instrument=instrument,
        timeframe=MINUTE_1,
        kind=market_pb2.CANDLE_KIND_CLOSE_ONLY,
        open_time=to_timestamp(minute * MINUTE_NS),
        close_time=to_timestamp((minute + 1) * MINUTE_NS),
        close=_decimal(close),
        is_confirmed=is_confirmed,
    )
    if high == high:
        made.kind = market_pb2.CANDLE_KIND_OHLC
        made.open.CopyFrom(_decimal(opened))
        made.high.CopyFrom(_decimal(high))
        made.low.CopyFrom(_decimal(low))
    if volume == volume:
        made.kind = market_pb2.CANDLE_KIND_OHLCV
        made.volume.CopyFrom(_decimal(volume))
    return made


def candles(bars: Sequence[Bar], first_minute: int = 0) -> list[market_pb2.Candle]:
    """Return the candles of consecutive minutes."""
    return [candle(bar, first_minute + index) for index, bar in enumerate(bars)]


class FakeMarket(MarketDataService):
    """Keeps what is published in a list, and shows it."""

    def __init__(self, stored: Iterable[market_pb2.Candle] = ()) -> None:
        self.items: list[pb.WatchCandlesResponse] = []
        self.feed: Feed[pb.WatchCandlesResponse] = Feed("marketdata")
        self.is_down = False
        for one in stored:
            self.publish(one)

    def publish(self, one: market_pb2.Candle, *, is_backfill: bool = False) -> None:
        """Store a candle and show it."""
        self._show(pb.WatchCandlesResponse(candle=one, is_backfill=is_backfill))

    def announce_gap(self, instrument: str = ALPHA) -> None:
        """Tell watchers that candles are missing."""
        gap = pb.CandleGap(instrument=instrument, timeframe=MINUTE_1)
        self._show(pb.WatchCandlesResponse(gap=gap))

    async def list_candles(
        self, request: pb.ListCandlesRequest, call: Call = Call()
    ) -> pb.ListCandlesResponse:
        """Answer stored candles, first revisions alone."""
        found = {
            to_ns(item.candle.open_time): item.candle
            for item in self.items
            if item.HasField("candle")
            and item.candle.instrument == request.instrument
            and item.candle.is_confirmed
            and not item.candle.revision
        }
        to_exclusive = to_ns(request.to_time) if request.HasField("to_time") else 1 << 62
        times = [ns for ns in sorted(found) if to_ns(request.from_time) <= ns < to_exclusive]
        times = times[-request.last_count :]
        first = int(request.page_token or 0)
        end = first + request.page_size
        token = str(end) if end < len(times) else ""
        page = [found[ns] for ns in times[first:end]]
        return pb.ListCandlesResponse(candles=page, next_page_token=token)

    async def watch_candles(
        self, request: pb.WatchCandlesRequest, call: Call = Call()
    ) -> AsyncGenerator[pb.WatchCandlesResponse, None]:
        """Show everything after a sequence."""
        async for delivery in self.feed.watch(request.after_sequence, self._load):
            item = delivery.item
            if item is None:
                yield pb.WatchCandlesResponse(sequence=delivery.sequence, is_heartbeat=True)
            elif _is_wanted(item, request):
                yield item

    async def _load(self, after: int, limit: int) -> Sequence[tuple[int, pb.WatchCandlesResponse]]:
        return [(item.sequence, item) for item in self.items[after : after + limit]]

    def _show(self, item: pb.WatchCandlesResponse) -> None:
        item.sequence = len(self.items) + 1
        self.items.append(item)
        self.feed.publish(item.sequence, item)


def _is_wanted(item: pb.WatchCandlesResponse, request: pb.WatchCandlesRequest) -> bool:
    part = item.candle if item.HasField("candle") else item.gap
    if request.instruments and part.instrument not in request.instruments:
        return False
    return not (
        request.is_confirmed_only and item.HasField("candle") and not item.candle.is_confirmed
    )


def _decimal(value: float) -> Decimal:
    text = f"{value:.9f}".rstrip("0").rstrip(".")
    return Decimal(value=text)


def serve(market: MarketDataService, *, states_max: int = 10_000) -> IndicatorService:
    """Return a client of the service under test, fed by `market`."""
    client = connect(MarketDataService, LocalTransport([market]))
    service = Indicators(environment(), client, states_max=states_max)
    return connect(IndicatorService, LocalTransport([service]))


def environment() -> Environment:
    """Return what the service finds around it."""
    rng = random.Random(1)
    return Environment(
        service="indicators",
        clock=ReplayClock(0),
        rng=rng,
        ids=Ids(rng),
        database=Database.inline_memory(),
        streams=Streams(SimulatedRedis(SimulatedServer()), identity_of("indicators")),
        progress=Progress(),
        tasks=Tasks("indicators"),
    )
