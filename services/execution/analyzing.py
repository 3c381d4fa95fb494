"""Answers how well an execution went, from the reports that were kept and the market's trades."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from google.type.decimal_pb2 import Decimal
from sqlalchemy import Connection
from trading.exchange.v1.exchange_pb2 import WatchTradesRequest, WatchTradesResponse
from trading.execution.v1 import execution_pb2 as pb
from trading.types.v1.execution_pb2 import (
    EXEC_TYPE_TRADE,
    EXEC_TYPE_TRADE_CANCEL,
    EXEC_TYPE_TRADE_CORRECT,
    LIQUIDITY_MAKER,
    ExecutionReport,
)
from trading.types.v1.order_pb2 import SIDE_BUY, OrderSpec

from runtime.atto import ATTO, from_atto, to_atto
from runtime.errors import ServiceError
from runtime.rpc import Call
from runtime.times import to_ns
from services.execution import inbox, plans, store
from services.execution.algorithms import analysis
from services.execution.algorithms.analysis import Checkpoint, Fill, Printed
from services.execution.cancels import unknown
from services.execution.children import Child
from services.execution.desk import Desk
from services.execution.plans import KeptSlice, Plan
from services.execution.showing import worked_child
from services.execution.store import Key, Parent
from services.execution.wire import child_state

READ_S = 0.5  # How long the market's trades may take to read.


@dataclass(frozen=True, slots=True)
class Told:
    """What the store tells of an execution."""

    parent: Parent
    plan: Plan | None
    children: Sequence[Child]
    slices: Sequence[KeptSlice]
    reports: Sequence[ExecutionReport]

    @property
    def lot_atto(self) -> int:
        """The grid that fills are counted on; attos for DIRECT."""
        return self.plan.facts.lot_atto if self.plan else 1

    @property
    def tick_atto(self) -> int:
        """The grid that prices are counted on; whole units for DIRECT."""
        return self.plan.facts.tick_atto if self.plan else ATTO


class Analyzing:
    """Computes the figures of executions, running or ended."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def analysis(self, key: Key) -> pb.GetExecutionAnalysisResponse:
        """Return the figures of an execution; raises ExecutionRefused for an unknown one."""
        told = await self._desk.environment.database.read(lambda tx: _told(tx, key))
        if told is None:
            raise unknown(key)
        trades = standing_trades(told.reports)
        fills = [_fill(told, trade) for trade in trades]
        printed = await self._printed(told.plan) if told.plan else None
        return _message(told, trades, fills, printed, self._desk.now_ns())

    async def _printed(self, plan: Plan) -> Printed | None:
        """Return what the market traded while the plan ran, None when it cannot be read."""
        request = WatchTradesRequest(
            instrument=plan.facts.instrument, after_sequence=plan.facts.trades_from
        )
        try:
            async with (
                asyncio.timeout(READ_S),
                aclosing(self._desk.link.port.watch_trades(request, Call())) as messages,
            ):
                return await _sum(messages, request.after_sequence, plan.trades_until)
        except (ServiceError, TimeoutError):
            return None


async def _sum(
    messages: AsyncGenerator[WatchTradesResponse, None], after: int, until: int
) -> Printed:
    """Sum the trades up to a sequence; 0 stands for the last one when it was asked."""
    lots, value = 0, 0.0
    async for trade in messages:
        if not trade.is_heartbeat:
            lots += trade.quantity_lots
            value += trade.quantity_lots * trade.price_ticks
            after = trade.sequence
        until = until or trade.sequence  # The first message tells how far the market is.
        if after >= until:
            break
    return Printed(lots, value)


def standing_trades(reports: Sequence[ExecutionReport]) -> list[ExecutionReport]:
    """Return the trades as they stand: without busted ones, corrected ones as corrected."""
    trades: dict[str, ExecutionReport] = {}
    roots: dict[str, str] = {}  # A correction may itself be corrected.
    for report in reports:
        if report.exec_type == EXEC_TYPE_TRADE:
            trades[report.exec_id] = report
        elif report.exec_type in {EXEC_TYPE_TRADE_CANCEL, EXEC_TYPE_TRADE_CORRECT}:
            root = roots.get(report.exec_ref_id, report.exec_ref_id)
            roots[report.exec_id] = root
            if report.exec_type == EXEC_TYPE_TRADE_CORRECT:
                trades[root] = report
            else:
                trades.pop(root, None)
    return list(trades.values())


def _told(tx: Connection, key: Key) -> Told | None:
    parent = store.load_parent(tx, key)
    if parent is None:
        return None
    return Told(
        parent,
        plans.load(tx, key),
        store.load_children_of(tx, key),
        plans.slices_of(tx, key),
        inbox.reports_of(tx, key),
    )


def _fill(told: Told, trade: ExecutionReport) -> Fill:
    return Fill(
        child=trade.child_order_id,
        lots=to_atto(trade.last_quantity.value) // told.lot_atto,
        ticks=to_atto(trade.last_price.value) / told.tick_atto,
        time_ns=to_ns(trade.transact_time),
        is_maker=trade.liquidity == LIQUIDITY_MAKER,
    )


def _message(
    told: Told,
    trades: Sequence[ExecutionReport],
    fills: Sequence[Fill],
    printed: Printed | None,
    now_ns: int,
) -> pb.GetExecutionAnalysisResponse:
    answer = pb.GetExecutionAnalysisResponse(maker_share=analysis.maker_share(fills))
    is_buy = OrderSpec.FromString(told.parent.spec).side == SIDE_BUY
    average, plan = analysis.average_ticks(fills), told.plan
    arrival = plan.facts.arrival_twice_mid / 2 if plan else None
    against_market = analysis.slippage_bp(average, analysis.market_vwap(printed), is_buy=is_buy)
    against_arrival = analysis.slippage_bp(average, arrival, is_buy=is_buy)
    if against_arrival is not None:
        answer.arrival_slippage_bp = against_arrival
    if against_market is not None:
        answer.vwap_slippage_bp = against_market
    if (share := analysis.participation(fills, printed)) is not None:
        answer.participation = share
    if plan is not None:
        checkpoints = _checkpoints(plan, told.slices, now_ns)
        lots = plan.terms.quantity_lots
        answer.schedule_error = analysis.schedule_error(fills, checkpoints, lots)
    for trade in trades:
        answer.fees.currency = trade.fee.currency
    fees = sum(to_atto(trade.fee.amount.value or "0") for trade in trades)
    answer.fees.amount.CopyFrom(Decimal(value=from_atto(fees)))
    for child in told.children:
        answer.children.append(_child(told, child, fills, arrival, is_buy=is_buy))
    return answer


def _checkpoints(plan: Plan, slices: Sequence[KeptSlice], now_ns: int) -> list[Checkpoint]:
    """Return the times by which slices were to be done: when the next one is due, so far."""
    if not plan.facts.slices:
        return []
    ends = [*(one.due_ns for one in slices[1:]), plan.terms.end_ns]
    return [
        Checkpoint(end_ns, one.target_lots)
        for one, end_ns in zip(slices, ends, strict=True)
        if end_ns <= now_ns
    ]


def _child(
    told: Told, child: Child, fills: Sequence[Fill], arrival: float | None, *, is_buy: bool
) -> pb.Child:
    message = worked_child(told.plan, child) if told.plan else child_state(child)
    average = analysis.average_ticks([f for f in fills if f.child == child.child_order_id])
    if average is not None:
        message.average_price.value = from_atto(round(average * told.tick_atto))
    slippage = analysis.slippage_bp(average, arrival, is_buy=is_buy)
    if slippage is not None:
        message.arrival_slippage_bp = slippage
    return message
