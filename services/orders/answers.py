"""What the service answers, and what its requests ask for, as messages."""

from collections.abc import Callable, Sequence

from google.type.decimal_pb2 import Decimal
from trading.execution.v1.execution_pb2 import QueriedOrder
from trading.orders.v1 import orders_pb2 as pb
from trading.types.v1 import order_pb2, risk_pb2
from trading.types.v1.event_pb2 import OrderEvent

from runtime.times import to_timestamp
from services.orders import wire
from services.orders.bookkeeping import Outcome
from services.orders.listing import DecidedSignal, OrderFilter, Page
from services.orders.reconciling import Break, BreakKind, Comparison
from services.orders.replaces import NewValues
from services.orders.states import SHOWN
from services.orders.store import Stored

BREAKS = {b: pb.OrderBreakKind.Value(f"ORDER_BREAK_KIND_{b.name}") for b in BreakKind}
OUTCOMES = {o: pb.SignalOutcome.Value(f"SIGNAL_OUTCOME_{o.name}") for o in Outcome}


def submitted(stored: Stored) -> pb.SubmitOrderResponse:
    """Return the answer to the maker of an order."""
    answer = pb.SubmitOrderResponse(order=wire.order_message(stored))
    if stored.decision:
        answer.decision.CopyFrom(risk_pb2.RiskDecision.FromString(stored.decision))
    return answer


def order_filter(request: pb.ListOrdersRequest) -> OrderFilter:
    """Return which orders a request asks for."""
    statuses = frozenset(request.statuses)
    places = [
        int(place) for place, shown in SHOWN.items() if wire.STATUSES[shown.status] in statuses
    ]
    return OrderFilter(
        account=request.account,
        strategy_id=request.strategy_id,
        instrument=request.instrument,
        places=tuple(places),
        is_live_only=request.is_live_only,
    )


def event_filter(request: pb.WatchOrderEventsRequest) -> Callable[[OrderEvent], bool] | None:
    """Return which events a watcher asks for; None: all."""
    wanted = (request.account, request.strategy_id, request.instrument)
    if not any(wanted):
        return None

    def matches(event: OrderEvent) -> bool:
        spec = event.order.spec
        actual = (spec.account, spec.strategy_id, spec.instrument)
        return all(want in {"", has} for want, has in zip(wanted, actual, strict=True))

    return matches


def new_values(request: pb.ReplaceOrderRequest) -> NewValues:
    """Return what an order shall become."""

    def stated(field: Decimal) -> int | None:
        return wire.attos(field) if field.value else None

    return NewValues(
        etag=request.etag,
        quantity_atto=stated(request.quantity),
        limit_price_atto=stated(request.limit_price),
        stop_price_atto=stated(request.stop_price),
    )


def canceled(asked: Sequence[Stored]) -> pb.CancelOrdersResponse:
    """Return everything that a mass cancel asked for; callers get it page by page."""
    orders = [wire.order_message(stored) for stored in asked]
    return pb.CancelOrdersResponse(requested=len(orders), orders=orders)


def page_of(whole: pb.CancelOrdersResponse, page: Page) -> pb.CancelOrdersResponse:
    """Return one page of what a mass cancel asked for."""
    until = page.after + page.size
    answer = pb.CancelOrdersResponse(requested=whole.requested)
    answer.orders.extend(whole.orders[page.after : until])
    answer.next_page_token = page.token_at(until) if until < whole.requested else ""
    return answer


def comparison(found: Comparison) -> pb.ReconcileOrdersResponse:
    """Return how orders compare with the venue's."""
    return pb.ReconcileOrdersResponse(matched=found.matched, breaks=map(_break, found.breaks))


def _break(found: Break) -> pb.OrderBreak:
    answer = pb.OrderBreak(kind=BREAKS[found.kind], client_order_id=found.key[1])
    if found.ours is not None:
        answer.ours.CopyFrom(wire.order_message(found.ours))
    if found.theirs is not None:
        answer.venue.CopyFrom(_venue_order(found.theirs))
    return answer


def _venue_order(theirs: QueriedOrder) -> order_pb2.Order:
    spec = order_pb2.OrderSpec(
        client_order_id=theirs.client_order_id,
        account=theirs.account,
        instrument=theirs.instrument,
        side=theirs.side,
        quantity=theirs.quantity,
    )
    return order_pb2.Order(
        spec=spec,
        status=theirs.status,
        venue_order_id=theirs.venue_order_id,
        cum_quantity=theirs.cum_quantity,
        leaves_quantity=theirs.leaves_quantity,
    )


def signal_decision(decided: DecidedSignal) -> pb.SignalDecision:
    """Return what became of a signal."""
    return pb.SignalDecision(
        signal_id=decided.signal_id,
        strategy_id=decided.strategy_id,
        sequence=decided.sequence,
        outcome=OUTCOMES[decided.outcome],
        client_order_id=decided.client_order_id,
        order_id=decided.order_id,
        codes=decided.codes,
        decided_at=to_timestamp(decided.decided_ns),
    )
