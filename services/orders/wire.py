"""Orders and their events as messages, and what reports mean as events of the state machine."""

import uuid
from collections.abc import Mapping
from typing import NamedTuple

from google.type.decimal_pb2 import Decimal
from trading.types.v1 import event_pb2, execution_pb2, order_pb2, risk_pb2
from trading.types.v1.event_pb2 import OrderCause
from trading.types.v1.execution_pb2 import ExecType

from runtime.atto import from_atto, to_atto
from runtime.times import to_timestamp
from services.orders.events import Event, Kind
from services.orders.states import (
    SHOWN,
    Doubt,
    Fill,
    Order,
    Place,
    Reject,
    RejectSource,
    Stage,
    Status,
)
from services.orders.store import Stored

SOURCE = "orders"
HIDING = frozenset(
    {
        Place.SUSPENDED,
        Place.PENDING_CANCEL,
        Place.PENDING_REPLACE,
        Place.DOUBT_NEW,
        Place.DOUBT_CANCEL,
        Place.DOUBT_REPLACE,
    }
)

STATUSES = {s: order_pb2.OrderStatus.Value(f"ORDER_STATUS_{s.name}") for s in Status}
STAGES = {s: order_pb2.OrderStage.Value(f"ORDER_STAGE_{s.name}") for s in Stage}
DOUBTS = {d: order_pb2.Doubt.Value(f"DOUBT_{d.name}") for d in Doubt}
REJECTERS = {r: order_pb2.RejectSource.Value(f"REJECT_SOURCE_{r.name}") for r in RejectSource}

CAUSES: Mapping[Kind, "OrderCause.ValueType"] = {
    Kind.SUBMITTED: OrderCause.ORDER_CAUSE_SUBMITTED,
    Kind.RISK_APPROVED: OrderCause.ORDER_CAUSE_RISK_APPROVED,
    Kind.RISK_REJECTED: OrderCause.ORDER_CAUSE_RISK_REJECTED,
    Kind.RISK_UNAVAILABLE: OrderCause.ORDER_CAUSE_RISK_UNAVAILABLE,
    Kind.APPROVAL_EXPIRED: OrderCause.ORDER_CAUSE_APPROVAL_EXPIRED,
    Kind.DISPATCHED: OrderCause.ORDER_CAUSE_DISPATCHED,
    Kind.RESENT: OrderCause.ORDER_CAUSE_DISPATCHED,
    Kind.REFUSED: OrderCause.ORDER_CAUSE_ROUTER_REJECTED,
    Kind.UNANSWERED: OrderCause.ORDER_CAUSE_ANSWER_LOST,
    Kind.CANCEL_UNANSWERED: OrderCause.ORDER_CAUSE_ANSWER_LOST,
    Kind.REPLACE_UNANSWERED: OrderCause.ORDER_CAUSE_ANSWER_LOST,
    Kind.CANCEL_REQUESTED: OrderCause.ORDER_CAUSE_CANCEL_REQUESTED,
    Kind.REPLACE_REQUESTED: OrderCause.ORDER_CAUSE_REPLACE_REQUESTED,
    Kind.RESUMED: OrderCause.ORDER_CAUSE_RESUMED,
    Kind.NOT_FOUND: OrderCause.ORDER_CAUSE_NOT_FOUND,
    Kind.STATE_KNOWN: OrderCause.ORDER_CAUSE_QUERIED,
    Kind.RESOLVED: OrderCause.ORDER_CAUSE_RESOLVED,
    Kind.REPLACE_REJECTED: OrderCause.ORDER_CAUSE_REPLACE_REFUSED,
    Kind.CANCEL_REJECTED: OrderCause.ORDER_CAUSE_QUERIED,  # Without a report: its answer said so.
}

KINDS: Mapping[int, Kind] = {
    ExecType.EXEC_TYPE_NEW: Kind.ACKNOWLEDGED,
    ExecType.EXEC_TYPE_CANCELED: Kind.CANCELED,
    ExecType.EXEC_TYPE_REPLACED: Kind.REPLACED,
    ExecType.EXEC_TYPE_REJECTED: Kind.VENUE_REJECTED,
    ExecType.EXEC_TYPE_SUSPENDED: Kind.SUSPENDED,
    ExecType.EXEC_TYPE_EXPIRED: Kind.EXPIRED,
    ExecType.EXEC_TYPE_TRADE: Kind.TRADED,
    ExecType.EXEC_TYPE_TRADE_CORRECT: Kind.CORRECTED,
    ExecType.EXEC_TYPE_TRADE_CANCEL: Kind.BUSTED,
    ExecType.EXEC_TYPE_CANCEL_REJECTED: Kind.CANCEL_REJECTED,
    ExecType.EXEC_TYPE_TRIGGERED: Kind.TRIGGERED,
}

# Where an order stands when a venue, asked, gives this status.
PLACES: Mapping[int, Place] = {
    order_pb2.ORDER_STATUS_NEW: Place.NEW,
    order_pb2.ORDER_STATUS_PARTIALLY_FILLED: Place.PARTIALLY_FILLED,
    order_pb2.ORDER_STATUS_FILLED: Place.FILLED,
    order_pb2.ORDER_STATUS_CANCELED: Place.CANCELED,
    order_pb2.ORDER_STATUS_REJECTED: Place.REJECTED,
    order_pb2.ORDER_STATUS_EXPIRED: Place.EXPIRED,
    order_pb2.ORDER_STATUS_SUSPENDED: Place.SUSPENDED,
}


WHOLE = frozenset({order_pb2.ALGORITHM_KIND_UNSPECIFIED, order_pb2.ALGORITHM_KIND_DIRECT})
TOO_LATE = frozenset(
    {
        execution_pb2.VENUE_REASON_UNSPECIFIED,
        execution_pb2.VENUE_REASON_TOO_LATE,
        execution_pb2.VENUE_REASON_UNKNOWN_ORDER,
    }
)


class Because(NamedTuple):
    """What an event of an order tells of its cause."""

    local: "OrderCause.ValueType | None" = None  # None: the report.
    report: execution_pb2.ExecutionReport | None = None


class Header(NamedTuple):
    """The place of an event among all events of orders."""

    sequence: int
    epoch: int
    occurred_ns: int
    traceparent: str = ""


def order_message(stored: Stored) -> order_pb2.Order:
    """Return an order as the world sees it."""
    order = stored.order
    shown = SHOWN[order.place]
    spec = order_pb2.OrderSpec.FromString(stored.spec)
    message = order_pb2.Order(
        spec=spec,
        order_id=stored.order_id,
        version=order.version,
        status=STATUSES[shown.status],
        stage=STAGES[shown.stage],
        doubt=DOUBTS[shown.doubt],
        cum_quantity=Decimal(value=from_atto(order.cum_atto)),
        leaves_quantity=Decimal(value=from_atto(order.leaves_atto)),
        venue_order_id=order.venue_order_id,
        decision_id=order.decision_id,
        created_at=to_timestamp(order.created_ns),
        updated_at=to_timestamp(order.updated_ns),
        is_cancel_wanted=order.is_cancel_wanted,
    )
    if order.place in HIDING:
        message.working_status = STATUSES[SHOWN[order.working].status]
    if order.doubt_since_ns:
        message.doubt_since.CopyFrom(to_timestamp(order.doubt_since_ns))
    if order.cum_atto:
        message.average_price.value = from_atto(order.average_price_atto)
    if stored.currency:
        message.fees.amount.value = from_atto(order.fees_atto)
        message.fees.currency = stored.currency
    if order.reject:
        message.reject.source = REJECTERS[order.reject.source]
        message.reject.codes.extend(order.reject.codes)
        message.reject.text = order.reject.text
    return message


def event_message(stored: Stored, because: Because, header: Header) -> event_pb2.OrderEvent:
    """Return the event that an order's new state is."""
    event = event_pb2.OrderEvent(
        header=event_pb2.EventHeader(
            event_id=event_id(header.sequence),
            sequence=header.sequence,
            source=SOURCE,
            epoch=header.epoch,
            occurred_at=to_timestamp(header.occurred_ns),
            traceparent=header.traceparent,
        ),
        order=order_message(stored),
        execution=because.report if because.local != OrderCause.ORDER_CAUSE_ANOMALY else None,
    )
    event.header.correlation_id = event.order.spec.signal_id or stored.client_order_id
    if because.report is not None:
        event.header.causation_id = because.report.exec_id
    if because.local is None:
        assert because.report is not None, "what nobody here did, a report says"
        event.exec_type = because.report.exec_type
    else:
        event.local_cause = because.local
    return event


def order_id(account: str, client_order_id: str) -> str:
    """Return this platform's name for an order: it follows from the maker's."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{account}/{client_order_id}"))


def event_id(sequence: int) -> str:
    """Return the id of an event of orders: the same wherever it is delivered."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{SOURCE}/{sequence}"))


def report_event(
    order: Order, report: execution_pb2.ExecutionReport, former: Fill | None, at_ns: int
) -> Event | None:
    """Return what a report means to `order`; None when it tells nothing new."""
    kind = _kind_of(order, report)
    if kind is None:
        return None
    return Event(
        kind,
        at_ns,
        fill=fill_of(report),
        former=former,
        reject=_venue_reject(report) if kind is Kind.VENUE_REJECTED else None,
        venue_order_id=report.venue_order_id,
    )


def fill_of(report: execution_pb2.ExecutionReport) -> Fill | None:
    """Return the fill that a report tells of, if it does."""
    if not report.HasField("last_quantity"):
        return None
    fee_atto = to_atto(report.fee.amount.value) if report.HasField("fee") else 0
    return Fill(to_atto(report.last_quantity.value), to_atto(report.last_price.value), fee_atto)


def attos(value: Decimal) -> int:
    """Return a decimal of the wire in attos; one that is absent or empty is 0."""
    return to_atto(value.value or "0")


def amended_spec(spec: bytes, before: Order) -> bytes:
    """Return the order as it is asked for once the amendment pending in `before` holds."""
    amendment = before.amendment
    assert amendment is not None
    message = order_pb2.OrderSpec.FromString(spec)
    message.quantity.value = from_atto(max(amendment.quantity_atto, before.cum_atto))
    if amendment.limit_price_atto is not None:
        message.limit_price.value = from_atto(amendment.limit_price_atto)
    if amendment.stop_price_atto is not None:
        message.stop_price.value = from_atto(amendment.stop_price_atto)
    return message.SerializeToString()


def is_worked_in_parts(spec: bytes) -> bool:
    """Whether an algorithm works the order by children of its own."""
    kind = order_pb2.OrderSpec.FromString(spec).algorithm.kind
    return kind not in WHOLE


def failed_codes(decision: risk_pb2.RiskDecision) -> tuple[str, ...]:
    """Return the stable names of the checks that failed."""
    return tuple(
        reason_name(check.code)
        for check in decision.checks
        if check.outcome == risk_pb2.CHECK_OUTCOME_FAILED
    )


def reason_name(code: "risk_pb2.RiskReason.ValueType") -> str:
    """Return a reason without its prefix."""
    return risk_pb2.RiskReason.Name(code).removeprefix("RISK_REASON_")


def _kind_of(order: Order, report: execution_pb2.ExecutionReport) -> Kind | None:
    exec_type = report.exec_type
    is_halted = order.place is Place.SUSPENDED or order.working is Place.SUSPENDED
    if exec_type in {ExecType.EXEC_TYPE_ORDER_STATUS, ExecType.EXEC_TYPE_NEW} and is_halted:
        works = PLACES.get(report.order_status) in {Place.NEW, Place.PARTIALLY_FILLED}
        return Kind.RESUMED if works else None
    if exec_type == ExecType.EXEC_TYPE_CANCEL_REJECTED:
        return Kind.REPLACE_REJECTED if _is_of_replace(order, report) else Kind.CANCEL_REJECTED
    return KINDS.get(exec_type)


def _is_of_replace(order: Order, report: execution_pb2.ExecutionReport) -> bool:
    """Whether a refusal answers a replacement; with a cancel pending as well its reason tells.

    A cancel can only come too late, so any other reason is that of the replacement before it.
    """
    if order.place in {Place.PENDING_REPLACE, Place.DOUBT_REPLACE}:
        return True
    return order.amendment is not None and report.reject_reason not in TOO_LATE


def _venue_reject(report: execution_pb2.ExecutionReport) -> Reject:
    name = execution_pb2.VenueReason.Name(report.reject_reason).removeprefix("VENUE_REASON_")
    codes = () if name == "UNSPECIFIED" else (name,)
    return Reject(RejectSource.VENUE, codes, report.text)
