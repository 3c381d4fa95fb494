"""Valid-by-default messages of the risk service, for tests and benchmarks."""

import uuid
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from google.type.decimal_pb2 import Decimal
from trading.types.v1 import execution_pb2, market_pb2, order_pb2, signal_pb2
from trading.types.v1.event_pb2 import ORDER_CAUSE_SUBMITTED, EventHeader, OrderEvent
from trading.types.v1.execution_pb2 import ExecutionReport
from trading.types.v1.instrument_pb2 import INSTRUMENT_KIND_EQUITY, InstrumentSpec
from trading.types.v1.market_pb2 import Candle
from trading.types.v1.money_pb2 import Money
from trading.types.v1.order_pb2 import Order, OrderSpec
from trading.types.v1.signal_pb2 import Signal

from runtime.times import to_timestamp

ACCOUNT, INSTRUMENT, STRATEGY = "ACC-1", "ALPHA.XSIM", "strategy-1"
START_NS = 1_700_000_000 * 10**9
MINUTE_NS = 60 * 10**9


def usd(amount: str) -> Money:
    """Return an amount of dollars."""
    return Money(amount=Decimal(value=amount), currency="USD")


def instrument(name: str = INSTRUMENT, **changes: Any) -> InstrumentSpec:
    """Return a share: tick 0.01, lot 1, tradable both ways, collar 5 %."""
    values: dict[str, Any] = {
        "instrument": name,
        "kind": INSTRUMENT_KIND_EQUITY,
        "currency": "USD",
        "tick_size": Decimal(value="0.01"),
        "lot_size": Decimal(value="1"),
        "collar_bps": 500,
        "calendar": "24/7",
        "is_tradable": True,
        "is_shortable": True,
        "version": 1,
    }
    return InstrumentSpec(**(values | changes))


def spec(quantity: str = "10", **changes: Any) -> OrderSpec:
    """Return a protected market order of a strategy that buys."""
    values: dict[str, Any] = {
        "client_order_id": "o1",
        "account": ACCOUNT,
        "strategy_id": STRATEGY,
        "instrument": INSTRUMENT,
        "side": order_pb2.SIDE_BUY,
        "type": order_pb2.ORDER_TYPE_MARKET,
        "time_in_force": order_pb2.TIME_IN_FORCE_DAY,
        "quantity": Decimal(value=quantity),
        "protection": order_pb2.Protection(
            stop_price=Decimal(value="90"), mode=order_pb2.PROTECTION_MODE_SUPERVISED
        ),
    }
    return OrderSpec(**(values | changes))


def signal(number: int = 1, **changes: Any) -> Signal:
    """Return a signal to buy, protected and in time."""
    values: dict[str, Any] = {
        "signal_id": str(uuid.uuid5(uuid.NAMESPACE_OID, f"signal-{number}")),
        "strategy_id": STRATEGY,
        "config_version": 1,
        "account": ACCOUNT,
        "instrument": INSTRUMENT,
        "timeframe": market_pb2.TIMEFRAME_MINUTE_1,
        "candle_open_time": to_timestamp(START_NS + number * MINUTE_NS),
        "action": signal_pb2.SIGNAL_ACTION_OPEN,
        "direction": signal_pb2.DIRECTION_LONG,
        "strength": 0.5,
        "entry_price": Decimal(value="100"),
        "stop_price": Decimal(value="90"),
        "status": signal_pb2.SIGNAL_STATUS_PUBLISHED,
        "valid_until": to_timestamp(START_NS + 3_600 * 10**9),
    }
    return Signal(**(values | changes))


def execution(asked: OrderSpec, quantity: str, price: str, **changes: Any) -> ExecutionReport:
    """Return a venue's report of a trade of `asked`, with 1.00 USD of fee."""
    values: dict[str, Any] = {
        "exec_id": "x1",
        "exec_type": execution_pb2.EXEC_TYPE_TRADE,
        "order_status": order_pb2.ORDER_STATUS_PARTIALLY_FILLED,
        "client_order_id": asked.client_order_id,
        "venue": "XSIM",
        "account": asked.account,
        "instrument": asked.instrument,
        "side": asked.side,
        "last_quantity": Decimal(value=quantity),
        "last_price": Decimal(value=price),
        "fee": usd("1"),
        "transact_time": to_timestamp(START_NS),
    }
    return ExecutionReport(**(values | changes))


def event(sequence: int, asked: OrderSpec, leaves: str = "", **changes: Any) -> OrderEvent:
    """Return an order event after which `leaves` of `asked` still works, all unless stated."""
    report = changes.pop("execution", None)
    total = int(asked.quantity.value)
    values: dict[str, Any] = {
        "spec": asked,
        "status": order_pb2.ORDER_STATUS_NEW,
        "stage": order_pb2.ORDER_STAGE_ACKNOWLEDGED,
        "leaves_quantity": Decimal(value=leaves or asked.quantity.value),
        "cum_quantity": Decimal(value=str(total - int(leaves or total))),
        "decision_id": "a decision",
    }
    made = OrderEvent(
        header=EventHeader(
            event_id=str(uuid.uuid5(uuid.NAMESPACE_OID, f"orders/{sequence}")),
            sequence=sequence,
            source="orders",
            occurred_at=to_timestamp(START_NS),
        ),
        order=Order(**(values | changes)),
    )
    if report is None:
        made.local_cause = ORDER_CAUSE_SUBMITTED
    else:
        made.exec_type = report.exec_type
        made.execution.CopyFrom(report)
    return made


def candle(close: str, minute: int = 0, name: str = INSTRUMENT) -> Candle:
    """Return a confirmed one-minute close."""

    def at(offset: int) -> Timestamp:
        return to_timestamp(START_NS + (minute + offset) * MINUTE_NS)

    return Candle(
        instrument=name,
        timeframe=market_pb2.TIMEFRAME_MINUTE_1,
        kind=market_pb2.CANDLE_KIND_CLOSE_ONLY,
        open_time=at(0),
        close_time=at(1),
        close=Decimal(value=close),
        is_confirmed=True,
    )
