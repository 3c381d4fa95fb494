"""What orders is told of a parent that is worked over time: never of a child as if it were one.

A trade of a child is a trade of the parent, with the parent's filled and open quantity and the
venue's own exec_id (A7). Whatever else happens to a child is where the parent stands, nothing
more. What the venue cannot say, because it knows no parent, execution says under its own names.
"""

from dataclasses import replace

from google.type.decimal_pb2 import Decimal
from trading.types.v1 import order_pb2
from trading.types.v1.execution_pb2 import (
    EXEC_TYPE_ORDER_STATUS,
    EXEC_TYPE_TRADE,
    EXEC_TYPE_TRADE_CANCEL,
    EXEC_TYPE_TRADE_CORRECT,
    ExecType,
    ExecutionReport,
    VenueReason,
)

from runtime.atto import from_atto
from runtime.times import to_timestamp
from services.execution.children import Child
from services.execution.plans import Plan, PlanStatus
from services.execution.venue import VenueLink

TRADES = frozenset({EXEC_TYPE_TRADE, EXEC_TYPE_TRADE_CANCEL, EXEC_TYPE_TRADE_CORRECT})


def after_child(plan: Plan, before: Child, after: Child) -> Plan:
    """Return a plan after what became of one of its children."""
    filled_lots = plan.filled_lots + (after.filled_atto - before.filled_atto) // plan.facts.lot_atto
    is_filled = not plan.is_over and filled_lots == plan.terms.quantity_lots
    status = PlanStatus.FILLED if is_filled else plan.status
    return replace(plan, filled_lots=filled_lots, status=status)


def parents_report(plan: Plan, report: ExecutionReport) -> ExecutionReport:
    """Return a child's report as the parent's, where the plan stands after it."""
    told = ExecutionReport()
    told.CopyFrom(report)
    told.child_order_id = report.client_order_id
    told.client_order_id = plan.client_order_id
    _state(told, plan)
    if report.exec_type not in TRADES:
        told.exec_type = EXEC_TYPE_ORDER_STATUS
    return told


def own_report(
    plan: Plan, exec_type: ExecType.ValueType, link: VenueLink, now_ns: int
) -> tuple[Plan, ExecutionReport]:
    """Return a report of execution's own about a parent, and the plan that has made it."""
    number = plan.reports_made + 1
    plan = replace(plan, reports_made=number)
    report = ExecutionReport(
        exec_id=f"{plan.facts.execution_id}-{number}",
        exec_type=exec_type,
        client_order_id=plan.client_order_id,
        child_order_id=plan.client_order_id,
        venue=link.venue,
        account=plan.account,
        instrument=plan.facts.instrument,
        side=order_pb2.Side.ValueType(plan.facts.side),
        session_id=link.session_id,
        transact_time=to_timestamp(now_ns),
    )
    _state(report, plan)
    return plan, report


def with_reason(report: ExecutionReport, reason: VenueReason.ValueType, text: str) -> None:
    """Say why an execution ended."""
    report.reject_reason = reason
    report.text = text


def status_of(plan: Plan) -> order_pb2.OrderStatus.ValueType:
    """Return a parent's status as orders knows it."""
    if plan.status is PlanStatus.FILLED:
        return order_pb2.ORDER_STATUS_FILLED
    if plan.status is PlanStatus.CANCELED:
        return order_pb2.ORDER_STATUS_CANCELED
    if plan.filled_lots:
        return order_pb2.ORDER_STATUS_PARTIALLY_FILLED
    return order_pb2.ORDER_STATUS_NEW


def quantity(plan: Plan, lots: int) -> Decimal:
    """Return a number of lots as a decimal."""
    return Decimal(value=from_atto(lots * plan.facts.lot_atto))


def _state(report: ExecutionReport, plan: Plan) -> None:
    report.order_status = status_of(plan)
    report.cum_quantity.CopyFrom(quantity(plan, plan.filled_lots))
    report.leaves_quantity.CopyFrom(quantity(plan, plan.leaves_lots))
