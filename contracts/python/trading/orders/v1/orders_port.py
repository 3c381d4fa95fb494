"""Ports of trading/orders/v1/orders.proto. Generated: edit that, then `make generate`."""

from collections.abc import AsyncGenerator, Mapping
from typing import ClassVar

from runtime.errors import unimplemented
from runtime.rpc import Call, Idempotency, Policy, Port
from trading.orders.v1 import orders_pb2 as pb


class OrderService(Port):
    """Owns every order's life; turns approved signals into orders; sends each at most once and
    forgets none.

    An order is stored before anything is asked of risk, and each send is stored before it is made.
    What has no answer is IN_DOUBT, never rejected: it is queried until known and only then sent
    again, under the same client_order_id. A denial by risk, a rejection by the venue and a doubt
    are answers, not errors. Every change of an order is one event; events have one gap-free
    sequence over all orders, in the order of their commits.
    Until the service has caught up with execution and compared its live orders with the venue's
    after a start, every method that changes something fails with UNAVAILABLE, reason RECONCILING.
    An order with a protection of mode VENUE_STOP gets, from its first fill on, a reduce-only STOP
    "<id>/sl" and, with a target, a LIMIT "<id>/tp" for what it has filled and is still open; what
    one closes the other gives up. A refused stop is tried once more at the edge of the collar
    ("<id>/900001"), then the position is closed at the market, with an alarm. Where risk halts
    trading every live order of the scope is canceled.
    """

    DESCRIPTOR = pb.DESCRIPTOR.services_by_name["OrderService"]
    POLICIES: ClassVar[Mapping[str, Policy]] = {
        "submit_order": Policy(
            deadline_s=2.0,
            idempotency=Idempotency.IDEMPOTENT_BY_KEY,
            key="order.client_order_id",
            roles=frozenset({"TRADER"}),
            callers=frozenset({"gateway", "planning"}),
            target_rps=200.0,
            p99_ms=100.0,
            audited=True,
            intent=True,
        ),
        "cancel_order": Policy(
            deadline_s=2.0,
            idempotency=Idempotency.IDEMPOTENT_BY_KEY,
            key="request_id",
            roles=frozenset({"OPERATOR", "RISK_OFFICER", "TRADER"}),
            callers=frozenset({"risk"}),
            target_rps=50.0,
            p99_ms=100.0,
            audited=True,
            urgent=True,
        ),
        "cancel_orders": Policy(
            deadline_s=5.0,
            idempotency=Idempotency.IDEMPOTENT_BY_KEY,
            key="request_id",
            roles=frozenset({"OPERATOR", "RISK_OFFICER", "TRADER"}),
            target_rps=1.0,
            p99_ms=500.0,
            audited=True,
            urgent=True,
        ),
        "replace_order": Policy(
            deadline_s=2.0,
            idempotency=Idempotency.IDEMPOTENT_BY_KEY,
            key="request_id",
            roles=frozenset({"TRADER"}),
            callers=frozenset({"strategy"}),
            target_rps=20.0,
            p99_ms=100.0,
            audited=True,
            intent=True,
        ),
        "get_order": Policy(
            deadline_s=1.0,
            idempotency=Idempotency.SAFE,
            roles=frozenset({"TRADER", "VIEWER"}),
            callers=frozenset({"*"}),
            target_rps=100.0,
            p99_ms=30.0,
        ),
        "list_orders": Policy(
            deadline_s=1.0,
            idempotency=Idempotency.SAFE,
            roles=frozenset({"TRADER", "VIEWER"}),
            callers=frozenset({"*"}),
            target_rps=100.0,
            p99_ms=30.0,
        ),
        "watch_order_events": Policy(
            deadline_s=None,
            idempotency=Idempotency.SAFE,
            roles=frozenset({"TRADER", "VIEWER"}),
            callers=frozenset({"*"}),
            target_rps=600.0,
            p99_ms=50.0,
        ),
        "watch_alarms": Policy(
            deadline_s=None,
            idempotency=Idempotency.SAFE,
            roles=frozenset({"OPERATOR", "RISK_OFFICER", "TRADER", "VIEWER"}),
            callers=frozenset({"*"}),
            target_rps=5.0,
            p99_ms=50.0,
        ),
        "list_signal_decisions": Policy(
            deadline_s=1.0,
            idempotency=Idempotency.SAFE,
            roles=frozenset({"AUDITOR", "TRADER", "VIEWER"}),
            callers=frozenset({"strategy"}),
            target_rps=10.0,
            p99_ms=50.0,
        ),
        "reconcile_orders": Policy(
            deadline_s=30.0,
            idempotency=Idempotency.IDEMPOTENT_BY_KEY,
            key="request_id",
            roles=frozenset({"OPERATOR", "RISK_OFFICER"}),
            audited=True,
        ),
        "resolve_order": Policy(
            deadline_s=1.0,
            idempotency=Idempotency.IDEMPOTENT_BY_KEY,
            key="request_id",
            roles=frozenset({"RISK_OFFICER"}),
            audited=True,
        ),
    }

    async def submit_order(
        self, request: pb.SubmitOrderRequest, call: Call = Call()
    ) -> pb.SubmitOrderResponse:
        """Stores an order, has it validated by risk, sends it and answers once the outcome is known.

        Answers with the order acknowledged by the venue, rejected by risk, router or venue, or
        IN_DOUBT when the answer is missing near the deadline. A caller that leaves does not cancel
        the order. Repeating a client_order_id with the same order returns the first answer, and
        waits for it while it is still on its way. With validate_only risk is asked, and nothing is
        stored or sent.
        Errors: ALREADY_EXISTS (the id was used for another order), INVALID_ARGUMENT (among others
        an id with "/"), RESOURCE_EXHAUSTED with reason TOO_MANY_IN_FLIGHT, UNAVAILABLE with reason
        RECONCILING.
        """
        raise unimplemented(self)

    async def cancel_order(
        self, request: pb.CancelOrderRequest, call: Call = Call()
    ) -> pb.CancelOrderResponse:
        """Asks for the cancel of an order, and answers once the venue has decided or is in doubt.

        An order that was not sent yet ends at once. One whose own send is in doubt remembers the
        cancel (is_cancel_wanted), which is sent once the order is known to work. A cancel that
        crosses a fill ends FILLED. Cancelling what is being canceled changes nothing. Repeating a
        request_id returns the first answer.
        Errors: NOT_FOUND with reason ORDER_UNKNOWN, FAILED_PRECONDITION with reason ORDER_ENDED
        (metadata status) or ORDER_AMBIGUOUS, UNAVAILABLE with reason RECONCILING.
        """
        raise unimplemented(self)

    async def cancel_orders(
        self, request: pb.CancelOrdersRequest, call: Call = Call()
    ) -> pb.CancelOrdersResponse:
        """Asks for the cancel of every live order in a scope; answers once all are asked for.

        The orders are listed as they stand then, oldest first; each goes on as after CancelOrder. An
        order whose cancel is under way already is not among them. Repeating a request_id asks for
        nothing again and returns the first answer, with another page_token another page of it.
        Errors: INVALID_ARGUMENT with reason PAGE_TOKEN_FOREIGN, UNAVAILABLE with reason RECONCILING.
        """
        raise unimplemented(self)

    async def replace_order(
        self, request: pb.ReplaceOrderRequest, call: Call = Call()
    ) -> pb.ReplaceOrderResponse:
        """Changes quantity or prices of a working order, and answers once the venue has decided.

        Risk validates the new order first; its refusal leaves the order as it was. Fills that come
        before the venue's confirmation carry the old values. Repeating a request_id returns the
        first answer.
        Errors: NOT_FOUND with reason ORDER_UNKNOWN, ABORTED with reason ETAG_STALE (read again),
        FAILED_PRECONDITION with reason ORDER_NOT_WORKING, ORDER_ENDED, BELOW_FILLED (the quantity
        is below what has traded) or RISK_REJECTED (metadata codes), UNAVAILABLE with reason
        RECONCILING.
        """
        raise unimplemented(self)

    async def get_order(
        self, request: pb.GetOrderRequest, call: Call = Call()
    ) -> pb.GetOrderResponse:
        """Returns an order as it is committed.

        Errors: NOT_FOUND with reason ORDER_UNKNOWN, FAILED_PRECONDITION with reason ORDER_AMBIGUOUS
        (several accounts used the client_order_id: name the account).
        """
        raise unimplemented(self)

    async def list_orders(
        self, request: pb.ListOrdersRequest, call: Call = Call()
    ) -> pb.ListOrdersResponse:
        """Returns the orders that pass the filters, in the order in which they were accepted.

        Errors: INVALID_ARGUMENT with reason PAGE_TOKEN_FOREIGN (the token belongs to another query).
        """
        raise unimplemented(self)

    def watch_order_events(
        self, request: pb.WatchOrderEventsRequest, call: Call = Call()
    ) -> AsyncGenerator[pb.WatchOrderEventsResponse, None]:
        """Streams every order event after after_sequence, in sequence order, without end.

        The first message is a heartbeat with the current sequence; more follow while nothing else
        is sent. Filters drop events, never reorder them.
        Errors: OUT_OF_RANGE (after_sequence is older than what is kept, or ahead of what exists),
        RESOURCE_EXHAUSTED (the reader is too slow; resume from the last sequence it has).
        """
        raise unimplemented(self)

    def watch_alarms(
        self, request: pb.WatchAlarmsRequest, call: Call = Call()
    ) -> AsyncGenerator[pb.WatchAlarmsResponse, None]:
        """Streams every alarm after after_sequence, in sequence order, without end.

        An alarm is what a person should look at: an order in doubt for 5 s, something that the rules
        of an order's life exclude, a position whose stop was refused, a signal that could not be
        read, a subscriber of order events that lags. Alarms are stored before they are shown.
        The first message is a heartbeat with the current sequence; more follow while nothing else
        is sent.
        Errors: as of WatchOrderEvents.
        """
        raise unimplemented(self)

    async def list_signal_decisions(
        self, request: pb.ListSignalDecisionsRequest, call: Call = Call()
    ) -> pb.ListSignalDecisionsResponse:
        """Returns what became of signals, in the order in which they were decided.

        Every published signal has exactly one decision once it is decided, and none before.
        Errors: INVALID_ARGUMENT with reason PAGE_TOKEN_FOREIGN.
        """
        raise unimplemented(self)

    async def reconcile_orders(
        self, request: pb.ReconcileOrdersRequest, call: Call = Call()
    ) -> pb.ReconcileOrdersResponse:
        """Compares the live orders with those of a venue, and says where they differ.

        What the venue knows and we do not is imported as an external order; missing executions are
        applied; nothing is sent. Repeating a request_id returns the first answer.
        Errors: FAILED_PRECONDITION with reason VENUE_UNREACHABLE.
        """
        raise unimplemented(self)

    async def resolve_order(
        self, request: pb.ResolveOrderRequest, call: Call = Call()
    ) -> pb.ResolveOrderResponse:
        """Ends the doubt of an order by a person's evidence, such as the venue's written answer.

        What has traded must agree with the outcome: executions are never made up here. Repeating a
        request_id returns the first answer.
        Errors: NOT_FOUND with reason ORDER_UNKNOWN, ABORTED with reason ETAG_STALE,
        FAILED_PRECONDITION with reason NOT_IN_DOUBT or OUTCOME_INCONSISTENT, UNAVAILABLE with reason
        RECONCILING.
        """
        raise unimplemented(self)
