"""Small peers for the tests of this service: a market, and indicators over what it shows."""

from collections.abc import AsyncGenerator, Sequence
from itertools import pairwise

from google.type.decimal_pb2 import Decimal
from grpc import StatusCode
from trading.indicators.v1 import indicators_pb2
from trading.indicators.v1.indicators_port import IndicatorService
from trading.marketdata.v1 import marketdata_pb2 as pb
from trading.marketdata.v1.marketdata_port import MarketDataService
from trading.types.v1 import indicator_pb2, instrument_pb2, market_pb2

from runtime.errors import ServiceError, refusal
from runtime.rpc import Call
from runtime.times import NS_PER_S, to_ns, to_timestamp
from runtime.watch import Feed

ALPHA, BETA, INDEX = "ALPHA.XSIM", "BETA.XSIM", "INDEX.XSIM"
MINUTE_1 = market_pb2.TIMEFRAME_MINUTE_1
MINUTE_NS = 60 * NS_PER_S
START_NS = 1_000_000 * MINUTE_NS


def candle(
    minute: int,
    close: float,
    *,
    instrument: str = ALPHA,
    spread: float | None = 0.1,
    open_: float | None = None,
) -> market_pb2.Candle:
    """Return the candle of a minute, `spread` around open and close; None: closes alone."""
    made = market_pb2.Candle(
        instrument=instrument,
        timeframe=MINUTE_1,
        kind=market_pb2.CANDLE_KIND_CLOSE_ONLY,
        open_time=to_timestamp(START_NS + minute * MINUTE_NS),
        close_time=to_timestamp(START_NS + (minute + 1) * MINUTE_NS),
        close=decimal(close),
        is_confirmed=True,
    )
    if spread is not None:
        first = close if open_ is None else open_
        made.kind = market_pb2.CANDLE_KIND_OHLC
        made.open.CopyFrom(decimal(first))
        made.high.CopyFrom(decimal(max(first, close) + spread))
        made.low.CopyFrom(decimal(min(first, close) - spread))
    return made


def decimal(value: float) -> Decimal:
    """Return a price with at most two decimals."""
    return Decimal(value=f"{value:.2f}".rstrip("0").rstrip("."))


class FakeMarket(MarketDataService):
    """Shows what it is given, and knows three instruments."""

    def __init__(self) -> None:
        self.items: list[pb.WatchCandlesResponse] = []
        self.feed: Feed[pb.WatchCandlesResponse] = Feed("marketdata")

    def publish(self, one: market_pb2.Candle, *, is_backfill: bool = False) -> None:
        """Store a candle and show it."""
        sequence = len(self.items) + 1
        item = pb.WatchCandlesResponse(candle=one, is_backfill=is_backfill, sequence=sequence)
        self.items.append(item)
        self.feed.publish(sequence, item)

    def stored(self, instrument: str, from_ns: int, to_ns_: int) -> list[market_pb2.Candle]:
        """Return the first revisions of a span, oldest first."""
        found = {
            to_ns(item.candle.open_time): item.candle
            for item in self.items
            if item.candle.instrument == instrument and not item.candle.revision
        }
        return [found[ns] for ns in sorted(found) if from_ns <= ns < to_ns_]

    async def watch_candles(
        self, request: pb.WatchCandlesRequest, call: Call = Call()
    ) -> AsyncGenerator[pb.WatchCandlesResponse, None]:
        """Show everything after a sequence."""
        async for delivery in self.feed.watch(request.after_sequence, self._load):
            if delivery.item is None:
                yield pb.WatchCandlesResponse(sequence=delivery.sequence, is_heartbeat=True)
            else:
                yield delivery.item

    async def list_instruments(
        self, request: pb.ListInstrumentsRequest, call: Call = Call()
    ) -> pb.ListInstrumentsResponse:
        """Answer the instruments; an index cannot be traded."""
        return pb.ListInstrumentsResponse(
            instruments=[
                instrument_pb2.InstrumentSpec(
                    instrument=name,
                    currency="USD",
                    tick_size=Decimal(value="0.01"),
                    lot_size=Decimal(value="1"),
                    is_tradable=name != INDEX,
                )
                for name in (ALPHA, BETA, INDEX)
            ]
        )

    async def _load(self, after: int, limit: int) -> Sequence[tuple[int, pb.WatchCandlesResponse]]:
        return [(item.sequence, item) for item in self.items[after : after + limit]]


class FakeIndicators(IndicatorService):
    """Averages and moves by their textbook definitions, computed anew for each candle."""

    def __init__(self, market: FakeMarket) -> None:
        self.is_stream_down = False
        self.is_batch_down = False
        self.is_broken = False
        self.requests = 0
        self.points_sent = 0
        self._market = market

    async def compute_indicators(
        self, request: indicators_pb2.ComputeIndicatorsRequest, call: Call = Call()
    ) -> indicators_pb2.ComputeIndicatorsResponse:
        """Answer series over given or stored candles."""
        self.requests += 1
        if self.is_broken:
            raise refusal(StatusCode.INVALID_ARGUMENT, "BROKEN", "no", service="indicators")
        if self.is_batch_down:
            raise ServiceError(StatusCode.UNAVAILABLE, "indicators are down")
        candles = self._candles(request)
        if not candles:
            raise refusal(StatusCode.NOT_FOUND, "NO_CANDLES", "none", service="indicators")
        _check_kind(request.specs, candles)
        answer = indicators_pb2.ComputeIndicatorsResponse(
            anchor_time=candles[0].open_time,
            candle_kind=max(one.kind for one in candles),
            candle_count=len(candles),
            last_time=candles[-1].open_time,
        )
        for spec in request.specs:
            values = values_of(spec, candles)
            first = len(candles) - len(values)
            if request.is_last_only and values:
                values, first = values[-1:], len(candles) - 1
            answer.series.add(name=spec.name, values=values, first_index=first if values else -1)
        return answer

    async def watch_indicators(
        self, request: indicators_pb2.WatchIndicatorsRequest, call: Call = Call()
    ) -> AsyncGenerator[indicators_pb2.WatchIndicatorsResponse, None]:
        """Show a point for each candle after a time."""
        if self.is_stream_down:
            raise ServiceError(StatusCode.UNAVAILABLE, "indicators are down")
        yield indicators_pb2.WatchIndicatorsResponse(is_heartbeat=True)
        after_ns = to_ns(request.after_time)
        candles = marketdata_candles(self._market)
        async for item in self._market.watch_candles(candles):
            one = item.candle
            is_wanted = one.instrument in request.instruments and not one.revision
            if is_wanted and to_ns(one.open_time) > after_ns and not item.is_backfill:
                if self.is_stream_down:
                    raise ServiceError(StatusCode.UNAVAILABLE, "indicators are down")
                self.points_sent += 1
                yield self._point(request, one)

    def _candles(
        self, request: indicators_pb2.ComputeIndicatorsRequest
    ) -> Sequence[market_pb2.Candle]:
        if request.HasField("candles"):
            return request.candles.candles
        span = request.range
        end_ns = to_ns(span.to_time) if span.HasField("to_time") else 1 << 62
        found = self._market.stored(request.instrument, to_ns(span.from_time), end_ns)
        return found[-request.last_count :]

    def _point(
        self, request: indicators_pb2.WatchIndicatorsRequest, one: market_pb2.Candle
    ) -> indicators_pb2.WatchIndicatorsResponse:
        end_ns = to_ns(one.open_time) + 1
        candles = self._market.stored(one.instrument, to_ns(request.from_time), end_ns)
        point = indicator_pb2.IndicatorPoint(open_time=one.open_time, is_warm=True)
        for spec in request.specs:
            values = values_of(spec, candles)
            if values:
                point.values[spec.name] = values[-1]
            else:
                point.is_warm = False
                point.missing.append(spec.name)
        return indicators_pb2.WatchIndicatorsResponse(point=point, instrument=one.instrument)


def marketdata_candles(market: FakeMarket) -> pb.WatchCandlesRequest:
    """Return the request for everything that `market` has."""
    return pb.WatchCandlesRequest()


def values_of(
    spec: indicator_pb2.IndicatorSpec, candles: Sequence[market_pb2.Candle]
) -> list[float]:
    """Return the values of one indicator from its first warm candle on."""
    period = int(spec.parameters["n"])
    closes = [float(one.close.value) for one in candles]
    if spec.kind == indicator_pb2.INDICATOR_KIND_EMA:
        return _smoothed(closes, period, 2 / (period + 1))
    if spec.kind == indicator_pb2.INDICATOR_KIND_ABS_MOVE:
        moves = [abs(b - a) for a, b in pairwise(closes)]
    else:
        moves = [
            max(float(one.high.value), before) - min(float(one.low.value), before)
            for before, one in zip(closes, candles[1:], strict=False)
        ]
    return _smoothed(moves, period, 1 / period)


def _smoothed(numbers: Sequence[float], period: int, weight: float) -> list[float]:
    if len(numbers) < period:
        return []
    values = [sum(numbers[:period]) / period]
    for number in numbers[period:]:
        values.append(values[-1] + weight * (number - values[-1]))
    return values


def _check_kind(
    specs: Sequence[indicator_pb2.IndicatorSpec], candles: Sequence[market_pb2.Candle]
) -> None:
    needs_range = any(spec.kind == indicator_pb2.INDICATOR_KIND_ATR for spec in specs)
    if needs_range and any(one.kind == market_pb2.CANDLE_KIND_CLOSE_ONLY for one in candles):
        raise refusal(
            StatusCode.FAILED_PRECONDITION,
            "CANDLE_KIND_INSUFFICIENT",
            "ATR needs a range",
            service="indicators",
        )
