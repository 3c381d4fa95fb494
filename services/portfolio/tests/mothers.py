"""Valid-by-default test data of the portfolio service."""

import uuid
from typing import Any

from google.type.decimal_pb2 import Decimal
from trading.types.v1.event_pb2 import ORDER_CAUSE_SUBMITTED, EventHeader, OrderEvent
from trading.types.v1.execution_pb2 import EXEC_TYPE_TRADE, ExecutionReport
from trading.types.v1.market_pb2 import CANDLE_KIND_CLOSE_ONLY, TIMEFRAME_MINUTE_1, Candle
from trading.types.v1.money_pb2 import Money
from trading.types.v1.order_pb2 import (
    ORDER_STATUS_FILLED,
    ORDER_STATUS_NEW,
    ORDER_TYPE_MARKET,
    SIDE_BUY,
    SIDE_SELL,
    TIME_IN_FORCE_DAY,
    Order,
    OrderSpec,
)

from runtime.atto import ATTO, notional_minor, to_atto
from runtime.times import to_timestamp
from services.portfolio.booking import Report, ReportKind
from services.portfolio.positions import Fill

ACCOUNT = "ACC-1"
INSTRUMENT = "ALPHA.XSIM"


def fill(quantity: int, price: str, **changes: Any) -> Fill:
    """Return a trade of `quantity` units (sold is negative) at `price`, 1.00 USD of fee."""
    quantity_atto, price_atto = quantity * ATTO, to_atto(price)
    values: dict[str, Any] = {
        "exec_id": "x1",
        "order_id": "o1",
        "account": ACCOUNT,
        "instrument": INSTRUMENT,
        "currency": "USD",
        "quantity_atto": quantity_atto,
        "price_atto": price_atto,
        "notional_minor": abs(notional_minor(price_atto, quantity_atto, "USD")),
        "fee_minor": 100,
    }
    return Fill(**(values | changes))


def trade(filled: Fill, **changes: Any) -> Report:
    """Return the report of a trade; its digest is made from its content."""
    values: dict[str, Any] = {
        "kind": ReportKind.TRADE,
        "fill": filled,
        "refers_to": "",
        "digest": repr(filled).encode(),
        "time_ns": 1,
    }
    return Report(**(values | changes))


def bust(exec_id: str, refers_to: str, filled: Fill) -> Report:
    """Return the report that takes `refers_to` back."""
    named = fill(1, "1", exec_id=exec_id, instrument=filled.instrument)
    return trade(
        named, kind=ReportKind.BUST, refers_to=refers_to, digest=b"bust" + repr(named).encode()
    )


def correction(refers_to: str, filled: Fill) -> Report:
    """Return the report that replaces `refers_to` by `filled`."""
    return trade(filled, kind=ReportKind.CORRECTION, refers_to=refers_to)


START_NS = 1_700_000_000 * 10**9


def execution(quantity: str, price: str, **changes: Any) -> ExecutionReport:
    """Return a venue's report of a trade, sold when `quantity` is negative; 1.00 USD of fee."""
    values: dict[str, Any] = {
        "exec_id": "x1",
        "exec_type": EXEC_TYPE_TRADE,
        "order_status": ORDER_STATUS_FILLED,
        "client_order_id": "o1",
        "venue": "XSIM",
        "account": ACCOUNT,
        "instrument": INSTRUMENT,
        "side": SIDE_SELL if quantity.startswith("-") else SIDE_BUY,
        "last_quantity": Decimal(value=quantity.removeprefix("-")),
        "last_price": Decimal(value=price),
        "fee": Money(amount=Decimal(value="1"), currency="USD"),
        "transact_time": to_timestamp(START_NS),
    }
    return ExecutionReport(**(values | changes))


def event(sequence: int, report: ExecutionReport | None = None) -> OrderEvent:
    """Return the order event that carries `report`, or one that carries none."""
    found = report or execution("1", "1")
    spec = OrderSpec(
        client_order_id=found.client_order_id,
        account=found.account,
        instrument=found.instrument,
        side=found.side,
        type=ORDER_TYPE_MARKET,
        time_in_force=TIME_IN_FORCE_DAY,
        quantity=Decimal(value="1000"),
    )
    header = EventHeader(
        event_id=str(uuid.uuid5(uuid.NAMESPACE_OID, f"orders {sequence}")),
        sequence=sequence,
        source="orders",
        occurred_at=to_timestamp(START_NS),
    )
    made = OrderEvent(header=header, order=Order(spec=spec, status=ORDER_STATUS_NEW))
    if report is None:
        made.local_cause = ORDER_CAUSE_SUBMITTED
    else:
        made.exec_type = report.exec_type
        made.execution.CopyFrom(report)
    return made


def candle(close: str, minute: int = 0, instrument: str = INSTRUMENT, **changes: Any) -> Candle:
    """Return a confirmed one-minute close."""
    values: dict[str, Any] = {
        "instrument": instrument,
        "timeframe": TIMEFRAME_MINUTE_1,
        "kind": CANDLE_KIND_CLOSE_ONLY,
        "open_time": to_timestamp(START_NS + minute * 60 * 10**9),
        "close_time": to_timestamp(START_NS + (minute + 1) * 60 * 10**9),
        "close": Decimal(value=close),
        "is_confirmed": True,
    }
    return Candle(**(values | changes))


def usd(amount: str) -> Money:
    """Return an amount of dollars."""
    return Money(amount=Decimal(value=amount), currency="USD")
