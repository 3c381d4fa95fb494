"""Valid-by-default test data of the order management system."""

import uuid
from typing import Any

from google.type.decimal_pb2 import Decimal
from trading.types.v1 import execution_pb2, market_pb2, order_pb2, signal_pb2
from trading.types.v1.execution_pb2 import ExecType, ExecutionReport

from runtime.atto import from_atto, to_atto
from runtime.times import NS_PER_S, to_timestamp

ACCOUNT = "ACC-1"
STRATEGY = "ema-1"
INSTRUMENT = "ALPHA.XSIM"
VENUE = "XSIM"
START_NS = 1_000_000_000 * NS_PER_S  # 2001-09-09T01:46:40Z.


def dec(text: str) -> Decimal:
    """Return a decimal of the wire."""
    return Decimal(value=text)


def limit_order(client_order_id: str = "ana-1", **changes: Any) -> order_pb2.OrderSpec:
    """Return a day's limit order to buy 10 at 100."""
    values: dict[str, Any] = {
        "client_order_id": client_order_id,
        "account": ACCOUNT,
        "instrument": INSTRUMENT,
        "side": order_pb2.SIDE_BUY,
        "type": order_pb2.ORDER_TYPE_LIMIT,
        "time_in_force": order_pb2.TIME_IN_FORCE_DAY,
        "quantity": dec("10"),
        "limit_price": dec("100"),
    }
    return order_pb2.OrderSpec(**(values | changes))


def open_signal(number: int = 1, **changes: Any) -> signal_pb2.Signal:
    """Return a signal to be 30 long, valid for a minute; `number` makes another one of it."""
    values: dict[str, Any] = {
        "signal_id": str(uuid.uuid5(uuid.NAMESPACE_OID, f"signal-{number}")),
        "strategy_id": STRATEGY,
        "config_version": 1,
        "account": ACCOUNT,
        "instrument": INSTRUMENT,
        "timeframe": market_pb2.TIMEFRAME_MINUTE_1,
        "candle_open_time": to_timestamp(START_NS - 60 * NS_PER_S),
        "action": signal_pb2.SIGNAL_ACTION_OPEN,
        "direction": signal_pb2.DIRECTION_LONG,
        "strength": 0.5,
        "entry_price": dec("100"),
        "stop_price": dec("95.001"),
        "stop_source": signal_pb2.STOP_SOURCE_ATR,
        "sizing": signal_pb2.Sizing(target_position=dec("30")),
        "status": signal_pb2.SIGNAL_STATUS_PUBLISHED,
        "valid_until": to_timestamp(START_NS + 60 * NS_PER_S),
    }
    return signal_pb2.Signal(**(values | changes))


def report(
    spec: order_pb2.OrderSpec, exec_type: ExecType.ValueType, exec_id: str, **changes: Any
) -> ExecutionReport:
    """Return a venue's report about `spec`; without changes nothing of it has traded."""
    values: dict[str, Any] = {
        "exec_id": exec_id,
        "exec_type": exec_type,
        "order_status": order_pb2.ORDER_STATUS_NEW,
        "client_order_id": spec.client_order_id,
        "child_order_id": spec.client_order_id,
        "venue": VENUE,
        "venue_order_id": f"V-{spec.client_order_id}"[:64],
        "account": spec.account,
        "instrument": spec.instrument,
        "side": spec.side,
        "cum_quantity": dec("0"),
        "leaves_quantity": spec.quantity,
        "transact_time": to_timestamp(START_NS),
    }
    return ExecutionReport(**(values | changes))


def trade(
    spec: order_pb2.OrderSpec, exec_id: str, quantity: int, *, cum: int, price: str = "100"
) -> ExecutionReport:
    """Return the report of a trade after which `cum` of `spec` has traded."""
    leaves_atto = max(to_atto(spec.quantity.value) - to_atto(str(cum)), 0)
    filled, part = order_pb2.ORDER_STATUS_FILLED, order_pb2.ORDER_STATUS_PARTIALLY_FILLED
    traded = report(
        spec,
        execution_pb2.EXEC_TYPE_TRADE,
        exec_id,
        order_status=part if leaves_atto else filled,
        last_quantity=dec(str(quantity)),
        last_price=dec(price),
        liquidity=execution_pb2.LIQUIDITY_TAKER,
        cum_quantity=dec(str(cum)),
        leaves_quantity=dec(from_atto(leaves_atto)),
    )
    traded.fee.amount.value = "0.5"
    traded.fee.currency = "USD"
    return traded


def canceled(spec: order_pb2.OrderSpec, *, cum: int = 0) -> ExecutionReport:
    """Return the report of a cancel after `cum` of `spec` has traded."""
    return report(
        spec,
        execution_pb2.EXEC_TYPE_CANCELED,
        f"end-{spec.client_order_id}",
        order_status=order_pb2.ORDER_STATUS_CANCELED,
        cum_quantity=dec(str(cum)),
        leaves_quantity=dec("0"),
    )
