"""Messages to plain values and back: what risk is asked and told."""

import hashlib
from collections.abc import Iterable, Mapping

from google.protobuf.message import Message
from google.type.decimal_pb2 import Decimal
from trading.marketdata.v1.marketdata_pb2 import Session
from trading.types.v1 import execution_pb2, market_pb2, order_pb2, signal_pb2
from trading.types.v1.event_pb2 import ORDER_CAUSE_REPLACE_REFUSED, OrderEvent
from trading.types.v1.execution_pb2 import ExecutionReport
from trading.types.v1.instrument_pb2 import InstrumentSpec
from trading.types.v1.market_pb2 import Candle, Quote
from trading.types.v1.money_pb2 import Money

from runtime.atto import minor_from_text, minor_to_text, notional_minor, to_atto
from runtime.times import NS_PER_S, to_ns
from services.risk.following import Report, ReportKind, Step
from services.risk.holdings import Fill
from services.risk.orders import BUY, SELL, Order, OrderType, TimeInForce
from services.risk.rules import Instrument, Reference
from services.risk.sessions import Sessions
from services.risk.signals import Action, Signal

DIRECTIONS = {signal_pb2.DIRECTION_LONG: BUY, signal_pb2.DIRECTION_SHORT: SELL}
OVER = frozenset(
    {
        order_pb2.ORDER_STATUS_FILLED,
        order_pb2.ORDER_STATUS_CANCELED,
        order_pb2.ORDER_STATUS_REJECTED,
        order_pb2.ORDER_STATUS_EXPIRED,
    }
)
KINDS = {
    execution_pb2.EXEC_TYPE_TRADE: ReportKind.TRADE,
    execution_pb2.EXEC_TYPE_TRADE_CANCEL: ReportKind.BUST,
    execution_pb2.EXEC_TYPE_TRADE_CORRECT: ReportKind.CORRECTION,
}
REPLACE_ANSWERS = (execution_pb2.EXEC_TYPE_REPLACED, execution_pb2.EXEC_TYPE_CANCEL_REJECTED)
TYPES = {member.value: member for member in OrderType}
LIVES = {member.value: member for member in TimeInForce}
NEVER_STALE_NS, ALWAYS_STALE_NS = 2**62, -1
STALE_S_MIN = 5
TIMEFRAME_S: Mapping[int, int] = {
    market_pb2.TIMEFRAME_SECOND_1: 1,
    market_pb2.TIMEFRAME_MINUTE_1: 60,
    market_pb2.TIMEFRAME_MINUTE_5: 300,
    market_pb2.TIMEFRAME_MINUTE_15: 900,
    market_pb2.TIMEFRAME_MINUTE_30: 1_800,
    market_pb2.TIMEFRAME_HOUR_1: 3_600,
    market_pb2.TIMEFRAME_HOUR_4: 14_400,
    market_pb2.TIMEFRAME_DAY_1: 86_400,
    market_pb2.TIMEFRAME_WEEK_1: 604_800,
}


def attos(value: Decimal) -> int:
    """Return a decimal in attos, 0 when it is absent."""
    return to_atto(value.value or "0")


def order_of(spec: order_pb2.OrderSpec, trader: str) -> Order:
    """Return the order somebody wants to send."""
    has = spec.HasField
    protection = spec.protection.stop_price.value if has("protection") else ""
    target = spec.protection.target_price.value if has("protection") else ""
    return Order(
        spec.client_order_id,
        spec.account,
        spec.strategy_id,
        spec.instrument,
        BUY if spec.side == order_pb2.SIDE_BUY else SELL,
        TYPES.get(spec.type, OrderType.OTHER),
        attos(spec.quantity),
        attos(spec.limit_price) if has("limit_price") else None,
        attos(spec.stop_price) if has("stop_price") else None,
        to_atto(protection) if protection else None,
        spec.reduce_only,
        spec.strategy_id or trader,
        LIVES.get(spec.time_in_force, TimeInForce.OTHER),
        to_ns(spec.expire_time) if has("expire_time") else None,
        to_atto(target) if target else None,
        spec.post_only,
    )


def signal_of(message: signal_pb2.Signal) -> Signal:
    """Return what a strategy wishes."""
    slot = (
        f"{message.strategy_id} {message.instrument} {message.timeframe} "
        f"{to_ns(message.candle_open_time)} {message.action}"
    )
    states_quantity = message.sizing.WhichOneof("size") == "quantity"
    return Signal(
        message.signal_id,
        message.strategy_id,
        message.account,
        message.instrument,
        Action(message.action),
        DIRECTIONS.get(message.direction, 0),
        attos(message.stop_price) if message.HasField("stop_price") else None,
        attos(message.sizing.quantity) if states_quantity else None,
        to_ns(message.valid_until),
        slot,
    )


def step_of(event: OrderEvent, currency: str) -> Step:
    """Return what an order event tells; `currency` is that of its instrument."""
    order = event.order
    kind = KINDS.get(event.execution.exec_type) if event.HasField("execution") else None
    return Step(
        order_of(order.spec, ""),
        attos(order.leaves_quantity),
        attos(order.cum_quantity),
        order.status in OVER,
        order.status == order_pb2.ORDER_STATUS_IN_DOUBT,
        bool(order.decision_id),
        order.stage <= order_pb2.ORDER_STAGE_RECEIVED,
        event.exec_type in REPLACE_ANSWERS or event.local_cause == ORDER_CAUSE_REPLACE_REFUSED,
        None if kind is None else _report_of(event.execution, kind, currency),
        to_ns(event.header.occurred_at),
    )


def _report_of(execution: ExecutionReport, kind: ReportKind, currency: str) -> Report:
    quantity, fee = attos(execution.last_quantity), execution.fee
    if execution.HasField("fee"):
        currency = fee.currency
    fill = Fill(
        f"{execution.venue}/{execution.exec_id}",
        execution.client_order_id,
        execution.account,
        execution.instrument,
        quantity if execution.side == order_pb2.SIDE_BUY else -quantity,
        notional_minor(attos(execution.last_price), quantity, currency),
        minor_from_text(fee.amount.value, currency) if execution.HasField("fee") else 0,
    )
    refers_to = f"{execution.venue}/{execution.exec_ref_id}" if execution.exec_ref_id else ""
    # What takes effect is what must be equal in a repeat; sessions and sequences may differ.
    content = repr((kind.value, refers_to, fill)).encode()
    return Report(kind, fill, refers_to, hashlib.sha256(content).digest())


def content_digest(message: Message) -> bytes:
    """Return what makes a message recognizable as the same."""
    return hashlib.sha256(message.SerializeToString(deterministic=True)).digest()


def instrument_of(spec: InstrumentSpec) -> Instrument:
    """Return what can be traded; the smallest quantity is one lot unless it is stated."""
    lot = attos(spec.lot_size)
    has = spec.HasField
    return Instrument(
        name=spec.instrument,
        currency=spec.currency,
        tick_atto=attos(spec.tick_size),
        lot_atto=lot,
        min_quantity_atto=attos(spec.min_quantity) or lot,
        max_quantity_atto=attos(spec.max_quantity) or None,
        min_notional_minor=minor_from_text(spec.min_notional.value, spec.currency)
        if has("min_notional")
        else 0,
        collar_bps=spec.collar_bps,
        is_tradable=spec.is_tradable,
        is_shortable=spec.is_shortable,
        calendar=spec.calendar,
    )


def reference_of(candle: Candle) -> Reference:
    """Return the price a confirmed candle leaves; it may be believed for three candles (D5)."""
    stale_s = max(3 * TIMEFRAME_S[candle.timeframe], STALE_S_MIN)
    return Reference(attos(candle.close), to_ns(candle.close_time), stale_s * NS_PER_S)


def reference_in(quote: Quote, *, is_stale: bool) -> Reference | None:
    """Return the price a quote shows: its middle, else its last; None when it shows none.

    Whether it is too old market data has said; it must be asked again each time.
    """
    bid = attos(quote.bid) if quote.HasField("bid") else None
    ask = attos(quote.ask) if quote.HasField("ask") else None
    if bid is not None and ask is not None:
        price = (bid + ask) // 2
    elif quote.HasField("last"):
        price = attos(quote.last)
    else:
        return None
    stale_after_ns = ALWAYS_STALE_NS if is_stale else NEVER_STALE_NS
    return Reference(price, to_ns(quote.time), stale_after_ns, bid, ask)


def sessions_of(messages: Iterable[Session]) -> Sessions:
    """Return sessions, which are in order."""
    found = list(messages)
    return Sessions(
        tuple(session.day for session in found),
        tuple(to_ns(session.open_time) for session in found),
        tuple(to_ns(session.close_time) for session in found),
    )


def money(units: int, currency: str) -> Money:
    """Return minor units as a message."""
    return Money(amount=Decimal(value=minor_to_text(units, currency)), currency=currency)
