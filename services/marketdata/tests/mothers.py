"""Valid-by-default market data for tests: break one thing in it."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from google.type.decimal_pb2 import Decimal as DecimalMessage
from trading.marketdata.v1 import marketdata_pb2 as pb
from trading.marketdata.v1.marketdata_port import MarketDataService
from trading.types.v1 import market_pb2

from runtime.clock import ReplayClock
from runtime.environment import Environment
from runtime.hosting import Tasks
from runtime.ids import Ids, derived_rng
from runtime.local import LocalTransport
from runtime.naming import identity_of
from runtime.progress import Progress
from runtime.rpc import connect
from runtime.stores import Database, Streams
from runtime.stores.simulated_redis import SimulatedRedis, SimulatedServer
from runtime.times import NS_PER_S, to_timestamp
from services.marketdata.candles import Adjustment, Candle, CandleKind, Source
from services.marketdata.messages import write_candle
from services.marketdata.replay import Pacer
from services.marketdata.service import MarketData
from services.marketdata.timeframes import NS_PER_MINUTE, Timeframe

SQUARE = "SQ00.XSIM"
NOON_NS = 1_704_196_800 * NS_PER_S  # 2024-01-02 12:00 UTC, a Tuesday.


def a_candle(minute: int = 0, **changes: Any) -> Candle:
    """Return a valid one-minute candle of SQ00.XSIM, `minute` minutes after noon."""
    open_ns = NOON_NS + minute * NS_PER_MINUTE
    candle = Candle(
        instrument=SQUARE,
        timeframe=Timeframe.MINUTE_1,
        kind=CandleKind.OHLCV,
        open_ns=open_ns,
        close_ns=open_ns + NS_PER_MINUTE,
        open=Decimal("100.25"),
        high=Decimal("101.5"),
        low=Decimal("99"),
        close=Decimal("100.5"),
        volume=Decimal(1000),
        source=Source("test", "nobody", Adjustment.RAW),
    )
    return replace(candle, **changes)


def close_only(minute: int = 0, **changes: Any) -> Candle:
    """Return a valid candle of which only the close is known."""
    nothing = dict.fromkeys(("open", "high", "low", "volume"))
    return a_candle(minute, **{"kind": CandleKind.CLOSE_ONLY, **nothing, **changes})


def message_of(candle: Candle) -> market_pb2.Candle:
    """Return a candle as it travels."""
    message = market_pb2.Candle()
    write_candle(candle, message)
    return message


def decimal(text: str) -> DecimalMessage:
    """Return a decimal as it travels."""
    return DecimalMessage(value=text)


@dataclass
class Market:
    """A market data service in virtual time, with a client of it and its clock."""

    environment: Environment
    service: MarketData
    client: MarketDataService
    clock: ReplayClock
    publications: int = field(default=0)

    async def publish(
        self, *candles: Candle, is_backfill: bool = False
    ) -> Sequence[pb.CandleResult]:
        """Publish candles under a new request id; return what became of each."""
        self.publications += 1
        request = publication(*candles, number=self.publications, is_backfill=is_backfill)
        return (await self.client.publish_candles(request)).results

    async def restarted(self) -> "Market":
        """Stop the service and return another one on what it has committed."""
        await self.service.stop()
        database = self.environment.database.crash()
        market = await a_market(now_ns=self.clock.now_ns(), database=database, seed=2)
        market.publications = self.publications
        return market


async def a_market(
    *,
    now_ns: int = 0,
    pacer: Pacer | None = None,
    database: Database | None = None,
    seed: int = 1,
) -> Market:
    """Return a running service; its clock stands a day after noon unless given."""
    rng = derived_rng(seed, "marketdata")
    clock = ReplayClock(now_ns or NOON_NS + 24 * 60 * NS_PER_MINUTE)
    environment = Environment(
        service="marketdata",
        clock=clock,
        rng=rng,
        ids=Ids(rng),
        database=database or Database.inline_memory(),
        streams=Streams(SimulatedRedis(SimulatedServer()), identity_of("marketdata")),
        progress=Progress(),
        tasks=Tasks("marketdata"),
    )
    service = MarketData(environment, pacer)
    await service.start()
    client = connect(MarketDataService, LocalTransport([service]))
    return Market(environment, service, client, clock)


def publication(
    *candles: Candle, number: int = 1, is_backfill: bool = False
) -> pb.PublishCandlesRequest:
    """Return the request that publishes `candles`."""
    return pb.PublishCandlesRequest(
        request_id=f"publication-{number}",
        candles=[message_of(candle) for candle in candles],
        is_backfill=is_backfill,
    )


async def items(
    market: Market, count: int, request: pb.WatchCandlesRequest | None = None
) -> list[pb.WatchCandlesResponse]:
    """Return the next `count` items that a watcher sees, heartbeats left out."""
    found: list[pb.WatchCandlesResponse] = []
    watch = market.client.watch_candles(request or pb.WatchCandlesRequest())
    try:
        while len(found) < count:
            response = await anext(watch)
            if not response.is_heartbeat:
                found.append(response)
    finally:
        await watch.aclose()
    return found


def a_header(**changes: Any) -> pb.ImportHeader:
    """Return the header of an import of one-minute candles of a new instrument."""
    values: dict[str, Any] = {
        "request_id": "import-1",
        "dataset": "mine",
        "instrument": "NEW.XSIM",
        "timeframe": market_pb2.TIMEFRAME_MINUTE_1,
        "adjustment": market_pb2.ADJUSTMENT_RAW,
        "time_format": pb.TIME_FORMAT_RFC3339,
        "provider": "me",
    }
    return pb.ImportHeader(**values | changes)


def some_rows(**columns: Sequence[str]) -> pb.ImportRows:
    """Return rows of text columns, the first one in line 2 of its file."""
    count = len(next(iter(columns.values())))
    rows = pb.ImportRows(lines=range(2, 2 + count))
    for name, texts in columns.items():
        rows.columns[name].texts.extend(texts)
    return rows


async def an_import(
    header: pb.ImportHeader, *rows: pb.ImportRows
) -> AsyncIterator[pb.ImportCandlesRequest]:
    """Yield the messages of an import."""
    yield pb.ImportCandlesRequest(header=header)
    for block in rows:
        yield pb.ImportCandlesRequest(rows=block)


def a_replay(**changes: Any) -> pb.StartReplayRequest:
    """Return the replay of ten one-minute candles of two square waves, from noon."""
    values: dict[str, Any] = {
        "request_id": "replay-1",
        "dataset": "square-v1",
        "instruments": ["SQ00.XSIM", "SQ01.XSIM"],
        "from_time": to_timestamp(NOON_NS),
        "to_time": to_timestamp(NOON_NS + 10 * NS_PER_MINUTE),
        "seed": 7,
        "timeframe": market_pb2.TIMEFRAME_MINUTE_1,
    }
    return pb.StartReplayRequest(**values | changes)
