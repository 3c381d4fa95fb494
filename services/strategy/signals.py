"""Signals as messages: their ids, how long they hold, their place among published ones."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from google.type.decimal_pb2 import Decimal
from trading.types.v1 import event_pb2, market_pb2, money_pb2, signal_pb2

from runtime.atto import from_atto, to_atto
from runtime.times import NS_PER_S, to_timestamp
from services.strategy.hosted import Hosted
from services.strategy.positions import Fill
from services.strategy.terms import (
    Action,
    Bar,
    Direction,
    Proposal,
    Sizing,
    SizingWay,
    Target,
    Vote,
)

SOURCE = "strategy"
VALID_NS_MIN, VALID_NS_MAX = 5 * NS_PER_S, 4 * 3600 * NS_PER_S

_DIRECTIONS: Mapping[Direction, signal_pb2.Direction.ValueType] = {
    Direction.LONG: signal_pb2.DIRECTION_LONG,
    Direction.SHORT: signal_pb2.DIRECTION_SHORT,
    Direction.NONE: signal_pb2.DIRECTION_NONE,
}


@dataclass(frozen=True, slots=True)
class Draft:
    """A signal that has everything but its place among the published ones."""

    message: signal_pb2.Signal
    is_published: bool


def valid_until_ns(bar: Bar) -> int:
    """Return until when a signal of `bar` may become an order (T5)."""
    return bar.close_ns + min(max(bar.close_ns - bar.open_ns, VALID_NS_MIN), VALID_NS_MAX)


def signal_id(hosted: Hosted, instrument: str, open_ns: int, action: Action) -> str:
    """Return the id that evaluating the same candle again gives again."""
    timeframe = market_pb2.Timeframe.Name(market_pb2.Timeframe.ValueType(hosted.config.timeframe))
    parts = (hosted.strategy_id, hosted.config_version, instrument, timeframe, open_ns, action)
    return str(uuid.uuid5(uuid.NAMESPACE_OID, "/".join(map(str, parts))))


def drafted(
    hosted: Hosted, instrument: str, bar: Bar, proposal: Proposal, *, until_ns: int = 0
) -> Draft:
    """Return the signal of a proposal; `until_ns` replaces the time it holds by rule."""
    config, published = hosted.config, proposal.is_published
    message = signal_pb2.Signal(
        signal_id=signal_id(hosted, instrument, bar.open_ns, proposal.action),
        strategy_id=hosted.strategy_id,
        config_version=hosted.config_version,
        account=config.account,
        instrument=instrument,
        timeframe=market_pb2.Timeframe.ValueType(config.timeframe),
        candle_open_time=to_timestamp(bar.open_ns),
        action=signal_pb2.SignalAction.Value(f"SIGNAL_ACTION_{proposal.action}"),
        direction=_DIRECTIONS[proposal.direction],
        strength=proposal.strength,
        votes=[vote_message(vote) for vote in proposal.votes],
        entry_price=_decimal(proposal.entry_atto),
        filter_reasons=[
            signal_pb2.FilterReason.Value(f"FILTER_REASON_{reason}") for reason in proposal.filters
        ],
        status=(
            signal_pb2.SIGNAL_STATUS_PUBLISHED if published else signal_pb2.SIGNAL_STATUS_FILTERED
        ),
        valid_until=to_timestamp(until_ns or valid_until_ns(bar)),
    )
    if proposal.stop_atto is not None:
        message.stop_price.value = from_atto(proposal.stop_atto)
    if proposal.stop_source:
        message.stop_source = signal_pb2.StopSource.Value(f"STOP_SOURCE_{proposal.stop_source}")
    _set_prices(message, proposal)
    if proposal.sizing is not None:
        message.sizing.CopyFrom(sizing_message(proposal.sizing))
    return Draft(message, published)


def _set_prices(message: signal_pb2.Signal, proposal: Proposal) -> None:
    message.labels.extend(proposal.labels)
    if proposal.best_entry_atto is not None:
        message.best_entry_price.value = from_atto(proposal.best_entry_atto)
    if proposal.signal_bar_atto is not None:
        message.signal_bar_price.value = from_atto(proposal.signal_bar_atto)
    for one in proposal.targets:
        source = signal_pb2.TargetSource.Value(f"TARGET_SOURCE_{one.source}")
        message.targets.add(price=_decimal(one.price_atto), source=source, share=one.share)
    for one in proposal.dropped:
        message.dropped_targets.add(
            price=_decimal(one.price_atto),
            source=signal_pb2.TargetSource.Value(f"TARGET_SOURCE_{one.source}"),
            reason=signal_pb2.TARGET_DROP_REASON_WRONG_SIDE,
        )


def placed(draft: Draft, sequence: int, *, epoch: int, now_ns: int) -> signal_pb2.Signal:
    """Return a published signal with its place; `sequence` counts published signals alone."""
    signal = signal_pb2.Signal()
    signal.CopyFrom(draft.message)
    signal.header.CopyFrom(
        event_pb2.EventHeader(
            event_id=str(uuid.uuid5(uuid.NAMESPACE_OID, f"{SOURCE}/{sequence}")),
            sequence=sequence,
            source=SOURCE,
            epoch=epoch,
            occurred_at=to_timestamp(now_ns),
            correlation_id=signal.signal_id,
        )
    )
    return signal


def opening_of(payload: bytes) -> Fill | None:
    """Return what an opening signal says of stop and targets, as a fill of nothing."""
    signal = signal_pb2.Signal.FromString(payload)
    if signal.action != signal_pb2.SIGNAL_ACTION_OPEN:
        return None
    source = signal_pb2.StopSource.Name(signal.stop_source).removeprefix("STOP_SOURCE_")
    has_stop = signal.HasField("stop_price")
    return Fill(
        exec_id="",
        quantity_atto=0,
        price_atto=0,
        time_ns=0,
        stop_atto=to_atto(signal.stop_price.value) if has_stop else None,
        stop_source=source if has_stop else "",
        targets=tuple(map(_target_of, signal.targets)),
        signal_bar_atto=(
            to_atto(signal.signal_bar_price.value) if signal.HasField("signal_bar_price") else None
        ),
    )


def _target_of(message: signal_pb2.Target) -> Target:
    source = signal_pb2.TargetSource.Name(message.source).removeprefix("TARGET_SOURCE_")
    return Target(to_atto(message.price.value), source, message.share)


def vote_message(vote: Vote) -> signal_pb2.Vote:
    """Return the wire form of a vote."""
    return signal_pb2.Vote(
        name=vote.name, direction=_DIRECTIONS[vote.direction], weight=vote.weight
    )


def sizing_message(sizing: Sizing) -> signal_pb2.Sizing:
    """Return the wire form of a sizing."""
    amount = _decimal(sizing.amount_atto)
    if sizing.way is SizingWay.NOTIONAL:
        return signal_pb2.Sizing(notional=money_pb2.Money(amount=amount, currency=sizing.currency))
    message = signal_pb2.Sizing()
    getattr(message, sizing.way.value).CopyFrom(amount)
    return message


def _decimal(value_atto: int) -> Decimal:
    return Decimal(value=from_atto(value_atto))
