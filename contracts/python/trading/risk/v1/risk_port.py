"""Ports of trading/risk/v1/risk.proto. Generated: edit that, then `make generate`."""

from collections.abc import AsyncGenerator, Mapping
from typing import ClassVar

from runtime.errors import unimplemented
from runtime.rpc import Call, Idempotency, Policy, Port
from trading.risk.v1 import risk_pb2 as pb


class RiskService(Port):
    """Decides, durably and with reasons, whether a signal may become an order and whether an order
    may leave; holds what it approved. A denial is an answer, not an error. What is needed and
    missing fails the check that needs it.
    """

    DESCRIPTOR = pb.DESCRIPTOR.services_by_name["RiskService"]
    POLICIES: ClassVar[Mapping[str, Policy]] = {
        "validate_signal": Policy(
            deadline_s=0.3,
            idempotency=Idempotency.IDEMPOTENT_BY_KEY,
            key="signal.signal_id",
            callers=frozenset({"orders"}),
            target_rps=25.0,
            p99_ms=30.0,
        ),
        "validate_order": Policy(
            deadline_s=0.3,
            idempotency=Idempotency.IDEMPOTENT_BY_KEY,
            key="order.account+validation_id",
            callers=frozenset({"orders"}),
            target_rps=500.0,
            p99_ms=50.0,
        ),
        "release_order": Policy(
            deadline_s=0.3,
            idempotency=Idempotency.IDEMPOTENT_BY_KEY,
            key="account+client_order_id",
            callers=frozenset({"orders"}),
            target_rps=10.0,
            p99_ms=50.0,
        ),
        "report_order_events": Policy(
            deadline_s=1.0,
            idempotency=Idempotency.IDEMPOTENT_BY_KEY,
            key="events.header.event_id",
            callers=frozenset({"orders"}),
            target_rps=20.0,
            p99_ms=40.0,
            items_per_call=256,
        ),
        "get_limits": Policy(
            deadline_s=1.0,
            idempotency=Idempotency.SAFE,
            roles=frozenset({"RISK_OFFICER", "VIEWER"}),
            target_rps=1.0,
            p99_ms=100.0,
        ),
        "set_limits": Policy(
            deadline_s=1.0,
            idempotency=Idempotency.IDEMPOTENT_BY_KEY,
            key="request_id",
            roles=frozenset({"RISK_OFFICER"}),
            target_rps=1.0,
            p99_ms=100.0,
            audited=True,
            intent=True,
        ),
        "get_risk_state": Policy(
            deadline_s=0.5,
            idempotency=Idempotency.SAFE,
            roles=frozenset({"RISK_OFFICER", "TRADER", "VIEWER"}),
            target_rps=20.0,
            p99_ms=30.0,
        ),
        "set_trading_mode": Policy(
            deadline_s=0.5,
            idempotency=Idempotency.IDEMPOTENT_BY_KEY,
            key="request_id",
            roles=frozenset({"OPERATOR", "RISK_OFFICER", "TRADER"}),
            callers=frozenset({"orders", "portfolio"}),
            target_rps=1.0,
            p99_ms=50.0,
            audited=True,
            urgent=True,
        ),
        "list_decisions": Policy(
            deadline_s=1.0,
            idempotency=Idempotency.SAFE,
            roles=frozenset({"AUDITOR", "RISK_OFFICER"}),
            target_rps=5.0,
            p99_ms=100.0,
        ),
        "get_decision": Policy(
            deadline_s=1.0,
            idempotency=Idempotency.SAFE,
            roles=frozenset({"AUDITOR", "RISK_OFFICER"}),
            target_rps=5.0,
            p99_ms=100.0,
        ),
        "watch_risk_events": Policy(
            deadline_s=None,
            idempotency=Idempotency.SAFE,
            roles=frozenset({"RISK_OFFICER", "TRADER", "VIEWER"}),
            callers=frozenset({"*"}),
            target_rps=5.0,
            p99_ms=50.0,
        ),
    }

    async def validate_signal(
        self, request: pb.ValidateSignalRequest, call: Call = Call()
    ) -> pb.ValidateSignalResponse:
        """Decides whether a signal may become an order, and how large that may be. All checks that
        apply run; all failures are listed. The decision is durable before the answer; the same
        signal has the same decision for ever, the same id with another body is ALREADY_EXISTS.
        Errors: UNAVAILABLE `CATCHING_UP` while order events are missing.
        """
        raise unimplemented(self)

    async def validate_order(
        self, request: pb.ValidateOrderRequest, call: Call = Call()
    ) -> pb.ValidateOrderResponse:
        """Decides whether an order may leave, and holds its worst case if so. Checking and holding are
        one step: of orders that race for room for one, one is approved. An order that only reduces
        a position is spared the checks so marked. The decision is durable before the answer; the
        same validation has the same decision for ever, another body is ALREADY_EXISTS. A later
        version of the same order replaces its hold. With validate_only nothing is held or stored.
        Errors: UNAVAILABLE `CATCHING_UP` while order events are missing; FAILED_PRECONDITION
        `ORDER_RELEASED` for an order that is over; ABORTED `EPOCH_PASSED` for a former writer.
        """
        raise unimplemented(self)

    async def release_order(
        self, request: pb.ReleaseOrderRequest, call: Call = Call()
    ) -> pb.ReleaseOrderResponse:
        """Gives back what an order holds, because it certainly never was and never will be sent. A
        later validation of the order is refused. Releasing what is not held changes nothing.
        """
        raise unimplemented(self)

    async def report_order_events(
        self, request: pb.ReportOrderEventsRequest, call: Call = Call()
    ) -> pb.ReportOrderEventsResponse:
        """Learns what became of orders: fills move positions and reduce holds, terminal events release
        them, an order in doubt keeps its hold in full. Each event has its effect once. An event of
        an order that was never approved is recorded as an anomaly; its fills still count.

        Promises that every event up to `last_sequence` is durable. Events apply in sequence order,
        all or none of a call. Errors: ABORTED `EVENT_GAP` when the first new event is not the next
        one (metadata `expected`: send again from that sequence).
        """
        raise unimplemented(self)

    async def get_limits(
        self, request: pb.GetLimitsRequest, call: Call = Call()
    ) -> pb.GetLimitsResponse:
        """Answers the limits that hold in a scope, and whose they are."""
        raise unimplemented(self)

    async def set_limits(
        self, request: pb.SetLimitsRequest, call: Call = Call()
    ) -> pb.SetLimitsResponse:
        """Sets all limits of a scope; an account's replace the firm's. Orders that are held keep their
        approval. Repeating a request_id returns the first answer. With validate_only nothing is
        stored, and the answer lists the decisions of the last hour that would differ, of at most the
        newest 10,240: each is judged again on what risk knew then, its state aside. Errors: ABORTED
        `LIMITS_CHANGED` when the etag is not that of the limits in force.
        """
        raise unimplemented(self)

    async def get_risk_state(
        self, request: pb.GetRiskStateRequest, call: Call = Call()
    ) -> pb.GetRiskStateResponse:
        """Answers where an account stands against its limits, open losses included. An account that
        risk has not heard of yet is looked up in the ledger first. Errors: NOT_FOUND
        `ACCOUNT_UNKNOWN` when the ledger does not know it, either.
        """
        raise unimplemented(self)

    async def set_trading_mode(
        self, request: pb.SetTradingModeRequest, call: Call = Call()
    ) -> pb.SetTradingModeResponse:
        """Sets what a scope may still do; it holds until it is set again, restarts included. Where
        several scopes meet, the strictest holds. Cancels are never blocked. Repeating a request_id
        returns the first answer. Errors: PERMISSION_DENIED `NOT_STRICTER` when a trader or a service
        asks for a less strict mode: a risk officer or an operator must, and to leave HALTED a risk
        officer. A mode that a breaker made stricter ends with the breaker, or when it is set anew.
        """
        raise unimplemented(self)

    async def list_decisions(
        self, request: pb.ListDecisionsRequest, call: Call = Call()
    ) -> pb.ListDecisionsResponse:
        """Lists decisions, the newest first."""
        raise unimplemented(self)

    async def get_decision(
        self, request: pb.GetDecisionRequest, call: Call = Call()
    ) -> pb.GetDecisionResponse:
        """Answers one decision. An unknown one is NOT_FOUND."""
        raise unimplemented(self)

    def watch_risk_events(
        self, request: pb.WatchRiskEventsRequest, call: Call = Call()
    ) -> AsyncGenerator[pb.WatchRiskEventsResponse, None]:
        """Streams warnings, breaches, mode changes and anomalies in sequence order; ends never. A
        heartbeat comes first and then every second of silence. A reader that is too slow is cut off
        with RESOURCE_EXHAUSTED and resumes without a gap; a sequence that is no longer kept is
        OUT_OF_RANGE.

        How to gate on trading modes: the first heartbeat carries every mode that is set; each later
        MODE_CHANGED event carries its scope, the mode that holds from now on, why, and since when.
        A breaker's change is such an event too. Of the modes of the firm, the account, the strategy
        and the instrument of an order the strictest holds; a scope without one is ACTIVE. Who hears
        nothing for 3 s, heartbeats included, must act as in CANCEL_ONLY until it hears again.
        """
        raise unimplemented(self)
