"""Parents that are worked over time, as messages."""

from collections.abc import Sequence

from trading.execution.v1 import execution_pb2 as pb
from trading.types.v1 import order_pb2
from trading.types.v1.order_pb2 import AlgorithmKind, OrderSpec

from runtime.times import to_timestamp
from services.execution.algorithms.ledger import Ledger
from services.execution.children import Child
from services.execution.plans import KeptSlice, Plan, PlanStatus
from services.execution.store import Parent
from services.execution.upward import quantity, status_of
from services.execution.wire import child_state, half_ticks, price

State = pb.ExecutionState
STATES = {
    PlanStatus.WORKING: State.EXECUTION_STATE_WORKING,
    PlanStatus.FILLED: State.EXECUTION_STATE_FILLED,
    PlanStatus.CANCELED: State.EXECUTION_STATE_CANCELED,
}


def state_of(plan: Plan) -> "pb.ExecutionState.ValueType":
    """Return where a plan stands."""
    return STATES[plan.status]


def plan_summary(plan: Plan) -> pb.PlanSummary:
    """Return how a parent is worked."""
    summary = pb.PlanSummary(
        algorithm=AlgorithmKind.Value(f"ALGORITHM_KIND_{plan.terms.kind.value}"),
        slices=plan.facts.slices,
        start_time=to_timestamp(plan.terms.start_ns),
        profile=plan.facts.profile,
    )
    if plan.terms.end_ns:
        summary.end_time.CopyFrom(to_timestamp(plan.terms.end_ns))
    return summary


def execution_message(
    parent: Parent, plan: Plan, children: Sequence[Child], slices: Sequence[KeptSlice], note: str
) -> pb.GetExecutionResponse:
    """Return an execution as it stands."""
    ledger = _ledger(plan, children)
    message = pb.GetExecutionResponse(
        execution_id=parent.execution_id,
        state=state_of(plan),
        order=OrderSpec.FromString(parent.spec),
        plan=plan_summary(plan),
        children=[worked_child(plan, child) for child in children],
        filled=quantity(plan, ledger.filled_lots),
        working=quantity(plan, ledger.working_lots),
        doubtful=quantity(plan, ledger.doubtful_lots),
        unscheduled=quantity(plan, 0 if plan.is_over else ledger.unscheduled_lots),
        slices=[_slice(plan, one) for one in slices],
        is_paused=plan.is_paused,
        note="" if plan.is_over else note or plan.note,
    )
    message.order.quantity.CopyFrom(quantity(plan, plan.terms.quantity_lots))
    if plan.terms.limit_ticks:
        message.order.limit_price.CopyFrom(price(plan, plan.terms.limit_ticks))
    if plan.facts.arrival_twice_mid:
        message.arrival_price.CopyFrom(half_ticks(plan, plan.facts.arrival_twice_mid))
    return message


def queried_parent(parent: Parent, plan: Plan) -> pb.QueriedOrder:
    """Return a parent as orders sees an order at a venue: execution answers for it (X4)."""
    spec = OrderSpec.FromString(parent.spec)
    queried = pb.QueriedOrder(
        client_order_id=plan.client_order_id,
        account=plan.account,
        instrument=spec.instrument,
        side=order_pb2.Side.ValueType(plan.facts.side),
        status=status_of(plan),
        quantity=quantity(plan, plan.terms.quantity_lots),
        cum_quantity=quantity(plan, plan.filled_lots),
        leaves_quantity=quantity(plan, plan.leaves_lots),
    )
    if plan.terms.limit_ticks:
        queried.limit_price.CopyFrom(price(plan, plan.terms.limit_ticks))
    return queried


def worked_child(plan: Plan, child: Child) -> pb.Child:
    """Return a child of an algorithm as it stands."""
    message = child_state(child)
    message.slice, message.meeting = child.slice, child.meeting
    message.limit_price.CopyFrom(price(plan, child.price_ticks))
    message.sent_time.CopyFrom(to_timestamp(child.sent_ns))
    return message


def _ledger(plan: Plan, children: Sequence[Child]) -> Ledger:
    lot = plan.facts.lot_atto
    return Ledger(
        quantity_lots=plan.terms.quantity_lots,
        filled_lots=sum(child.filled_atto for child in children) // lot,
        working_lots=sum(c.leaves_atto for c in children if c.is_working) // lot,
        doubtful_lots=sum(c.leaves_atto for c in children if c.is_unsettled) // lot,
    )


def _slice(plan: Plan, one: KeptSlice) -> pb.SliceState:
    message = pb.SliceState(
        number=one.number,
        due_time=to_timestamp(one.due_ns),
        target=quantity(plan, one.target_lots),
        outcome=one.outcome,
    )
    if one.sent_ns:
        message.sent_time.CopyFrom(to_timestamp(one.sent_ns))
    return message
