"""The indicator service: numbers from candles, given or stored or still to come."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from itertools import chain, count

from trading.indicators.v1 import indicators_pb2 as pb
from trading.indicators.v1.indicators_port import IndicatorService
from trading.marketdata.v1 import marketdata_pb2
from trading.marketdata.v1.marketdata_port import MarketDataService
from trading.types.v1 import market_pb2

from runtime.environment import Environment
from runtime.paging import place_of, size_of, token_of
from runtime.rpc import Call
from runtime.times import to_ns
from services.indicators.history import History, Span
from services.indicators.refusals import refusals_as_status
from services.indicators.running import compute_all
from services.indicators.series import Indicator, IndicatorRefused, check_needs
from services.indicators.states import STATES_MAX, States
from services.indicators.watching import Watching
from services.indicators.wire import (
    bar_of,
    definition_messages,
    indicators_of,
    kind_name,
    series_message,
)

POINTS_MAX = 2_000_000


class Indicators(IndicatorService):
    """Computes indicators by one kernel each; keeps nothing that candles cannot give again."""

    def __init__(
        self, environment: Environment, market: MarketDataService, *, states_max: int = STATES_MAX
    ) -> None:
        self._environment = environment
        self._market = market
        self._history = History(market)
        self._states = States(states_max)
        self._numbers = count(1)

    async def start(self) -> None:
        """Be ready: there is nothing to catch up with."""

    async def stop(self) -> None:
        """End: there is nothing to keep."""
        await self._environment.tasks.stop()

    async def list_indicators(
        self, request: pb.ListIndicatorsRequest, call: Call = Call()
    ) -> pb.ListIndicatorsResponse:
        """Answer the kinds that are built."""
        known = definition_messages()
        with refusals_as_status():
            first = int(place_of(request, request.page_token) or 0)
        end = first + size_of(request.page_size)
        token = token_of(request, str(end)) if end < len(known) else ""
        return pb.ListIndicatorsResponse(indicators=known[first:end], next_page_token=token)

    async def compute_indicators(
        self, request: pb.ComputeIndicatorsRequest, call: Call = Call()
    ) -> pb.ComputeIndicatorsResponse:
        """Answer the series of each output."""
        with refusals_as_status():
            indicators = indicators_of(request.specs)
            candles = await self._candles(request, indicators, call)
            kinds = {candle.kind for candle in candles}  # The higher, the less it carries.
            check_needs(indicators, kind_name(min(kinds)))
            bars = [bar_of(candle) for candle in candles]
            series = compute_all(indicators, bars)
        last_only = request.is_last_only
        return pb.ComputeIndicatorsResponse(
            series=[series_message(one, candles, is_last_only=last_only) for one in series],
            anchor_time=candles[0].open_time,
            candle_kind=max(kinds),
            candle_count=len(candles),
            last_time=candles[-1].open_time,
        )

    async def watch_indicators(
        self, request: pb.WatchIndicatorsRequest, call: Call = Call()
    ) -> AsyncGenerator[pb.WatchIndicatorsResponse, None]:
        """Yield a point for each candle."""
        with refusals_as_status():
            indicators = indicators_of(request.specs)
        watching = Watching(next(self._numbers), request, indicators, self._history, self._states)
        watching.sequence = await self._newest_sequence(call)
        try:
            async with aclosing(self._points(watching, request, call)) as points:
                async for point in points:
                    yield point
        finally:
            watching.end()

    async def _points(
        self, watching: Watching, request: pb.WatchIndicatorsRequest, call: Call
    ) -> AsyncGenerator[pb.WatchIndicatorsResponse, None]:
        lacking = [await watching.begin(name, call) for name in request.instruments]
        yield watching.heartbeat()  # From here on nothing is missed.
        for point in chain.from_iterable(lacking):
            yield point
        # What has come since the sequence was asked for is shown again, and known by its time.
        async with aclosing(self._watch_candles(request, watching.sequence, call)) as items:
            await anext(items, None)  # Says how far the market is, not how far we have read.
            async for item in items:
                response = await watching.take(item, call)
                if response is not None:
                    yield response

    async def _candles(
        self, request: pb.ComputeIndicatorsRequest, indicators: Sequence[Indicator], call: Call
    ) -> Sequence[market_pb2.Candle]:
        width = sum(len(indicator.names) for indicator in indicators)
        if request.HasField("candles"):
            candles: Sequence[market_pb2.Candle] = request.candles.candles
            _check_size(len(candles) * width)
            _check_given(request, candles)
            return candles
        candles = await self._history.candles(
            request.instrument,
            request.timeframe,
            _span_of(request),
            call,
            lambda candle_count: _check_size(candle_count * width),
        )
        if not candles:
            raise IndicatorRefused(
                "NO_CANDLES", f"{request.instrument} has no stored candle in the span asked for"
            )
        return candles

    async def _newest_sequence(self, call: Call) -> int:
        """Return how far the stream of candles is; its first message says so."""
        everything = marketdata_pb2.WatchCandlesRequest()
        async with aclosing(self._market.watch_candles(everything, call)) as items:
            return (await anext(items)).sequence

    def _watch_candles(
        self, request: pb.WatchIndicatorsRequest, after_sequence: int, call: Call
    ) -> AsyncGenerator[marketdata_pb2.WatchCandlesResponse, None]:
        return self._market.watch_candles(
            marketdata_pb2.WatchCandlesRequest(
                instruments=request.instruments,
                timeframes=[request.timeframe],
                is_confirmed_only=not request.is_forming_included,
                after_sequence=after_sequence,
            ),
            call,
        )


def _span_of(request: pb.ComputeIndicatorsRequest) -> Span:
    if not request.HasField("range"):
        return Span(last_count=request.last_count)
    span = request.range
    return Span(span.from_time, span.to_time if span.HasField("to_time") else None)


def _check_size(points: int) -> None:
    if points > POINTS_MAX:
        raise IndicatorRefused(
            "TOO_MANY_POINTS",
            f"{points} values were asked for, must be at most {POINTS_MAX}: "
            "ask for a shorter span or fewer indicators",
        )


def _check_given(
    request: pb.ComputeIndicatorsRequest, candles: Sequence[market_pb2.Candle]
) -> None:
    """Refuse candles that are not one series in order, confirmed up to the last."""
    instrument, timeframe = request.instrument, request.timeframe
    last_ns = -1
    for index, candle in enumerate(candles):
        if candle.instrument != instrument or candle.timeframe != timeframe:
            raise _refused(
                "CANDLE_FOREIGN",
                index,
                f"is of {candle.instrument}, must be of {instrument} and of its timeframe",
            )
        if not candle.is_confirmed and index < len(candles) - 1:
            raise _refused(
                "CANDLE_UNCONFIRMED", index, "is still forming, only the last candle may be"
            )
        open_ns = to_ns(candle.open_time)
        if open_ns <= last_ns:
            raise _refused(
                "CANDLES_UNSORTED",
                index,
                "does not open after the one before it: sort them by time, without twins",
            )
        last_ns = open_ns


def _refused(reason: str, index: int, what: str) -> IndicatorRefused:
    field = f"candles.candles[{index}]"
    return IndicatorRefused(reason, f"{field} {what}", field=field)
