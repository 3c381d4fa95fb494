"""Execution's values as messages, and what venues say as facts."""

from google.type.decimal_pb2 import Decimal
from trading.exchange.v1 import exchange_pb2
from trading.execution.v1 import execution_pb2 as pb
from trading.types.v1 import order_pb2
from trading.types.v1.execution_pb2 import EXEC_TYPE_REPLACED, ExecutionReport
from trading.types.v1.order_pb2 import OrderSpec, OrderStatus

from runtime.atto import from_atto, to_atto
from services.execution.children import Child, Fact, Split, Status
from services.execution.plans import Plan
from services.execution.store import Parent

State = pb.ExecutionState
STATES: dict[Status, "State.ValueType"] = {
    Status.PENDING_NEW: State.EXECUTION_STATE_PENDING,
    Status.IN_DOUBT: State.EXECUTION_STATE_IN_DOUBT,
    Status.NEW: State.EXECUTION_STATE_WORKING,
    Status.PARTIALLY_FILLED: State.EXECUTION_STATE_WORKING,
    Status.SUSPENDED: State.EXECUTION_STATE_WORKING,
    Status.FILLED: State.EXECUTION_STATE_FILLED,
    Status.CANCELED: State.EXECUTION_STATE_CANCELED,
    Status.REJECTED: State.EXECUTION_STATE_REJECTED,
    Status.REFUSED: State.EXECUTION_STATE_REJECTED,
    Status.EXPIRED: State.EXECUTION_STATE_EXPIRED,
    Status.NOT_ACCEPTED: State.EXECUTION_STATE_NOT_ACCEPTED,
}
# A venue's own words; what it may not say of an order is a bug of it and fails loudly.
STATUSES: dict[int, Status] = {
    OrderStatus.ORDER_STATUS_NEW: Status.NEW,
    OrderStatus.ORDER_STATUS_PARTIALLY_FILLED: Status.PARTIALLY_FILLED,
    OrderStatus.ORDER_STATUS_FILLED: Status.FILLED,
    OrderStatus.ORDER_STATUS_CANCELED: Status.CANCELED,
    OrderStatus.ORDER_STATUS_PENDING_CANCEL: Status.NEW,
    OrderStatus.ORDER_STATUS_PENDING_REPLACE: Status.NEW,
    OrderStatus.ORDER_STATUS_REJECTED: Status.REJECTED,
    OrderStatus.ORDER_STATUS_SUSPENDED: Status.SUSPENDED,
    OrderStatus.ORDER_STATUS_EXPIRED: Status.EXPIRED,
}
SHOWN: dict[Status, "OrderStatus.ValueType"] = {
    Status.PENDING_NEW: OrderStatus.ORDER_STATUS_PENDING_NEW,
    Status.IN_DOUBT: OrderStatus.ORDER_STATUS_IN_DOUBT,
    Status.NEW: OrderStatus.ORDER_STATUS_NEW,
    Status.PARTIALLY_FILLED: OrderStatus.ORDER_STATUS_PARTIALLY_FILLED,
    Status.SUSPENDED: OrderStatus.ORDER_STATUS_SUSPENDED,
    Status.FILLED: OrderStatus.ORDER_STATUS_FILLED,
    Status.CANCELED: OrderStatus.ORDER_STATUS_CANCELED,
    Status.REJECTED: OrderStatus.ORDER_STATUS_REJECTED,
    Status.REFUSED: OrderStatus.ORDER_STATUS_REJECTED,
    Status.EXPIRED: OrderStatus.ORDER_STATUS_EXPIRED,
    Status.NOT_ACCEPTED: OrderStatus.ORDER_STATUS_REJECTED,
}
ENDED = frozenset(
    {
        State.EXECUTION_STATE_FILLED,
        State.EXECUTION_STATE_CANCELED,
        State.EXECUTION_STATE_REJECTED,
        State.EXECUTION_STATE_EXPIRED,
        State.EXECUTION_STATE_NOT_ACCEPTED,
    }
)
TAKING, SHOW = frozenset({"CROSS", "COMPLETE"}), "SHOW"
DIRECT_PLAN = pb.PlanSummary(algorithm=order_pb2.ALGORITHM_KIND_DIRECT, slices=1)


def venue_of(instrument: str) -> str:
    """Return the venue of an instrument: its suffix."""
    return instrument.rpartition(".")[2]


def child_message(order: OrderSpec, child: Child) -> exchange_pb2.VenueOrder:
    """Return a child as the venue is asked for it: the same on every attempt (X2)."""
    message = exchange_pb2.VenueOrder(
        client_order_id=child.child_order_id,
        account=child.account,
        instrument=order.instrument,
        side=order.side,
        type=order.type,
        time_in_force=order.time_in_force,
        quantity=Decimal(value=from_atto(child.quantity_atto)),
        reduce_only=order.reduce_only,
        post_only=order.post_only,
    )
    if order.HasField("limit_price"):
        message.limit_price.CopyFrom(order.limit_price)
    if order.HasField("stop_price"):
        message.stop_price.CopyFrom(order.stop_price)
    if order.HasField("expire_time"):
        message.expire_time.CopyFrom(order.expire_time)
    return message


def algorithm_child_message(plan: Plan, order: OrderSpec, child: Child) -> exchange_pb2.VenueOrder:
    """Return a child of an algorithm as the venue is asked for it: a limit order, always."""
    is_taking = child.meeting in TAKING
    message = exchange_pb2.VenueOrder(
        client_order_id=child.child_order_id,
        account=child.account,
        instrument=order.instrument,
        side=order.side,
        type=order_pb2.ORDER_TYPE_LIMIT,
        time_in_force=order_pb2.TIME_IN_FORCE_IOC if is_taking else order.time_in_force,
        quantity=Decimal(value=from_atto(child.quantity_atto)),
        limit_price=price(plan, child.price_ticks),
        reduce_only=order.reduce_only,
    )
    if not is_taking and order.HasField("expire_time"):
        message.expire_time.CopyFrom(order.expire_time)
    if plan.terms.is_native_iceberg and child.meeting == SHOW:
        display = plan.terms.display_lots * plan.facts.lot_atto
        message.display_quantity.value = from_atto(min(display, child.quantity_atto))
    return message


def price(plan: Plan, ticks: int) -> Decimal:
    """Return a number of ticks as a decimal."""
    return Decimal(value=from_atto(ticks * plan.facts.tick_atto))


def half_ticks(plan: Plan, twice: int) -> Decimal:
    """Return half a number of ticks as a decimal: a mid price."""
    return Decimal(value=from_atto(twice * plan.facts.tick_atto // 2))


def as_parents(report: ExecutionReport, child: Child | None) -> ExecutionReport:
    """Return a venue's report with the ids of parent and child (A7).

    The only child of a DIRECT parent has its name and quantity: nothing changes. An order that
    nobody here sent keeps the name it came with.
    """
    if child is None or child.client_order_id == report.client_order_id:
        return report
    told = ExecutionReport()
    told.CopyFrom(report)
    told.client_order_id = child.client_order_id
    return told


def fact_of(report: ExecutionReport) -> Fact:
    """Return where a report leaves its order."""
    filled_atto, leaves_atto = _atto(report.cum_quantity), _atto(report.leaves_quantity)
    is_replaced = report.exec_type == EXEC_TYPE_REPLACED
    return Fact(
        venue_sequence=report.venue_sequence,
        status=STATUSES[report.order_status],
        filled_atto=filled_atto,
        leaves_atto=leaves_atto,
        venue_order_id=report.venue_order_id,
        quantity_atto=filled_atto + leaves_atto if is_replaced else 0,
    )


def answered_fact(answer: exchange_pb2.GetOrderResponse) -> Fact:
    """Return where an order stands that the venue was asked for."""
    return Fact(
        venue_sequence=answer.as_of_sequence,
        status=STATUSES[answer.order.status],
        filled_atto=_atto(answer.order.cum_quantity),
        leaves_atto=_atto(answer.order.leaves_quantity),
        venue_order_id=answer.order.venue_order_id,
        quantity_atto=_atto(answer.order.order.quantity),
    )


def queried(state: exchange_pb2.VenueOrderState) -> pb.QueriedOrder:
    """Return an order at a venue as orders sees it."""
    found = pb.QueriedOrder(
        client_order_id=state.order.client_order_id,
        account=state.order.account,
        instrument=state.order.instrument,
        side=state.order.side,
        venue_order_id=state.venue_order_id,
        status=state.status,
        quantity=state.order.quantity,
        cum_quantity=state.cum_quantity,
        leaves_quantity=state.leaves_quantity,
        session_id=state.session_id,
    )
    if state.order.HasField("limit_price"):
        found.limit_price.CopyFrom(state.order.limit_price)
    if state.order.HasField("stop_price"):
        found.stop_price.CopyFrom(state.order.stop_price)
    return found


def execution_message(
    parent: Parent, children: list[Child], parts: Split
) -> pb.GetExecutionResponse:
    """Return an execution as it stands."""
    return pb.GetExecutionResponse(
        execution_id=parent.execution_id,
        state=STATES[children[0].status],
        order=OrderSpec.FromString(parent.spec),
        plan=DIRECT_PLAN,
        children=[child_state(child) for child in children],
        filled=Decimal(value=from_atto(parts.filled_atto)),
        working=Decimal(value=from_atto(parts.working_atto)),
        doubtful=Decimal(value=from_atto(parts.doubtful_atto)),
        unscheduled=Decimal(value=from_atto(parts.unscheduled_atto)),
    )


def child_state(child: Child) -> pb.Child:
    """Return a child as it stands."""
    return pb.Child(
        child_order_id=child.child_order_id,
        venue_order_id=child.venue_order_id,
        status=SHOWN[child.status],
        quantity=Decimal(value=from_atto(child.quantity_atto)),
        filled=Decimal(value=from_atto(child.filled_atto)),
        attempts=child.attempts,
    )


def _atto(value: Decimal) -> int:
    return to_atto(value.value or "0")
