"""Between messages and this service's domain: configurations, candles, strategies."""

from collections.abc import Sequence

from google.protobuf.struct_pb2 import Struct, Value
from google.type.decimal_pb2 import Decimal
from trading.strategy.v1 import strategy_pb2 as pb
from trading.types.v1 import market_pb2, signal_pb2

from runtime.atto import from_atto, to_atto
from runtime.times import to_ns, to_timestamp
from services.strategy.evaluation import Evaluation
from services.strategy.exit_wire import exit_message, exit_of
from services.strategy.exits import tightest_stop
from services.strategy.hosted import NEVER_NS, Hosted
from services.strategy.signals import Draft, sizing_message, vote_message
from services.strategy.terms import Bar, Config, Sizing, SizingWay

Configured = pb.CreateStrategyRequest | pb.StrategyConfig


def config_of(message: Configured) -> Config:
    """Return a configuration as it was given; `registry.checked` completes it."""
    return Config(
        kind=pb.StrategyKind.Name(message.kind).removeprefix("STRATEGY_KIND_"),
        account=message.account,
        timeframe=message.timeframe,
        parameters=parameters_of(message.parameters),  # type: ignore[arg-type]  # Checked next.
        sizing=sizing_of(message.sizing),
        exit=exit_of(message.exit),
        max_entries=message.max_entries,
    )


def parameters_of(struct: Struct) -> dict[str, object]:
    """Return the values of a Struct; what is no plain value stays a message and is refused."""
    return {name: _plain(struct.fields[name]) for name in sorted(struct.fields)}


def _plain(value: Value) -> object:
    kind = value.WhichOneof("kind")
    if kind in ("number_value", "string_value", "bool_value"):
        plain: object = getattr(value, kind)
        return plain
    return None


def sizing_of(message: signal_pb2.Sizing) -> Sizing:
    """Return a sizing; a target position counts without its sign."""
    way = SizingWay(message.WhichOneof("size") or "")
    if way is SizingWay.NOTIONAL:
        money = message.notional
        return Sizing(way, to_atto(money.amount.value), money.currency)
    amount_atto = to_atto(getattr(message, way.value).value)
    return Sizing(way, abs(amount_atto) if way is SizingWay.TARGET_POSITION else amount_atto)


def config_message(config: Config) -> pb.StrategyConfig:
    """Return the complete wire form of a configuration."""
    return pb.StrategyConfig(
        kind=pb.StrategyKind.Value(f"STRATEGY_KIND_{config.kind}"),
        account=config.account,
        timeframe=market_pb2.Timeframe.ValueType(config.timeframe),
        parameters=_struct(config),
        sizing=sizing_message(config.sizing),
        exit=exit_message(config.exit),
        max_entries=config.max_entries,
    )


def config_bytes(config: Config) -> bytes:
    """Return a configuration as it is stored, equal bytes for equal ones."""
    return config_message(config).SerializeToString(deterministic=True)


def bar_of(candle: market_pb2.Candle) -> Bar:
    """Return the prices of a candle in attos."""
    has_range = candle.kind != market_pb2.CANDLE_KIND_CLOSE_ONLY
    return Bar(
        open_ns=to_ns(candle.open_time),
        close_ns=to_ns(candle.close_time),
        close_atto=to_atto(candle.close.value),
        open_atto=to_atto(candle.open.value) if has_range else None,
        high_atto=to_atto(candle.high.value) if has_range else None,
        low_atto=to_atto(candle.low.value) if has_range else None,
    )


def strategy_message(hosted: Hosted) -> pb.Strategy:
    """Return a strategy as callers see it."""
    config = hosted.config
    message = pb.Strategy(
        strategy_id=hosted.strategy_id,
        kind=pb.StrategyKind.Value(f"STRATEGY_KIND_{config.kind}"),
        account=config.account,
        instruments=hosted.instruments,
        timeframe=market_pb2.Timeframe.ValueType(config.timeframe),
        parameters=_struct(config),
        sizing=sizing_message(config.sizing),
        exit=exit_message(config.exit),
        max_entries=config.max_entries,
        config_version=hosted.config_version,
        etag=str(hosted.revision),
        state=pb.StrategyState.Value(f"STRATEGY_STATE_{hosted.state}"),
        is_stopping=hosted.is_stopping,
        views=[_view(hosted, name) for name in hosted.instruments],
        counters=pb.StrategyCounters(**hosted.counters),
        last_error=hosted.last_error,
        created_at=to_timestamp(hosted.created_ns),
        updated_at=to_timestamp(hosted.updated_ns),
    )
    if hosted.anchor_ns is not None:
        message.anchor_time.CopyFrom(to_timestamp(hosted.anchor_ns))
    return message


def evaluation_message(
    instrument: str, bar: Bar, evaluation: Evaluation, drafts: Sequence[Draft]
) -> pb.Evaluation:
    """Return what was decided, with the signals it would have made."""
    message = pb.Evaluation(
        instrument=instrument,
        candle_open_time=to_timestamp(bar.open_ns),
        outcome=pb.EvaluationOutcome.Value(f"EVALUATION_OUTCOME_{evaluation.outcome}"),
        votes=[vote_message(vote) for vote in evaluation.votes],
        signals=[draft.message for draft in drafts],
        is_intrabar_unknown=evaluation.is_intrabar_unknown,
        labels=evaluation.labels,
    )
    if evaluation.exit is not None:
        message.exit_price.value = from_atto(evaluation.exit.price_atto)
    return message


def _view(hosted: Hosted, instrument: str) -> pb.StrategyInstrument:
    track = hosted.tracks[instrument]
    position = track.position
    view = pb.StrategyInstrument(
        instrument=instrument,
        position=_decimal(position.quantity_atto),
        warm_have=track.bar_count,
        warm_need=hosted.warm_need,
    )
    if track.last_open_ns != NEVER_NS:
        view.last_open_time.CopyFrom(to_timestamp(track.last_open_ns))
    if not position.quantity_atto:
        return view
    view.entry_price.value = from_atto(position.entry_atto)
    stop = tightest_stop(position, hosted.setting(instrument))
    if stop is not None:
        view.stop_price.value = from_atto(stop[0])
        view.stop_source = signal_pb2.StopSource.Value(f"STOP_SOURCE_{stop[1]}")
    return view


def _struct(config: Config) -> Struct:
    struct = Struct()
    struct.update(dict(config.parameters))
    return struct


def _decimal(value_atto: int) -> Decimal:
    return Decimal(value=from_atto(value_atto))
