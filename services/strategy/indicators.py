"""What strategies ask of the indicator service, other than to watch."""

from collections.abc import Sequence
from dataclasses import dataclass

from grpc import StatusCode
from trading.indicators.v1 import indicators_pb2 as pb
from trading.indicators.v1.indicators_port import IndicatorService
from trading.types.v1 import indicator_pb2, market_pb2

from runtime.errors import ServiceError
from runtime.rpc import Call
from runtime.times import to_ns, to_timestamp
from services.strategy.registry import kind_of
from services.strategy.terms import Config, Point

NO_CANDLES, KIND_INSUFFICIENT = "NO_CANDLES", "CANDLE_KIND_INSUFFICIENT"
SEED_FADED = 4
"""History asked for, in multiples of warm-up: enough for the seed of an average to fade."""


@dataclass(frozen=True, slots=True)
class Past:
    """What is stored of an instrument: how many candles, since when, and whether whole candles."""

    bar_count: int = 0
    anchor_ns: int | None = None
    has_range: bool | None = None
    has_volume: bool | None = None


def specs_of(config: Config, *, has_range: bool) -> list[indicator_pb2.IndicatorSpec]:
    """Return the indicators of a configuration, named as its kind looks for them."""
    needs = kind_of(config.kind).indicators(config.parameters, has_range)
    return [
        indicator_pb2.IndicatorSpec(
            kind=indicator_pb2.IndicatorKind.Value(f"INDICATOR_KIND_{need.kind}"),
            parameters=need.parameters,
            name=need.name,
        )
        for need in needs
    ]


def point_of(message: indicator_pb2.IndicatorPoint) -> Point:
    """Return a watched point."""
    return Point(dict(message.values), message.is_warm)


class IndicatorRequests:
    """Batch requests on behalf of a configuration."""

    def __init__(self, indicators: IndicatorService) -> None:
        self._indicators = indicators

    async def past(self, config: Config, instrument: str, call: Call) -> Past:
        """Return what is stored, as far back as the indicators care."""
        kind = kind_of(config.kind)
        request = _request(config, instrument, has_range=False)  # Any candle satisfies these.
        request.last_count = kind.history or SEED_FADED * kind.warm_after(config.parameters)
        request.is_last_only = True
        try:
            answer = await self._indicators.compute_indicators(request, call)
        except ServiceError as error:
            if error.reason == NO_CANDLES:
                return Past()
            raise
        return Past(
            bar_count=answer.candle_count,
            anchor_ns=to_ns(answer.anchor_time),
            has_range=answer.candle_kind != market_pb2.CANDLE_KIND_CLOSE_ONLY,
            has_volume=answer.candle_kind == market_pb2.CANDLE_KIND_OHLCV,
        )

    async def earlier_values(
        self, config: Config, instrument: str, span: tuple[int, int], *, has_range: bool
    ) -> tuple[int, list[dict[str, float]]]:
        """Return the number of candles in a span (from, to exclusive) and their values."""
        request = _request(config, instrument, has_range=has_range)
        request.range.CopyFrom(_range(*span))
        try:
            answer = await self._indicators.compute_indicators(request)
        except ServiceError as error:
            if error.reason == NO_CANDLES:
                return 0, []
            raise
        return answer.candle_count, _by_candle(answer.series, answer.candle_count)

    async def values_over(
        self, config: Config, candles: list[market_pb2.Candle], call: Call, *, has_range: bool
    ) -> tuple[list[dict[str, float]], bool]:
        """Return the values after each of these candles, and whether all are warm at the last."""
        request = _request(config, candles[0].instrument, has_range=has_range)
        request.candles.candles.extend(candles)
        answer = await self._indicators.compute_indicators(request, call)
        is_warm = all(one.first_index >= 0 for one in answer.series)
        return _by_candle(answer.series, answer.candle_count), is_warm

    async def point(
        self, config: Config, instrument: str, span: tuple[int, int], *, has_range: bool
    ) -> Point | None:
        """Return the point of the candle that opens at the end of `span`, both ends included.

        None when that candle is not stored (yet). The bits are those of the watched point.
        """
        first_ns, open_ns = span
        request = _request(config, instrument, has_range=has_range)
        request.range.CopyFrom(_range(first_ns, open_ns + 1))
        request.is_last_only = True
        try:
            answer = await self._indicators.compute_indicators(request)
        except ServiceError as error:
            if error.code is StatusCode.NOT_FOUND:
                return None
            raise
        if to_ns(answer.last_time) != open_ns:
            return None
        values = {series.name: series.values[0] for series in answer.series if series.values}
        return Point(values, is_warm=all(one.values or one.absent for one in answer.series))


def _by_candle(
    series: Sequence[indicator_pb2.IndicatorSeries], candle_count: int
) -> list[dict[str, float]]:
    values: list[dict[str, float]] = [{} for _ in range(candle_count)]
    for one in series:
        absent = set(one.absent)
        present = (i for i in range(one.first_index, candle_count) if i not in absent)
        for index, value in zip(present, one.values, strict=bool(one.values)):
            values[index][one.name] = value
    return values


def _request(config: Config, instrument: str, *, has_range: bool) -> pb.ComputeIndicatorsRequest:
    return pb.ComputeIndicatorsRequest(
        instrument=instrument,
        timeframe=market_pb2.Timeframe.ValueType(config.timeframe),
        specs=specs_of(config, has_range=has_range),
    )


def _range(from_ns: int, to_ns_exclusive: int) -> pb.CandleRange:
    return pb.CandleRange(from_time=to_timestamp(from_ns), to_time=to_timestamp(to_ns_exclusive))
