"""Peers that do as a test tells them: risk and execution."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import Any

from grpc import StatusCode
from trading.execution.v1 import execution_pb2 as execution_pb
from trading.execution.v1.execution_port import ExecutionService
from trading.risk.v1 import risk_pb2 as risk_pb
from trading.risk.v1.risk_port import RiskService
from trading.types.v1 import execution_pb2, order_pb2, risk_pb2
from trading.types.v1.execution_pb2 import ExecutionReport

from runtime.clock import Clock
from runtime.digest import digest
from runtime.errors import ServiceError, refusal
from runtime.rpc import Call
from runtime.times import NS_PER_S, to_timestamp
from runtime.watch import Feed
from services.orders.tests.listeners import Told
from services.orders.tests.mothers import canceled, dec, report

APPROVAL_LIFE_NS = 5 * NS_PER_S
Away = refusal(StatusCode.UNAVAILABLE, "AWAY", "the peer is away", service="scripted")


class ScriptedRisk(RiskService):
    """Approves everything, unless told otherwise."""

    def __init__(self, clock: Clock) -> None:
        self.told = Told()
        self.validations: list[risk_pb.ValidateOrderRequest] = []
        self.signals: list[risk_pb.ValidateSignalRequest] = []
        self.is_away = False
        self.rejections: list[risk_pb2.RiskReason.ValueType] = []
        self.spared_types: tuple[int, ...] = ()  # Which orders are approved all the same.
        self.delay_s = 0.0
        self.modes: Feed[risk_pb.ScopedMode] = Feed("risk")
        self.modes_told: list[risk_pb.ScopedMode] = []
        self.modes_set: list[risk_pb.SetTradingModeRequest] = []
        self.lives_ns: list[int] = []  # Of the next approvals; then five seconds.
        self.answer = risk_pb.ValidateSignalResponse(
            position=dec("0"), max_quantity=dec("1000"), sizing_price=dec("100")
        )
        self.answer.equity.amount.value = "100000"
        self.answer.equity.currency = "USD"
        self._clock = clock

    async def validate_order(
        self, request: risk_pb.ValidateOrderRequest, call: Call = Call()
    ) -> risk_pb.ValidateOrderResponse:
        self.validations.append(request)
        await asyncio.sleep(self.delay_s)
        if self.is_away:
            raise Away
        is_spared = request.order.type in self.spared_types
        decision = self._decision(
            request.validation_id, request.order.client_order_id, is_spared=is_spared
        )
        decision.order_digest = digest(request.order)
        return risk_pb.ValidateOrderResponse(decision=decision)

    async def validate_signal(
        self, request: risk_pb.ValidateSignalRequest, call: Call = Call()
    ) -> risk_pb.ValidateSignalResponse:
        self.signals.append(request)
        await asyncio.sleep(self.delay_s)
        if self.is_away:
            raise Away
        answer = risk_pb.ValidateSignalResponse()
        answer.CopyFrom(self.answer)
        signal_id = request.signal.signal_id
        answer.decision.CopyFrom(self._decision(signal_id, signal_id))
        return answer

    async def watch_risk_events(
        self, request: risk_pb.WatchRiskEventsRequest, call: Call = Call()
    ) -> AsyncGenerator[risk_pb.WatchRiskEventsResponse, None]:
        async def load(after: int, count: int) -> list[tuple[int, risk_pb.ScopedMode]]:
            return list(enumerate(self.modes_told[after : after + count], after + 1))

        async with aclosing(self.modes.watch(request.after_sequence, load)) as items:
            async for item in items:
                yield risk_pb.WatchRiskEventsResponse(
                    sequence=item.sequence, is_heartbeat=item.is_heartbeat, mode=item.item
                )

    async def set_trading_mode(
        self, request: risk_pb.SetTradingModeRequest, call: Call = Call()
    ) -> risk_pb.SetTradingModeResponse:
        self.modes_set.append(request)
        return risk_pb.SetTradingModeResponse()

    def halt(self, scope: risk_pb.Scope) -> None:
        """Let trading be halted in a scope from now on."""
        mode = risk_pb.ScopedMode(scope=scope, mode=risk_pb.TRADING_MODE_HALTED, reason="test")
        self.modes_told.append(mode)
        self.modes.publish(len(self.modes_told), mode)

    async def report_order_events(
        self, request: risk_pb.ReportOrderEventsRequest, call: Call = Call()
    ) -> risk_pb.ReportOrderEventsResponse:
        return risk_pb.ReportOrderEventsResponse(last_sequence=self.told.tell(request.events))

    def _decision(
        self, name: str, subject_id: str, *, is_spared: bool = False
    ) -> risk_pb2.RiskDecision:
        now_ns = self._clock.now_ns()
        life_ns = self.lives_ns.pop(0) if self.lives_ns else APPROVAL_LIFE_NS
        is_rejected = self.rejections and not is_spared
        verdict = risk_pb2.RISK_VERDICT_REJECTED if is_rejected else risk_pb2.RISK_VERDICT_APPROVED
        checks = [
            risk_pb2.CheckResult(code=code, outcome=risk_pb2.CHECK_OUTCOME_FAILED)
            for code in self.rejections
        ]
        return risk_pb2.RiskDecision(
            decision_id=f"d-{name}"[:64],
            subject_id=subject_id,
            verdict=verdict,
            checks=checks,
            decided_at=to_timestamp(now_ns),
            expires_at=to_timestamp(now_ns + life_ns),
        )


async def nothing_older(after: int, count: int) -> list[Any]:
    """Return nothing: these feeds keep nothing."""
    return []


Start = Callable[
    ["ScriptedExecution", execution_pb.StartExecutionRequest],
    Awaitable[execution_pb.StartExecutionResponse],
]


OPEN = (
    order_pb2.ORDER_STATUS_NEW,
    order_pb2.ORDER_STATUS_PARTIALLY_FILLED,
    order_pb2.ORDER_STATUS_SUSPENDED,
)


def queried(reports: Sequence[ExecutionReport]) -> execution_pb.QueriedOrder:
    """Return an order as the venue states it after its reports."""
    last = reports[-1]
    return execution_pb.QueriedOrder(
        client_order_id=last.client_order_id,
        account=last.account,
        instrument=last.instrument,
        side=last.side,
        status=last.order_status,
        cum_quantity=last.cum_quantity,
        leaves_quantity=last.leaves_quantity,
    )


class ScriptedExecution(ExecutionService):
    """Acknowledges every order, unless a script says otherwise; reports what it is told to."""

    def __init__(self) -> None:
        self.starts: list[execution_pb.StartExecutionRequest] = []
        self.cancels: list[execution_pb.CancelExecutionRequest] = []
        self.replaces: list[execution_pb.ReplaceExecutionRequest] = []
        self.replace_errors: list[ServiceError] = []
        self.on_replace: Callable[[execution_pb.ReplaceExecutionRequest], object] | None = None
        self.queries: list[execution_pb.QueryOrderRequest] = []
        self.log: list[str] = []  # What was called, in order.
        self.scripts: list[Start] = []  # For the next starts; then `acknowledge`.
        self.cancel_errors: list[ServiceError] = []
        self.is_cancel_reported = True
        self.state_after_cancel = execution_pb.EXECUTION_STATE_CANCELED
        self.is_deaf = False  # Queries are not answered.
        self.is_absence_certain = True
        self.feed: Feed[ExecutionReport] = Feed("execution")
        self.at_venue: dict[tuple[str, str], list[ExecutionReport]] = {}

    def happen(self, *reports: ExecutionReport) -> None:
        """Let a venue report, and execution pass it on."""
        for each in reports:
            key = (each.account, each.client_order_id)
            self.at_venue.setdefault(key, []).append(each)
            self.feed.publish(self.feed.sequence + 1, each)

    def repeat(self, *reports: ExecutionReport) -> None:
        """Pass reports on that have happened already."""
        for each in reports:
            self.feed.publish(self.feed.sequence + 1, each)

    async def start_execution(
        self, request: execution_pb.StartExecutionRequest, call: Call = Call()
    ) -> execution_pb.StartExecutionResponse:
        self.starts.append(request)
        self.log.append(f"start {request.order.client_order_id}")
        script = self.scripts.pop(0) if self.scripts else acknowledge
        return await script(self, request)

    async def cancel_execution(
        self, request: execution_pb.CancelExecutionRequest, call: Call = Call()
    ) -> execution_pb.CancelExecutionResponse:
        self.cancels.append(request)
        self.log.append(f"cancel {request.client_order_id}")
        if self.cancel_errors:
            raise self.cancel_errors.pop(0)
        if self.is_cancel_reported:
            self.happen(canceled(self._spec(request.client_order_id)))
        return execution_pb.CancelExecutionResponse(state=self.state_after_cancel)

    async def replace_execution(
        self, request: execution_pb.ReplaceExecutionRequest, call: Call = Call()
    ) -> execution_pb.ReplaceExecutionResponse:
        self.replaces.append(request)
        self.log.append(f"replace {request.client_order_id}")
        if self.replace_errors:
            raise self.replace_errors.pop(0)
        if self.on_replace is not None:
            self.on_replace(request)
        return execution_pb.ReplaceExecutionResponse(state=execution_pb.EXECUTION_STATE_WORKING)

    async def list_venue_orders(
        self, request: execution_pb.ListVenueOrdersRequest, call: Call = Call()
    ) -> execution_pb.ListVenueOrdersResponse:
        self.log.append(f"list {request.account}")
        if self.is_deaf:
            raise Away
        found = [queried(r) for r in self.at_venue.values() if r[0].account == request.account]
        return execution_pb.ListVenueOrdersResponse(orders=[o for o in found if o.status in OPEN])

    def _spec(self, client_order_id: str) -> order_pb2.OrderSpec:
        return next(s.order for s in self.starts if s.order.client_order_id == client_order_id)

    async def query_order(
        self, request: execution_pb.QueryOrderRequest, call: Call = Call()
    ) -> execution_pb.QueryOrderResponse:
        self.queries.append(request)
        self.log.append(f"query {request.client_order_id}")
        if self.is_deaf:
            raise Away
        reports = self.at_venue.get((request.account, request.client_order_id))
        if not reports:
            return execution_pb.QueryOrderResponse(is_absence_certain=self.is_absence_certain)
        return execution_pb.QueryOrderResponse(
            found=True, order=queried(reports), executions=reports
        )

    async def watch_execution_reports(
        self, request: execution_pb.WatchExecutionReportsRequest, call: Call = Call()
    ) -> AsyncGenerator[execution_pb.WatchExecutionReportsResponse, None]:
        async with aclosing(self.feed.watch(request.after_sequence, nothing_older)) as items:
            async for item in items:
                yield execution_pb.WatchExecutionReportsResponse(
                    sequence=item.sequence,
                    is_heartbeat=item.is_heartbeat,
                    reports=[item.item] if item.item else [],
                )


async def acknowledge(
    execution: ScriptedExecution, request: execution_pb.StartExecutionRequest
) -> execution_pb.StartExecutionResponse:
    """Accept the order at the venue and say so."""
    new = _accepted(execution, request.order)
    return execution_pb.StartExecutionResponse(
        state=execution_pb.EXECUTION_STATE_WORKING, first_report=new
    )


async def lose_request(execution: ScriptedExecution, request: Any) -> Any:
    """Never get there."""
    raise Away


async def lose_answer(
    execution: ScriptedExecution, request: execution_pb.StartExecutionRequest
) -> Any:
    """Accept the order, and let neither answer nor report come through."""
    new = report(request.order, execution_pb2.EXEC_TYPE_NEW, f"new-{len(execution.starts)}")
    execution.at_venue[request.order.account, request.order.client_order_id] = [new]
    raise Away


async def hang(execution: ScriptedExecution, request: Any) -> Any:
    """Take longer than anybody waits."""
    await asyncio.sleep(3_600)


async def refuse(execution: ScriptedExecution, request: Any) -> Any:
    """Send nothing, and say so."""
    raise refusal(
        StatusCode.FAILED_PRECONDITION, "VENUE_UNHEALTHY", "nothing sent", service="execution"
    )


def _accepted(execution: ScriptedExecution, spec: order_pb2.OrderSpec) -> ExecutionReport:
    new = report(spec, execution_pb2.EXEC_TYPE_NEW, f"new-{spec.client_order_id}"[:64])
    if (spec.account, spec.client_order_id) not in execution.at_venue:
        execution.happen(new)
    return new
