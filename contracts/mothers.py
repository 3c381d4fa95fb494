"""Valid messages, for tests that break one thing in them."""

from google.protobuf.timestamp_pb2 import Timestamp
from google.type.decimal_pb2 import Decimal
from trading.types.v1.market_pb2 import (
    CANDLE_KIND_CLOSE_ONLY,
    CANDLE_KIND_OHLC,
    CANDLE_KIND_OHLCV,
    TIMEFRAME_MINUTE_1,
    Candle,
)
from trading.types.v1.order_pb2 import (
    ORDER_TYPE_LIMIT,
    SIDE_BUY,
    TIME_IN_FORCE_DAY,
    OrderSpec,
)


def decimal(text: str) -> Decimal:
    """Return a decimal on the wire."""
    return Decimal(value=text)


def candle() -> Candle:
    """Return a confirmed one-minute candle with all its numbers."""
    return Candle(
        instrument="ALPHA.XSIM",
        timeframe=TIMEFRAME_MINUTE_1,
        kind=CANDLE_KIND_OHLCV,
        open_time=Timestamp(seconds=60),
        close_time=Timestamp(seconds=120),
        open=decimal("100"),
        high=decimal("101.5"),
        low=decimal("99.25"),
        close=decimal("100.5"),
        volume=decimal("1000"),
        is_confirmed=True,
    )


def candle_without_volume() -> Candle:
    """Return a candle whose source knows no volume."""
    candle_ = candle()
    candle_.kind = CANDLE_KIND_OHLC
    candle_.ClearField("volume")
    return candle_


def close_only_candle() -> Candle:
    """Return a candle whose source knows the close alone."""
    candle_ = candle_without_volume()
    candle_.kind = CANDLE_KIND_CLOSE_ONLY
    for name in ("open", "high", "low"):
        candle_.ClearField(name)
    return candle_


def order() -> OrderSpec:
    """Return a limit order to buy five lots for the day."""
    return OrderSpec(
        client_order_id="ana-1",
        account="ana",
        instrument="ALPHA.XSIM",
        side=SIDE_BUY,
        type=ORDER_TYPE_LIMIT,
        time_in_force=TIME_IN_FORCE_DAY,
        quantity=decimal("5"),
        limit_price=decimal("100.25"),
    )
