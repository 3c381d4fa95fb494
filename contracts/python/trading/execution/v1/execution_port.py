"""Ports of trading/execution/v1/execution.proto. Generated: edit that, then `make generate`."""

from collections.abc import AsyncGenerator, Mapping
from typing import ClassVar

from runtime.errors import unimplemented
from runtime.rpc import Call, Idempotency, Policy, Port
from trading.execution.v1 import execution_pb2 as pb


class ExecutionService(Port):
    """Executes approved parent orders, directly or by an algorithm, and conserves quantity exactly.

    At every instant a parent's quantity = filled + working + doubtful + unscheduled. The venue is
    the suffix of the instrument. A child whose sending has no known outcome is in doubt: it counts
    as open, and nothing is sent in its place until a report or a query resolves it.
    The algorithm DIRECT makes one child of the parent's own id. The others make children
    "<parent>/<n>" in time: each is sent at its due time by the market's clock, for what is missing
    of the cumulative target, never beyond the parent's limit or the instrument's collar, and only
    when there is a market price. What came back untraded is caught up by the next slice, no child
    larger than max_child. When the window ends the remainder is canceled (WINDOW_ENDED), or, with
    must_complete, sent up to the collar once a second, five times, and then canceled.
    In the modes HALTED and CANCEL_ONLY, and while risk is not heard for 3 s, timers stop, children
    are canceled and no order is taken; in REDUCE_ONLY the same holds for opening orders that risk
    had approved before.
    Reports to orders are of parents: a child's trade with the parent's quantities under the venue's
    exec_id, anything else of a child as ORDER_STATUS; NEW, REPLACED and CANCELED of a parent that
    is worked over time are execution's own.
    """

    DESCRIPTOR = pb.DESCRIPTOR.services_by_name["ExecutionService"]
    POLICIES: ClassVar[Mapping[str, Policy]] = {
        "start_execution": Policy(
            deadline_s=1.0,
            idempotency=Idempotency.IDEMPOTENT_BY_KEY,
            key="order.account+order.client_order_id",
            max_attempts=1,
            callers=frozenset({"orders"}),
            target_rps=200.0,
            p99_ms=60.0,
            intent=True,
        ),
        "cancel_execution": Policy(
            deadline_s=1.0,
            idempotency=Idempotency.IDEMPOTENT_BY_KEY,
            key="request_id",
            callers=frozenset({"orders"}),
            target_rps=50.0,
            p99_ms=60.0,
            urgent=True,
        ),
        "replace_execution": Policy(
            deadline_s=1.0,
            idempotency=Idempotency.IDEMPOTENT_BY_KEY,
            key="request_id",
            callers=frozenset({"orders"}),
            target_rps=50.0,
            p99_ms=60.0,
            intent=True,
        ),
        "pause_execution": Policy(
            deadline_s=1.0,
            idempotency=Idempotency.IDEMPOTENT_BY_KEY,
            key="request_id",
            roles=frozenset({"OPERATOR", "TRADER"}),
            callers=frozenset({"orders"}),
            target_rps=5.0,
            p99_ms=60.0,
        ),
        "get_execution": Policy(
            deadline_s=0.5,
            idempotency=Idempotency.SAFE,
            roles=frozenset({"TRADER", "VIEWER"}),
            callers=frozenset({"orders"}),
            target_rps=20.0,
            p99_ms=30.0,
        ),
        "preview_execution": Policy(
            deadline_s=1.0,
            idempotency=Idempotency.SAFE,
            roles=frozenset({"TRADER", "VIEWER"}),
            target_rps=5.0,
            p99_ms=100.0,
        ),
        "query_order": Policy(
            deadline_s=1.0,
            idempotency=Idempotency.SAFE,
            callers=frozenset({"orders"}),
            target_rps=20.0,
            p99_ms=60.0,
        ),
        "list_venue_orders": Policy(
            deadline_s=5.0,
            idempotency=Idempotency.SAFE,
            roles=frozenset({"OPERATOR"}),
            callers=frozenset({"orders"}),
        ),
        "watch_execution_reports": Policy(
            deadline_s=None,
            idempotency=Idempotency.SAFE,
            callers=frozenset({"orders"}),
            target_rps=600.0,
            p99_ms=40.0,
        ),
        "get_execution_analysis": Policy(
            deadline_s=1.0,
            idempotency=Idempotency.SAFE,
            roles=frozenset({"TRADER", "VIEWER"}),
            target_rps=5.0,
            p99_ms=100.0,
        ),
        "list_venues": Policy(
            deadline_s=0.5,
            idempotency=Idempotency.SAFE,
            roles=frozenset({"OPERATOR", "VIEWER"}),
            target_rps=5.0,
            p99_ms=30.0,
        ),
    }

    async def start_execution(
        self, request: pb.StartExecutionRequest, call: Call = Call()
    ) -> pb.StartExecutionResponse:
        """Takes an approved order and sends it; answers when the venue has answered.

        Parent, child and dispatch are committed before anything is sent. The key is the order's
        client_order_id within its account: a repeat with an equal order sends nothing and answers
        where the execution stands. One exception: a child that the venue certainly never accepted
        (state NOT_ACCEPTED) is sent again, under the same id, when the repeat carries a decision
        that has not been used before.
        Errors: FAILED_PRECONDITION with reason NOT_APPROVED (token wrong, expired, or of another
        order), MODE_BLOCKED (the trading mode forbids it), VENUE_UNHEALTHY (it rejects more than half
        of at least 20 orders, or left more than 10 unanswered for 30 s), WINDOW_INVALID (past, or
        shorter than one slice) or VOLUME_UNKNOWN (POV without volumes); INVALID_ARGUMENT with reason
        ALGORITHM_INVALID; NOT_FOUND with reason VENUE_UNKNOWN or INSTRUMENT_UNKNOWN; ABORTED with
        reason EPOCH_SUPERSEDED (a newer writer has been seen; metadata current); ALREADY_EXISTS with
        reason ORDER_DIFFERS: nothing was sent.
        FAILED_PRECONDITION with reason VENUE_REFUSED: the venue certainly did not take the order
        (metadata venue_reason); a repeat gets the same.
        UNAVAILABLE with reason IN_DOUBT: it may have been sent, and nobody knows yet. The same after
        DEADLINE_EXCEEDED. Ask QueryOrder, or wait for a report.
        """
        raise unimplemented(self)

    async def cancel_execution(
        self, request: pb.CancelExecutionRequest, call: Call = Call()
    ) -> pb.CancelExecutionResponse:
        """Cancels an execution: no further child is sent, live children are canceled at the venue.

        Answers when the venue has answered. Canceling what has ended changes nothing and answers
        its state. Repeating a request_id returns the first answer.
        Errors: NOT_FOUND with reason EXECUTION_UNKNOWN, ALREADY_EXISTS (request_id of another
        request), FAILED_PRECONDITION with reason CHILD_IN_DOUBT (cancel again when it is resolved).
        UNAVAILABLE with reason IN_DOUBT: the venue's answer is missing; repeat the same request.
        """
        raise unimplemented(self)

    async def replace_execution(
        self, request: pb.ReplaceExecutionRequest, call: Call = Call()
    ) -> pb.ReplaceExecutionResponse:
        """Gives an execution another quantity or limit.

        Answers when the venue has answered; what came of it is a REPLACED or a CANCEL_REJECTED report.
        Replacing what has ended changes nothing and answers its state. Repeating a request_id returns
        the first answer, and asks the venue under the same name when that answer was missing.
        Errors: as of CancelExecution; FAILED_PRECONDITION with reason BELOW_FILLED.
        """
        raise unimplemented(self)

    async def pause_execution(
        self, request: pb.PauseExecutionRequest, call: Call = Call()
    ) -> pb.PauseExecutionResponse:
        """Pauses an execution that is worked over time, or lets it go on.

        Pausing stops its timers and cancels what works at the venue; what comes back is caught up
        when it goes on. Its window ends all the same. Pausing what is paused or has ended changes
        nothing. Repeating a request_id returns the first answer.
        Errors: NOT_FOUND with reason EXECUTION_UNKNOWN, FAILED_PRECONDITION with reason
        NOT_SCHEDULED, ALREADY_EXISTS (request_id of another request).
        """
        raise unimplemented(self)

    async def get_execution(
        self, request: pb.GetExecutionRequest, call: Call = Call()
    ) -> pb.GetExecutionResponse:
        """Answers an execution's plan, children and where its quantity is.

        Errors: NOT_FOUND with reason EXECUTION_UNKNOWN.
        """
        raise unimplemented(self)

    async def preview_execution(
        self, request: pb.PreviewExecutionRequest, call: Call = Call()
    ) -> pb.PreviewExecutionResponse:
        """Answers the plan that an order would get; nothing is stored or sent. Times have no jitter.

        Errors: FAILED_PRECONDITION with reason WINDOW_INVALID or VOLUME_UNKNOWN; INVALID_ARGUMENT
        with reason ALGORITHM_INVALID; NOT_FOUND with reason VENUE_UNKNOWN or INSTRUMENT_UNKNOWN.
        """
        raise unimplemented(self)

    async def query_order(
        self, request: pb.QueryOrderRequest, call: Call = Call()
    ) -> pb.QueryOrderResponse:
        """Asks the venue for one order, now.

        A venue that does not answer is UNAVAILABLE: nothing is known. `found` false means that the
        venue does not have the order now; only `is_absence_certain` means that it never will.
        Errors: NOT_FOUND with reason VENUE_UNKNOWN.
        """
        raise unimplemented(self)

    async def list_venue_orders(
        self, request: pb.ListVenueOrdersRequest, call: Call = Call()
    ) -> pb.ListVenueOrdersResponse:
        """Lists an account's orders at a venue, live and ended, in arrival order.

        Errors: NOT_FOUND with reason VENUE_UNKNOWN.
        """
        raise unimplemented(self)

    def watch_execution_reports(
        self, request: pb.WatchExecutionReportsRequest, call: Call = Call()
    ) -> AsyncGenerator[pb.WatchExecutionReportsResponse, None]:
        """Streams the venues' reports after a sequence, in sequence and without a gap, without end.

        Every report is committed here before it is shown, once per (venue, exec_id), with the ids of
        parent and child and the parent's cumulative and remaining quantity. Reports of one account
        at one venue keep the venue's order. A message carries the reports that were committed
        together, and messages are what `sequence` counts. The first message is a heartbeat with the
        current sequence; more follow every second while nothing else is sent.
        Errors: OUT_OF_RANGE (after_sequence is older than what is kept or has not happened: compare
        by ListVenueOrders, then watch), RESOURCE_EXHAUSTED (the reader is too slow; resume from the
        last sequence it has).
        """
        raise unimplemented(self)

    async def get_execution_analysis(
        self, request: pb.GetExecutionAnalysisRequest, call: Call = Call()
    ) -> pb.GetExecutionAnalysisResponse:
        """Answers how well an execution went, in basis points against arrival and market prices.

        Errors: NOT_FOUND with reason EXECUTION_UNKNOWN.
        """
        raise unimplemented(self)

    async def list_venues(
        self, request: pb.ListVenuesRequest, call: Call = Call()
    ) -> pb.ListVenuesResponse:
        """Lists the venues, by code: what they can do and how they are."""
        raise unimplemented(self)
