"""One watch: candles as they come, turned into points, from a fixed anchor on."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from google.protobuf.timestamp_pb2 import Timestamp
from trading.indicators.v1 import indicators_pb2 as pb
from trading.marketdata.v1 import marketdata_pb2
from trading.types.v1 import market_pb2

from runtime.rpc import Call
from runtime.times import to_ns, to_timestamp
from services.indicators.history import History, Span
from services.indicators.running import Running
from services.indicators.series import Indicator
from services.indicators.states import LineId, States
from services.indicators.wire import Reading, bar_of, point_message

LAST_COUNT = 7_000
BEFORE_ALL_NS = -1


@dataclass(slots=True)
class Line:
    """One watched instrument: where its kernels start, and how far it has come."""

    id: LineId
    from_ns: int | None  # None: at the first candle of a series that has no history.
    anchor_ns: int = BEFORE_ALL_NS
    last_ns: int = BEFORE_ALL_NS
    is_after_gap: bool = False

    @property
    def instrument(self) -> str:
        """The instrument's name."""
        return self.id[1]


class Watching:
    """The points of one subscription. Call `begin` for each instrument, then `take` each item."""

    def __init__(
        self,
        number: int,
        request: pb.WatchIndicatorsRequest,
        indicators: Sequence[Indicator],
        history: History,
        states: States,
    ) -> None:
        self._number = number
        self._request = request
        self._indicators = indicators
        self._history = history
        self._states = states
        self._lines: dict[str, Line] = {}
        self.sequence = 0  # How far the stream of candles has been read.

    def end(self) -> None:
        """Let go of the states."""
        for line in self._lines.values():
            self._states.drop(line.id)

    async def begin(self, instrument: str, call: Call) -> list[pb.WatchIndicatorsResponse]:
        """Run through the stored candles; return the points that the subscriber lacks."""
        request = self._request
        is_from = request.HasField("from_time")
        span = Span(
            from_time=request.from_time if is_from else None,
            last_count=0 if is_from else request.last_count or LAST_COUNT,
        )
        candles = await self._stored(instrument, span, call)
        from_ns = to_ns(request.from_time) if is_from else None
        if candles and not is_from:
            from_ns = to_ns(candles[0].open_time)
        line = self._lines[instrument] = Line((self._number, instrument), from_ns)
        after_ns = to_ns(request.after_time) if request.HasField("after_time") else None
        states = self._fresh()
        points = []
        for candle in candles:
            readings = self._step(line, states, candle)
            if after_ns is not None and line.last_ns > after_ns:
                points.append(self._response(line, candle.open_time, readings))
        self._states.put(line.id, states)
        return points

    async def take(
        self, item: marketdata_pb2.WatchCandlesResponse, call: Call
    ) -> pb.WatchIndicatorsResponse | None:
        """Return the point of a candle that has come; None for what makes no point."""
        self.sequence = item.sequence
        if item.is_heartbeat:
            return self.heartbeat()
        if item.HasField("gap"):
            self._lines[item.gap.instrument].is_after_gap = True
            return None
        candle = item.candle
        line = self._lines[candle.instrument]
        open_ns = to_ns(candle.open_time)
        if candle.revision or (open_ns <= line.last_ns and not item.is_backfill):
            return None  # A correction changes nothing; the rest was in the history already.
        if item.is_backfill:
            self._states.drop(line.id)  # The past has changed: read it again when it matters.
            return None
        if line.from_ns is None:
            line.from_ns = open_ns
        return await self._point(line, candle, call)

    def heartbeat(self) -> pb.WatchIndicatorsResponse:
        """Return a sign of life."""
        return pb.WatchIndicatorsResponse(sequence=self.sequence, is_heartbeat=True)

    async def _point(
        self, line: Line, candle: market_pb2.Candle, call: Call
    ) -> pb.WatchIndicatorsResponse:
        states = self._states.get(line.id)
        if states is None:
            states = await self._rebuilt(line, candle.open_time, call)
            self._states.put(line.id, states)
        if candle.is_confirmed:
            readings = self._step(line, states, candle)
        else:
            bar = bar_of(candle)
            readings = [(s.indicator, s.bar_count + 1, s.peek(bar)) for s in states]
        response = self._response(line, candle.open_time, readings)
        response.is_forming = not candle.is_confirmed
        if candle.is_confirmed:
            line.is_after_gap = False
        return response

    async def _rebuilt(self, line: Line, to_time: Timestamp, call: Call) -> list[Running]:
        """Return the states before `to_time`, from stored candles alone."""
        states = self._fresh()
        line.anchor_ns = line.last_ns = BEFORE_ALL_NS
        assert line.from_ns is not None
        span = Span(from_time=to_timestamp(line.from_ns), to_time=to_time)
        for candle in await self._stored(line.instrument, span, call):
            self._step(line, states, candle)
        return states

    def _fresh(self) -> list[Running]:
        return [Running(indicator) for indicator in self._indicators]

    def _step(
        self, line: Line, states: Iterable[Running], candle: market_pb2.Candle
    ) -> list[Reading]:
        bar = bar_of(candle)
        line.last_ns = to_ns(candle.open_time)
        if line.anchor_ns == BEFORE_ALL_NS:
            line.anchor_ns = line.last_ns
        for state in states:
            if state.indicator.is_satisfied_by(bar):
                state.step(bar)
            else:
                state.skip()
        return [(state.indicator, state.bar_count, state.row) for state in states]

    def _response(
        self, line: Line, open_time: Timestamp, readings: Iterable[Reading]
    ) -> pb.WatchIndicatorsResponse:
        anchor_ns = to_ns(open_time) if line.anchor_ns == BEFORE_ALL_NS else line.anchor_ns
        return pb.WatchIndicatorsResponse(
            point=point_message(open_time, readings, is_after_gap=line.is_after_gap),
            instrument=line.instrument,
            sequence=self.sequence,
            anchor_time=to_timestamp(anchor_ns),
        )

    async def _stored(self, instrument: str, span: Span, call: Call) -> list[market_pb2.Candle]:
        return await self._history.candles(instrument, self._request.timeframe, span, call)
