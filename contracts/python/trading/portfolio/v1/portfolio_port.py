"""Ports of trading/portfolio/v1/portfolio.proto. Generated: edit that, then `make generate`."""

from collections.abc import AsyncGenerator, Mapping
from typing import ClassVar

from runtime.errors import unimplemented
from runtime.rpc import Call, Idempotency, Policy, Port
from trading.portfolio.v1 import portfolio_pb2 as pb


class PortfolioService(Port):
    """Books fills into a double-entry ledger, and answers positions, cost, profit, cash and fees
    from it. In every account and currency, always: cash + cost = transfers + realised - fees.
    """

    DESCRIPTOR = pb.DESCRIPTOR.services_by_name["PortfolioService"]
    POLICIES: ClassVar[Mapping[str, Policy]] = {
        "report_order_events": Policy(
            deadline_s=1.0,
            idempotency=Idempotency.IDEMPOTENT_BY_KEY,
            key="events.header.event_id",
            callers=frozenset({"orders"}),
            target_rps=20.0,
            p99_ms=40.0,
            items_per_call=256,
        ),
        "get_portfolio": Policy(
            deadline_s=0.5,
            idempotency=Idempotency.SAFE,
            roles=frozenset({"TRADER", "VIEWER"}),
            callers=frozenset({"risk", "strategy"}),
            target_rps=50.0,
            p99_ms=30.0,
        ),
        "list_positions": Policy(
            deadline_s=0.5,
            idempotency=Idempotency.SAFE,
            roles=frozenset({"TRADER", "VIEWER"}),
            callers=frozenset({"*"}),
            target_rps=50.0,
            p99_ms=30.0,
        ),
        "get_position": Policy(
            deadline_s=0.5,
            idempotency=Idempotency.SAFE,
            roles=frozenset({"TRADER", "VIEWER"}),
            callers=frozenset({"*"}),
            target_rps=50.0,
            p99_ms=30.0,
        ),
        "transfer_cash": Policy(
            deadline_s=1.0,
            idempotency=Idempotency.IDEMPOTENT_BY_KEY,
            key="request_id",
            roles=frozenset({"OPERATOR"}),
            callers=frozenset({"custodian"}),
            target_rps=1.0,
            p99_ms=100.0,
            audited=True,
            intent=True,
        ),
        "list_journals": Policy(
            deadline_s=2.0,
            idempotency=Idempotency.SAFE,
            roles=frozenset({"AUDITOR", "VIEWER"}),
            callers=frozenset({"reporting"}),
            target_rps=10.0,
            p99_ms=100.0,
        ),
        "watch_portfolio": Policy(
            deadline_s=None,
            idempotency=Idempotency.SAFE,
            roles=frozenset({"TRADER", "VIEWER"}),
            callers=frozenset({"*"}),
            target_rps=50.0,
            p99_ms=50.0,
        ),
        "reconcile_positions": Policy(
            deadline_s=10.0,
            idempotency=Idempotency.IDEMPOTENT_BY_KEY,
            key="request_id",
            roles=frozenset({"OPERATOR", "RISK_OFFICER"}),
            audited=True,
        ),
    }

    async def report_order_events(
        self, request: pb.ReportOrderEventsRequest, call: Call = Call()
    ) -> pb.ReportOrderEventsResponse:
        """Books the fills, busts and corrections among order events; other events only move the
        sequence on. Each event has its effect once: an event delivered again changes nothing, one
        delivered again with other content is recorded as an anomaly and not booked. A fill of an
        unknown instrument is booked; its mark is missing. A fill of an order that nobody here made is
        booked under the strategy "external", and recorded as an anomaly.

        Cash below zero, which only fees, busts and corrections can make, lets the account reduce
        only: the portfolio sets its trading mode, once each time it falls below.

        Promises that every event up to `last_sequence` is durable. Events apply in sequence order,
        all or none of a call. Errors: ABORTED `EVENT_GAP` when the first new event is not the next
        one (metadata `expected`: send again from that sequence).
        """
        raise unimplemented(self)

    async def get_portfolio(
        self, request: pb.GetPortfolioRequest, call: Call = Call()
    ) -> pb.GetPortfolioResponse:
        """Answers an account's money, now or at an earlier instant. A stale price is shown as stale and
        keeps its value. An account nothing was ever booked for is NOT_FOUND. `as_of` before the
        first journal is OUT_OF_RANGE.
        """
        raise unimplemented(self)

    async def list_positions(
        self, request: pb.ListPositionsRequest, call: Call = Call()
    ) -> pb.ListPositionsResponse:
        """Lists an account's positions in order of instrument. An unknown account has none."""
        raise unimplemented(self)

    async def get_position(
        self, request: pb.GetPositionRequest, call: Call = Call()
    ) -> pb.GetPositionResponse:
        """Answers one position; one that was never traded is flat, not an error."""
        raise unimplemented(self)

    async def transfer_cash(
        self, request: pb.TransferCashRequest, call: Call = Call()
    ) -> pb.TransferCashResponse:
        """Books cash paid into or out of an account. The first transfer opens the account and fixes its
        settlement currency. Repeating a request_id returns the first answer. Errors:
        FAILED_PRECONDITION `CASH_INSUFFICIENT` for a withdrawal above the cash, `CURRENCY_UNSUPPORTED`
        for another currency than the account's.
        """
        raise unimplemented(self)

    async def list_journals(
        self, request: pb.ListJournalsRequest, call: Call = Call()
    ) -> pb.ListJournalsResponse:
        """Lists an account's journals in sequence order. A journal never changes: what corrects it is
        another journal that names it.
        """
        raise unimplemented(self)

    def watch_portfolio(
        self, request: pb.WatchPortfolioRequest, call: Call = Call()
    ) -> AsyncGenerator[pb.WatchPortfolioResponse, None]:
        """Streams an account's money whenever something was booked, at most five times a second; ends
        never. What changed in between is in the next snapshot, so a slow reader misses states, not
        money. A move of prices alone is not shown.
        """
        raise unimplemented(self)

    async def reconcile_positions(
        self, request: pb.ReconcilePositionsRequest, call: Call = Call()
    ) -> pb.ReconcilePositionsResponse:
        """Compares an account's positions with those of the venue and answers where they differ; books
        nothing. A fill that is on its way shows as a difference until it is booked: one that matters
        has an old `since`. An account that the venue does not know holds nothing there. Repeating a
        request_id returns the first answer. Errors: NOT_FOUND `VENUE_UNKNOWN`.
        """
        raise unimplemented(self)
