"""Strategies as load creates them: each follows the crossing of two fast averages."""

from collections.abc import Sequence

from google.protobuf.struct_pb2 import Struct
from google.type.decimal_pb2 import Decimal
from trading.strategy.v1 import strategy_pb2
from trading.types.v1 import signal_pb2
from trading.types.v1.market_pb2 import Timeframe

FAST, SLOW = 2, 5  # They cross on every fourth candle of square-v1.
LOTS = "10"


def ema_cross() -> Struct:
    """Return the parameters of EMA_CROSS(2, 5)."""
    parameters = Struct()
    parameters.update({"fast": FAST, "slow": SLOW})
    return parameters


def sizing() -> signal_pb2.Sizing:
    """Return how much a strategy holds, long or short."""
    return signal_pb2.Sizing(quantity=Decimal(value=LOTS))


def exits() -> strategy_pb2.ExitConfig:
    """Return how positions end: at the next cross. The venue's price does not follow the candles',
    so every rule that compares the two would trade at odd times, and more than every fourth.
    """
    return strategy_pb2.ExitConfig(
        break_even_after_r=Decimal(value="0"),
        is_tiered_trail_off=True,
        is_signal_bar_stop_off=True,
    )


def creation(
    account: str,
    instruments: Sequence[str],
    timeframe: Timeframe.ValueType,
    *,
    request_id: str,
) -> strategy_pb2.CreateStrategyRequest:
    """Return the request for a strategy that trades `instruments` for `account`."""
    return strategy_pb2.CreateStrategyRequest(
        request_id=request_id,
        kind=strategy_pb2.STRATEGY_KIND_EMA_CROSS,
        account=account,
        instruments=instruments,
        timeframe=timeframe,
        parameters=ema_cross(),
        sizing=sizing(),
        exit=exits(),
    )
