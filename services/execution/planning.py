"""Reads an order's algorithm as terms in lots and ticks, and refuses what cannot be planned."""

from google.type.decimal_pb2 import Decimal
from trading.execution.v1.execution_pb2 import ExecutionRefusalReason as Reason
from trading.types.v1 import order_pb2
from trading.types.v1.order_pb2 import AlgorithmKind, AlgorithmSpec, ExecutionStyle, OrderSpec

from runtime.atto import from_atto, to_atto
from runtime.times import to_ns
from services.execution.algorithms.sizing import PPM
from services.execution.algorithms.terms import SCHEDULED, Impact, Kind, Style, Terms
from services.execution.market import TradeTerms
from services.execution.refusals import ExecutionRefused

ATTO_PER_PPM = 10**12
DEFAULT_INTERVAL_NS = 60_000_000_000
DEFAULT_PARTICIPATION_PPM = PPM // 10
DISPLAY_PART = 10  # An ICEBERG shows a tenth unless it says otherwise.
TYPES = (order_pb2.ORDER_TYPE_MARKET, order_pb2.ORDER_TYPE_LIMIT)
IMMEDIATE = (order_pb2.TIME_IN_FORCE_IOC, order_pb2.TIME_IN_FORCE_FOK)


def is_direct(order: OrderSpec) -> bool:
    """Whether an order is sent as it is, in one child."""
    kind = order.algorithm.kind
    return not order.HasField("algorithm") or kind == order_pb2.ALGORITHM_KIND_DIRECT


def terms_of(order: OrderSpec, trade: TradeTerms, now_ns: int, *, has_icebergs: bool) -> Terms:
    """Return what an order asks of its algorithm; raises ExecutionRefused."""
    algorithm = order.algorithm
    kind = Kind(AlgorithmKind.Name(algorithm.kind).removeprefix("ALGORITHM_KIND_"))
    _check_form(order)
    quantity_lots = lots_of("quantity", order.quantity, trade.lot_atto)
    if to_atto(order.quantity.value) < trade.min_atto:
        raise _invalid(
            f"quantity is {order.quantity.value}, must be at least "
            f"{from_atto(trade.min_atto)}: the instrument's smallest order"
        )
    start_ns, end_ns = _window(algorithm, kind, now_ns)
    return Terms(
        kind=kind,
        is_buy=order.side == order_pb2.SIDE_BUY,
        quantity_lots=quantity_lots,
        start_ns=start_ns,
        end_ns=end_ns,
        limit_ticks=_limit_ticks(order, trade),
        collar_bps=trade.collar_bps,
        interval_ns=_interval_ns(algorithm),
        min_child_lots=max(1, lots_of("min_child", algorithm.min_child, trade.lot_atto)),
        max_child_lots=lots_of("max_child", algorithm.max_child, trade.lot_atto),
        display_lots=_display_lots(algorithm, quantity_lots, trade),
        participation_ppm=_participation_ppm(algorithm),
        style=_style(algorithm),
        must_complete=algorithm.must_complete,
        is_native_iceberg=has_icebergs and kind is Kind.ICEBERG and _can_hide(order),
        impact=Impact(
            urgency=algorithm.urgency or 3,
            risk_aversion=algorithm.risk_aversion,
            volatility=algorithm.volatility,
            impact=algorithm.impact,
        ),
    )


def ticks_of(price: Decimal, tick_atto: int) -> int:
    """Return a price in ticks; raises ExecutionRefused when it is off the tick."""
    ticks, rest = divmod(to_atto(price.value), tick_atto)
    if rest or ticks <= 0:
        raise _invalid(
            f"limit_price is {price.value}, must be a multiple of {from_atto(tick_atto)}"
        )
    return ticks


def lots_of(name: str, value: Decimal, lot_atto: int) -> int:
    """Return a quantity in lots; raises ExecutionRefused when it is off the lot."""
    lots, rest = divmod(to_atto(value.value or "0"), lot_atto)
    if rest:
        raise _invalid(f"{name} is {value.value}, must be a multiple of {from_atto(lot_atto)}")
    return lots


def _check_form(order: OrderSpec) -> None:
    if order.type not in TYPES:
        raise _invalid("an order that is worked over time must be a MARKET or a LIMIT order")
    if order.time_in_force in IMMEDIATE:
        raise _invalid("an order that is worked over time cannot be immediate: use GTC or DAY")
    small, large = order.algorithm.min_child.value or "0", order.algorithm.max_child.value
    if large and to_atto(large) < to_atto(small):
        raise _invalid(f"max_child is {large}, must not be below min_child, which is {small}")


def _window(algorithm: AlgorithmSpec, kind: Kind, now_ns: int) -> tuple[int, int]:
    """Return the window from now on; refuse one that is past or shorter than a slice."""
    asked_ns = to_ns(algorithm.start_time) if algorithm.HasField("start_time") else now_ns
    start_ns = max(asked_ns, now_ns)
    if not algorithm.HasField("end_time"):
        if kind in SCHEDULED or kind is Kind.POV:
            raise _window_invalid(f"{kind.value} needs an end_time")
        return start_ns, 0
    end_ns = to_ns(algorithm.end_time)
    if end_ns <= now_ns:
        raise _window_invalid("its end_time is past")
    needed_ns = _interval_ns(algorithm) if kind in SCHEDULED else 1_000_000_000
    if end_ns - start_ns < needed_ns:
        raise _window_invalid("what is left of it is shorter than one slice")
    return start_ns, end_ns


def _interval_ns(algorithm: AlgorithmSpec) -> int:
    if not algorithm.HasField("slice_interval"):
        return DEFAULT_INTERVAL_NS
    return algorithm.slice_interval.ToNanoseconds()


def _limit_ticks(order: OrderSpec, trade: TradeTerms) -> int:
    if not order.HasField("limit_price"):
        return 0
    return ticks_of(order.limit_price, trade.tick_atto)


def _display_lots(algorithm: AlgorithmSpec, quantity_lots: int, trade: TradeTerms) -> int:
    if algorithm.HasField("display_quantity"):
        return max(1, lots_of("display_quantity", algorithm.display_quantity, trade.lot_atto))
    return max(1, quantity_lots // DISPLAY_PART)


def _participation_ppm(algorithm: AlgorithmSpec) -> int:
    if not algorithm.HasField("participation"):
        return DEFAULT_PARTICIPATION_PPM
    return max(1, to_atto(algorithm.participation.value) // ATTO_PER_PPM)


def _style(algorithm: AlgorithmSpec) -> Style:
    is_cross = algorithm.style == ExecutionStyle.EXECUTION_STYLE_CROSS
    return Style.CROSS if is_cross else Style.PASSIVE_THEN_CROSS


def _can_hide(order: OrderSpec) -> bool:
    return order.type == order_pb2.ORDER_TYPE_LIMIT


def _invalid(message: str) -> ExecutionRefused:
    return ExecutionRefused(Reason.EXECUTION_REFUSAL_REASON_ALGORITHM_INVALID, message)


def _window_invalid(why: str) -> ExecutionRefused:
    return ExecutionRefused(
        Reason.EXECUTION_REFUSAL_REASON_WINDOW_INVALID,
        f"the algorithm's window is no use: {why}; give it one slice of time at least",
    )
