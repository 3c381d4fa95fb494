"""What the service answers, and what its requests ask for, as messages."""

from trading.orders.v1 import orders_pb2 as pb
from trading.types.v1 import risk_pb2

from runtime.times import to_timestamp
from services.orders import wire
from services.orders.bookkeeping import Outcome
from services.orders.listing import DecidedSignal, OrderFilter
from services.orders.states import SHOWN
from services.orders.store import Stored

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
