"""Peers that do as a test tells them: risk, execution, market data and the subscribers."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import Any

from grpc import StatusCode
from trading.execution.v1 import execution_pb2 as execution_pb
from trading.execution.v1.execution_port import ExecutionService
from trading.marketdata.v1 import marketdata_pb2 as marketdata_pb
from trading.marketdata.v1.marketdata_port import MarketDataService
from trading.portfolio.v1 import portfolio_pb2 as portfolio_pb
from trading.portfolio.v1.portfolio_port import PortfolioService
from trading.risk.v1 import risk_pb2 as risk_pb
from trading.risk.v1.risk_port import RiskService
from trading.strategy.v1 import strategy_pb2 as strategy_pb
from trading.strategy.v1.strategy_port import StrategyService
from trading.types.v1 import execution_pb2, instrument_pb2, order_pb2, risk_pb2
from trading.types.v1.event_pb2 import OrderEvent
from trading.types.v1.execution_pb2 import ExecutionReport

from runtime.clock import Clock
from runtime.digest import digest
from runtime.errors import ServiceError, refusal
from runtime.rpc import Call
from runtime.times import NS_PER_S, to_timestamp
from runtime.watch import Feed
from services.orders.tests.mothers import canceled, dec, report

APPROVAL_LIFE_NS = 5 * NS_PER_S
Away = refusal(StatusCode.UNAVAILABLE, "AWAY", "the peer is away", service="scripted")


class Told:
    """What a subscriber has been told; it insists on gap-free sequences, as the real ones do."""

    def __init__(self) -> None:
        self.events: list[OrderEvent] = []
        self.batches: list[int] = []
        self.failures: list[ServiceError] = []  # Raised first, one for each call.
        self.last_sequence = 0

    def tell(self, events: Sequence[OrderEvent]) -> int:
        """Take new events and return the last sequence known."""
        if self.failures:
            raise self.failures.pop(0)
        self.batches.append(len(events))
        for event in events:
            expected = self.last_sequence + 1
            if event.header.sequence > expected:
                raise refusal(
                    StatusCode.ABORTED,
                    "EVENT_GAP",
                    f"expected {expected}",
                    service="scripted",
                    expected=str(expected),
                )
            if event.header.sequence == expected:
                self.events.append(event)
                self.last_sequence = expected
        return self.last_sequence


class ScriptedRisk(RiskService):
    """Approves everything, unless told otherwise."""

    def __init__(self, clock: Clock) -> None:
        self.told = Told()
        self.validations: list[risk_pb.ValidateOrderRequest] = []
        self.signals: list[risk_pb.ValidateSignalRequest] = []
        self.is_away = False
        self.rejections: list[risk_pb2.RiskReason.ValueType] = []
        self.delay_s = 0.0
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
        decision = self._decision(request.validation_id, request.order.client_order_id)
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

    async def report_order_events(
        self, request: risk_pb.ReportOrderEventsRequest, call: Call = Call()
    ) -> risk_pb.ReportOrderEventsResponse:
        return risk_pb.ReportOrderEventsResponse(last_sequence=self.told.tell(request.events))

    def _decision(self, name: str, subject_id: str) -> risk_pb2.RiskDecision:
        now_ns = self._clock.now_ns()
        life_ns = self.lives_ns.pop(0) if self.lives_ns else APPROVAL_LIFE_NS
        verdict = (
            risk_pb2.RISK_VERDICT_REJECTED if self.rejections else risk_pb2.RISK_VERDICT_APPROVED
        )
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


Start = Callable[
    ["ScriptedExecution", execution_pb.StartExecutionRequest],
    Awaitable[execution_pb.StartExecutionResponse],
]


class ScriptedExecution(ExecutionService):
    """Acknowledges every order, unless a script says otherwise; reports what it is told to."""

    def __init__(self) -> None:
        self.starts: list[execution_pb.StartExecutionRequest] = []
        self.cancels: list[execution_pb.CancelExecutionRequest] = []
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
        order = execution_pb.QueriedOrder(
            client_order_id=request.client_order_id, status=reports[-1].order_status
        )
        return execution_pb.QueryOrderResponse(found=True, order=order, executions=reports)

    async def watch_execution_reports(
        self, request: execution_pb.WatchExecutionReportsRequest, call: Call = Call()
    ) -> AsyncGenerator[execution_pb.WatchExecutionReportsResponse, None]:
        async def nothing_older(after: int, count: int) -> list[tuple[int, ExecutionReport]]:
            return []

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


class ScriptedMarketData(MarketDataService):
    """Lists one instrument: lot 1, tick 0.01."""

    async def list_instruments(
        self, request: marketdata_pb.ListInstrumentsRequest, call: Call = Call()
    ) -> marketdata_pb.ListInstrumentsResponse:
        spec = instrument_pb2.InstrumentSpec(
            instrument="ALPHA.XSIM", tick_size=dec("0.01"), lot_size=dec("1")
        )
        return marketdata_pb.ListInstrumentsResponse(instruments=[spec])


class ScriptedStrategy(StrategyService):
    """Listens."""

    def __init__(self) -> None:
        self.told = Told()

    async def report_order_events(
        self, request: strategy_pb.ReportOrderEventsRequest, call: Call = Call()
    ) -> strategy_pb.ReportOrderEventsResponse:
        return strategy_pb.ReportOrderEventsResponse(last_sequence=self.told.tell(request.events))


class ScriptedPortfolio(PortfolioService):
    """Listens."""

    def __init__(self) -> None:
        self.told = Told()

    async def report_order_events(
        self, request: portfolio_pb.ReportOrderEventsRequest, call: Call = Call()
    ) -> portfolio_pb.ReportOrderEventsResponse:
        return portfolio_pb.ReportOrderEventsResponse(last_sequence=self.told.tell(request.events))
