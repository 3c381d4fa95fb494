"""What order a signal becomes: how much, on which side, under which name."""

from google.type.decimal_pb2 import Decimal
from trading.risk.v1.risk_pb2 import ValidateSignalResponse
from trading.types.v1 import order_pb2, signal_pb2
from trading.types.v1.signal_pb2 import Signal

from runtime.atto import from_atto, to_atto
from services.orders import sizing
from services.orders.instruments import Grid
from services.orders.sizing import Basis, Way, Wish
from services.orders.wire import attos

WAYS = {
    "quantity": Way.QUANTITY,
    "notional": Way.NOTIONAL,
    "risk_share": Way.RISK_SHARE,
    "target_position": Way.TARGET_POSITION,
}


def signed_size(signal: Signal, answer: ValidateSignalResponse, grid: Grid) -> int:
    """Return the quantity to trade in attos: above zero buys, 0 when there is nothing to do."""
    position_atto = attos(answer.position)
    if signal.action == signal_pb2.SIGNAL_ACTION_CLOSE:
        is_part = signal.sizing.HasField("quantity")
        part_atto = attos(signal.sizing.quantity) if is_part else None
        return sizing.close_size(position_atto, grid.lot_atto, part_atto)
    wish = _wish(signal)
    if wish is None:
        return 0
    entry_atto = attos(signal.entry_price)
    basis = Basis(
        equity_atto=attos(answer.equity.amount),
        position_atto=position_atto,
        price_atto=attos(answer.sizing_price) or entry_atto,
        entry_atto=entry_atto,
        stop_atto=attos(signal.stop_price) if signal.HasField("stop_price") else None,
        lot_atto=grid.lot_atto,
        cap_atto=attos(answer.max_quantity),
        minimum_atto=grid.minimum_atto,
    )
    sign = -1 if signal.direction == signal_pb2.DIRECTION_SHORT else 1
    return sizing.open_size(wish, sign=sign, basis=basis)


def client_order_id(signal: Signal) -> str:
    """Return the name of a signal's order: two workers on one signal cannot make two orders."""
    return f"sg-{signal.signal_id.replace('-', '')}"


def order_spec(
    signal: Signal, size_atto: int, position_atto: int, grid: Grid
) -> order_pb2.OrderSpec:
    """Return the order that a signal becomes; its id follows from the signal's."""
    spec = order_pb2.OrderSpec(
        client_order_id=client_order_id(signal),
        account=signal.account,
        strategy_id=signal.strategy_id,
        signal_id=signal.signal_id,
        instrument=signal.instrument,
        side=_side(size_atto, position_atto),
        type=order_pb2.ORDER_TYPE_MARKET,
        time_in_force=order_pb2.TIME_IN_FORCE_DAY,
        quantity=Decimal(value=from_atto(abs(size_atto))),
        reduce_only=signal.action == signal_pb2.SIGNAL_ACTION_CLOSE,
    )
    if not spec.reduce_only and (signal.HasField("stop_price") or signal.targets):
        _protect(spec, signal, grid)
    return spec


def _protect(spec: order_pb2.OrderSpec, signal: Signal, grid: Grid) -> None:
    """Add stop and nearest target, on tick; the strategy itself watches them."""
    is_long = spec.side == order_pb2.SIDE_BUY
    spec.protection.mode = order_pb2.PROTECTION_MODE_SUPERVISED
    if signal.HasField("stop_price"):
        stop_atto = sizing.stop_on_tick(attos(signal.stop_price), grid.tick_atto, is_long=is_long)
        spec.protection.stop_price.value = from_atto(stop_atto)
    nearest = next((target for target in signal.targets if target.share), None)
    if nearest is not None:
        nearest_atto = attos(nearest.price)
        target_atto = sizing.target_on_tick(nearest_atto, grid.tick_atto, is_long=is_long)
        spec.protection.target_price.value = from_atto(target_atto)


def _side(size_atto: int, position_atto: int) -> "order_pb2.Side.ValueType":
    if size_atto > 0:
        return order_pb2.SIDE_BUY
    ends_short = position_atto + size_atto < 0
    return order_pb2.SIDE_SELL_SHORT if ends_short else order_pb2.SIDE_SELL


def _wish(signal: Signal) -> Wish | None:
    field = signal.sizing.WhichOneof("size")
    if field is None:
        return None
    value = getattr(signal.sizing, field)
    text = value.amount.value if field == "notional" else value.value
    return Wish(WAYS[field], to_atto(text))
