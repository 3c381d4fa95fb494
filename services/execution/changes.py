"""Cancels, replaces and pauses parents that are worked over time."""

import asyncio
from dataclasses import replace

from sqlalchemy import Connection
from trading.execution.v1 import execution_pb2 as pb
from trading.execution.v1.execution_pb2 import ExecutionRefusalReason as Reason
from trading.types.v1.execution_pb2 import EXEC_TYPE_REPLACED, ExecutionReport

from runtime.atto import to_atto
from runtime.rpc import Call
from services.execution import plans, store
from services.execution.algorithms.schedule import rescaled
from services.execution.algorithms.steps import Phase
from services.execution.algorithms.terms import Terms
from services.execution.cancels import timeout_s, unknown
from services.execution.parents import Parents
from services.execution.planning import lots_of, ticks_of
from services.execution.plans import Plan, PlanStatus
from services.execution.refusals import ExecutionRefused, in_doubt
from services.execution.replaces import check_not_below
from services.execution.showing import state_of
from services.execution.situations import ledger_of
from services.execution.store import Key
from services.execution.tools import Tools
from services.execution.upward import own_report

LOOK_S = 0.01


class Changes:
    """Changes what agents work on; the agents do the rest."""

    def __init__(self, tools: Tools, parents: Parents) -> None:
        self._tools = tools
        self._parents = parents

    async def knows(self, key: Key) -> bool:
        """Whether the parent of that name is worked over time."""
        found = await self._tools.desk.environment.database.read(lambda tx: plans.load(tx, key))
        return found is not None

    async def cancel(
        self, request: pb.CancelExecutionRequest, call: Call
    ) -> pb.CancelExecutionResponse:
        """Return once nothing is open any more; no child is sent from the commit on."""
        key = (request.account, request.client_order_id)
        plan = await self._tools.desk.environment.database.write(lambda tx: self._want(tx, key))
        agent = self._parents.agent_of(key)
        if not plan.is_over and agent is not None:
            agent.wake()
            try:
                await asyncio.wait_for(agent.ended.wait(), timeout_s(call))
            except TimeoutError:
                raise in_doubt(request.client_order_id) from None
            plan = await self._load(key)
        return pb.CancelExecutionResponse(state=state_of(plan))

    async def pause(self, request: pb.PauseExecutionRequest) -> pb.PauseExecutionResponse:
        """Stop a parent's timers and cancel its children, or let it go on."""
        key = (request.account, request.client_order_id)

        def mark(tx: Connection) -> Plan:
            plan = _scheduled(tx, key)
            if not plan.is_over and plan.is_paused != request.is_paused:
                plan = replace(plan, is_paused=request.is_paused)
                plans.keep(tx, plan)
            return plan

        plan = await self._tools.desk.environment.database.write(mark)
        self._parents.wake(key)
        return pb.PauseExecutionResponse(state=state_of(plan), is_paused=plan.is_paused)

    async def replace(
        self, request: pb.ReplaceExecutionRequest, call: Call
    ) -> pb.ReplaceExecutionResponse:
        """Give a parent another quantity or limit; what works at the old ones is canceled first."""
        key = (request.account, request.client_order_id)
        plan = await self._load(key)
        if plan.is_over:
            return pb.ReplaceExecutionResponse(state=state_of(plan))
        wanted = changed_terms(plan, request)
        _check(plan, request)
        agent = self._parents.agent_of(key)
        try:
            if agent is not None and _must_clear(plan, wanted):
                agent.clear(is_clearing=True)
                await self._cleared(key, wanted, timeout_s(call))
            await self._tools.reports.tell(lambda tx: self._adopt(tx, key, request))
        finally:
            if agent is not None:
                agent.clear(is_clearing=False)
        return pb.ReplaceExecutionResponse(state=state_of(await self._load(key)))

    def _want(self, tx: Connection, key: Key) -> Plan:
        """Commit the wish to cancel before anything is sent."""
        plan = _scheduled(tx, key)
        if not plan.is_over and not plan.is_cancel_wanted:
            plan = replace(plan, is_cancel_wanted=True)
            plans.keep(tx, plan)
            store.update_parent(tx, key, is_cancel_wanted=1)
        return plan

    async def _load(self, key: Key) -> Plan:
        return await self._tools.desk.environment.database.read(lambda tx: _scheduled(tx, key))

    async def _cleared(self, key: Key, wanted: Terms, within_s: float) -> None:
        """Return once nothing is open at the old terms; what is in doubt must be resolved first."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + within_s
        database = self._tools.desk.environment.database
        while await database.read(lambda tx: store.load_open_children_of(tx, key)):
            if loop.time() >= until_s:
                raise ExecutionRefused(
                    Reason.EXECUTION_REFUSAL_REASON_CHILD_IN_DOUBT,
                    f"a child of {key[1]} is still open: replace again when that is resolved",
                )
            await asyncio.sleep(LOOK_S)

    def _adopt(
        self, tx: Connection, key: Key, request: pb.ReplaceExecutionRequest
    ) -> list[ExecutionReport]:
        """Commit the new terms, the targets that follow from them, and the report of it."""
        plan = _scheduled(tx, key)
        if plan.is_over:
            return []
        _check(plan, request)
        terms = changed_terms(plan, request)
        ledger_of(replace(plan, terms=terms), store.load_open_children_of(tx, key))
        self._retarget(tx, plan, terms)
        is_filled = plan.filled_lots == terms.quantity_lots
        status = PlanStatus.FILLED if is_filled else plan.status
        desk = self._tools.desk
        plan = replace(plan, terms=terms, status=status)
        plan, report = own_report(plan, EXEC_TYPE_REPLACED, desk.link, desk.now_ns())
        plans.keep(tx, plan)
        return [report]

    def _retarget(self, tx: Connection, plan: Plan, terms: Terms) -> None:
        """Scale the targets of the slices to come; the last one may have to come again."""
        before, after = plan.terms.quantity_lots, terms.quantity_lots
        if before == after:
            return
        moved = []
        for one in plans.slices_of(tx, plan.key):
            is_final = one.number == plan.facts.slices
            if one.phase is Phase.DONE and not is_final:
                continue
            target = rescaled(one.target_lots, before_lots=before, after_lots=after)
            phase = Phase.PENDING if one.phase is Phase.DONE else one.phase
            moved.append(replace(one, target_lots=target, phase=phase))
        plans.retarget(tx, plan.key, moved)


def changed_terms(plan: Plan, request: pb.ReplaceExecutionRequest) -> Terms:
    """Return a plan's terms with what a request changes; raises ExecutionRefused."""
    terms, facts = plan.terms, plan.facts
    if request.HasField("quantity"):
        lots = lots_of("quantity", request.quantity, facts.lot_atto)
        terms = replace(terms, quantity_lots=lots)
    if request.HasField("limit_price"):
        terms = replace(terms, limit_ticks=ticks_of(request.limit_price, facts.tick_atto))
    return terms


def _must_clear(plan: Plan, wanted: Terms) -> bool:
    """Whether children of the old terms must not stay."""
    is_less = wanted.quantity_lots < plan.terms.quantity_lots
    return is_less or wanted.limit_ticks != plan.terms.limit_ticks or wanted.is_native_iceberg


def _check(plan: Plan, request: pb.ReplaceExecutionRequest) -> None:
    if request.HasField("quantity"):
        assert to_atto(request.quantity.value) > 0, "the contract's rule"
        check_not_below(plan.filled_lots * plan.facts.lot_atto, request.quantity)


def _scheduled(tx: Connection, key: Key) -> Plan:
    plan = plans.load(tx, key)
    if plan is not None:
        return plan
    if store.load_parent(tx, key) is None:
        raise unknown(key)
    raise ExecutionRefused(
        Reason.EXECUTION_REFUSAL_REASON_NOT_SCHEDULED,
        f"{key[1]} is executed directly: cancel it instead",
    )
