"""Between messages and this service's domain: specs, candles, series and points."""

from collections.abc import Iterable, Sequence
from math import isnan, nan

from google.protobuf.timestamp_pb2 import Timestamp
from trading.indicators.v1 import indicators_pb2 as pb
from trading.types.v1 import indicator_pb2, market_pb2

from runtime.times import to_ns, to_timestamp
from services.indicators.catalogue import CATALOGUE, Definition
from services.indicators.running import Series
from services.indicators.series import (
    Bar,
    Indicator,
    IndicatorRefused,
    choose,
)

KIND_PREFIX = "INDICATOR_KIND_"


def indicators_of(specs: Sequence[indicator_pb2.IndicatorSpec]) -> list[Indicator]:
    """Return the indicators asked for. Raises IndicatorRefused; `field` starts at `specs`."""
    chosen = [_indicator_of(spec, index) for index, spec in enumerate(specs)]
    seen: set[str] = set()
    for index, indicator in enumerate(chosen):
        for name in indicator.names:
            if name in seen:
                raise IndicatorRefused(
                    "NAMES_COLLIDE",
                    f"output {name} would be there twice: give one of the specs a name",
                    field=f"specs[{index}].name",
                )
            seen.add(name)
    return chosen


def _indicator_of(spec: indicator_pb2.IndicatorSpec, index: int) -> Indicator:
    kind = indicator_pb2.IndicatorKind.Name(spec.kind).removeprefix(KIND_PREFIX)
    try:
        return choose(kind, spec.parameters, spec.name)
    except IndicatorRefused as refused:
        refused.field = f"specs[{index}].{refused.field}"
        raise


def bar_of(candle: market_pb2.Candle) -> Bar:
    """Return the numbers of a candle as floats; NaN is what it does not carry."""
    close = float(candle.close.value)
    if candle.kind == market_pb2.CANDLE_KIND_CLOSE_ONLY:
        return nan, nan, nan, close, nan
    volume = float(candle.volume.value) if candle.HasField("volume") else nan
    high, low = float(candle.high.value), float(candle.low.value)
    return float(candle.open.value), high, low, close, volume


def kind_name(kind: market_pb2.CandleKind.ValueType) -> str:
    """Return the kind as people write it: `CLOSE_ONLY`."""
    return market_pb2.CandleKind.Name(kind).removeprefix("CANDLE_KIND_")


def definition_message(definition: Definition) -> pb.IndicatorDefinition:
    """Return how ListIndicators describes one kind."""
    return pb.IndicatorDefinition(
        kind=indicator_pb2.IndicatorKind.Value(KIND_PREFIX + definition.kind),
        parameters=[
            pb.IndicatorParameter(
                name=p.name, default=p.default, min=p.minimum, max=p.maximum, is_whole=p.is_whole
            )
            for p in definition.parameters
        ],
        outputs=[output.name for output in definition.outputs],
        needs=pb.IndicatorNeeds.Value(f"INDICATOR_NEEDS_{definition.needs}"),
        warm_up=definition.warm_up,
        text=definition.text,
        output_definitions=[
            pb.IndicatorOutput(name=o.name, text=o.text, absence=o.absence, late=o.late)
            for o in definition.outputs
        ],
        rising=definition.rising,
    )


def definition_messages() -> list[pb.IndicatorDefinition]:
    """Return every built kind, by its number in the contract."""
    return sorted((definition_message(d) for d in CATALOGUE.values()), key=lambda m: m.kind)


def series_message(
    series: Series, candles: Sequence[market_pb2.Candle], *, is_last_only: bool
) -> indicator_pb2.IndicatorSeries:
    """Return one output's values over `candles`, or its last one alone."""
    values, first, absent = series.values, series.first_index, series.absent
    last = len(candles) - 1
    if is_last_only and first >= 0:
        is_absent = bool(absent) and absent[-1] == last
        values, first, absent = ([], last, [last]) if is_absent else (values[-1:], last, [])
    return indicator_pb2.IndicatorSeries(
        name=series.name,
        values=values,
        first_time=candles[first].open_time if first >= 0 else None,
        first_index=first,
        anchor_time=candles[0].open_time,
        absent=absent,
    )


Reading = tuple[Indicator, int, Sequence[float]]
"""An indicator, how many bars it has taken in, and its row for the last one."""


def point_message(
    open_time: Timestamp, readings: Iterable[Reading], *, is_after_gap: bool
) -> indicator_pb2.IndicatorPoint:
    """Return the values of one candle; what has none is named in `missing`."""
    values, missing = {}, ["GAP"] if is_after_gap else []
    is_warm = is_settled = True
    for indicator, bar_count, row in readings:
        is_warm = is_warm and bar_count >= indicator.complete_after
        is_settled = is_settled and bar_count >= indicator.settled_after
        for name, value in zip(indicator.names, row, strict=True):
            if isnan(value):
                missing.append(name)
            else:
                values[name] = value
    return indicator_pb2.IndicatorPoint(
        open_time=open_time,
        values=values,
        is_warm=is_warm,
        is_settled=is_settled,
        missing=missing,
    )


def time_after(time: Timestamp) -> Timestamp:
    """Return the instant one nanosecond later: an exclusive bound that includes `time`."""
    return to_timestamp(to_ns(time) + 1)
