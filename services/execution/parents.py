"""Takes parents that are worked over time, and gives each an agent, also after a restart."""

from dataclasses import dataclass

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError
from trading.execution.v1 import execution_pb2 as pb
from trading.execution.v1.execution_pb2 import ExecutionRefusalReason as Reason
from trading.types.v1.execution_pb2 import EXEC_TYPE_NEW, ExecutionReport
from trading.types.v1.order_pb2 import OrderSpec

from runtime.digest import digest
from runtime.rpc import Call
from services.execution import inbox, plans, store
from services.execution.agent import Agent
from services.execution.algorithms.profiles import Profile
from services.execution.algorithms.schedule import Slice, Timetable, timetable
from services.execution.algorithms.terms import SCHEDULED, Kind, Terms
from services.execution.gate import check_approval
from services.execution.intents import Intents, check_in_time, subject_of
from services.execution.market import TradeTerms
from services.execution.planning import terms_of
from services.execution.plans import Plan, PlanFacts
from services.execution.refusals import ExecutionRefused, differs
from services.execution.showing import plan_summary, state_of
from services.execution.store import Key, Parent
from services.execution.tools import Tools
from services.execution.upward import own_report


@dataclass(frozen=True, slots=True)
class Planned:
    """An order read as a plan, before anything is kept."""

    terms: Terms
    trade: TradeTerms
    timetable: Timetable


class Parents:
    """Keeps the parents and the agents that work them."""

    def __init__(self, tools: Tools, intents: Intents) -> None:
        self._tools = tools
        self._intents = intents
        self._agents: dict[Key, Agent] = {}

    async def resume(self) -> None:
        """Go on working what has not ended."""
        living = await self._tools.desk.environment.database.read(
            lambda tx: [(plan, store.load_parent(tx, plan.key)) for plan in plans.load_living(tx)]
        )
        for plan, parent in living:
            assert parent is not None, "a plan has its order"
            self._work(plan, OrderSpec.FromString(parent.spec))

    def wake(self, key: Key) -> None:
        """Tell the agent of a parent that something happened to it."""
        if key in self._agents:
            self._agents[key].wake()

    def wake_all(self) -> None:
        """Tell every agent: the modes may have changed."""
        for agent in list(self._agents.values()):
            agent.wake()

    async def start(
        self, request: pb.StartExecutionRequest, call: Call
    ) -> pb.StartExecutionResponse:
        """Keep a new parent and begin to work it, or answer where a known one stands."""
        order = request.order
        await self._intents.admit(request.epoch)
        known = await self._standing(order)
        if known is not None:
            return known
        plan, slices = await self._plan(request, call)
        try:
            shown = await self._tools.reports.tell(
                lambda tx: self._keep(tx, request, (plan, slices), call.deadline_s)
            )
        except IntegrityError:  # Another start of it was faster.
            known = await self._standing(order)
            assert known is not None, "what is there already can be read"
            return known
        self._work(plan, order)
        answer = pb.StartExecutionResponse(
            execution_id=plan.facts.execution_id,
            state=pb.ExecutionState.EXECUTION_STATE_WORKING,
            plan=plan_summary(plan),
        )
        answer.first_report.CopyFrom(shown[0])
        return answer

    async def planned(
        self, order: OrderSpec, call: Call, *, given: tuple[float, ...], is_jittered: bool
    ) -> Planned:
        """Read an order as a plan; raises ExecutionRefused."""
        trade = await self._tools.market.terms_of(order.instrument, call)
        if trade is None:
            raise ExecutionRefused(
                Reason.EXECUTION_REFUSAL_REASON_INSTRUMENT_UNKNOWN,
                f"nobody has the terms of {order.instrument}: import it first",
            )
        can = await self._tools.desk.link.capabilities(call)
        now_ns = self._tools.desk.now_ns()
        terms = terms_of(order, trade, now_ns, has_icebergs=can.has_icebergs)
        if terms.kind is Kind.POV:
            await self._check_volumes(order, call)
        profile: Profile | None = None
        if terms.kind is Kind.VWAP and not given:
            profile = await self._tools.market.profile(order.instrument, call)
        if terms.kind not in SCHEDULED:
            return Planned(terms, trade, Timetable(()))
        rng = self._tools.desk.environment.rng if is_jittered else None
        made = timetable(terms, rng, profile, given)
        return Planned(terms, trade, made)

    async def _plan(
        self, request: pb.StartExecutionRequest, call: Call
    ) -> tuple[Plan, tuple[Slice, ...]]:
        """Return the plan of a new order; raises ExecutionRefused when it may not begin."""
        order, decision, desk = request.order, request.decision, self._tools.desk
        subject = subject_of(request)
        check_approval(desk.approval_key, order, decision, desk.now_ns())
        made = await self.planned(order, call, given=(), is_jittered=True)
        book = await self._tools.market.book(order.instrument)
        facts = PlanFacts(
            execution_id=desk.environment.ids.new(),
            instrument=order.instrument,
            strategy_id=order.strategy_id,
            side=order.side,
            is_reducing=subject.is_reducing,
            judged_ns=subject.judged_ns,
            epoch=request.epoch,
            decision_id=decision.decision_id,
            lot_atto=made.trade.lot_atto,
            tick_atto=made.trade.tick_atto,
            profile=made.timetable.profile,
            slices=len(made.timetable.slices),
            arrival_twice_mid=book.touch.twice_mid if book else 0,
            trades_from=book.trade_sequence if book else 0,
            traded_before=book.traded_lots if book else 0,
        )
        plan = Plan(order.account, order.client_order_id, made.terms, facts)
        self._intents.check_open(subject)
        return plan, made.timetable.slices

    def _keep(
        self,
        tx: Connection,
        request: pb.StartExecutionRequest,
        begun: tuple[Plan, tuple[Slice, ...]],
        until_s: float | None,
    ) -> list[ExecutionReport]:
        """Commit parent, plan and slices, and the report that the order is taken."""
        check_in_time(until_s)
        desk, order, (plan, slices) = self._tools.desk, request.order, begun
        parent = Parent(
            account=order.account,
            client_order_id=order.client_order_id,
            execution_id=plan.facts.execution_id,
            spec=order.SerializeToString(),
            digest=digest(order),
            decision_id=request.decision.decision_id,
            is_cancel_wanted=False,
            created_ns=desk.now_ns(),
        )
        store.insert_parent(tx, parent)
        plan, report = own_report(plan, EXEC_TYPE_NEW, desk.link, desk.now_ns())
        plans.add(tx, plan, slices)
        return [report]

    async def _standing(self, order: OrderSpec) -> pb.StartExecutionResponse | None:
        """Return where a known order stands, None when it is new."""
        key = (order.account, order.client_order_id)
        parent, plan, first = await self._tools.desk.environment.database.read(
            lambda tx: (
                store.load_parent(tx, key),
                plans.load(tx, key),
                inbox.first_report(tx, key),
            )
        )
        if parent is None:
            return None
        if parent.digest != digest(order) or plan is None:
            raise differs(order.client_order_id)
        answer = pb.StartExecutionResponse(
            execution_id=parent.execution_id, state=state_of(plan), plan=plan_summary(plan)
        )
        if first is not None:
            answer.first_report.CopyFrom(ExecutionReport.FromString(first))
        return answer

    async def _check_volumes(self, order: OrderSpec, call: Call) -> None:
        market = self._tools.market
        is_shown = await market.book(order.instrument) is not None
        if not is_shown or not await market.has_volumes(order.instrument, call):
            raise ExecutionRefused(
                Reason.EXECUTION_REFUSAL_REASON_VOLUME_UNKNOWN,
                f"POV needs volumes, and the market data of {order.instrument} have none: use TWAP",
            )

    def _work(self, plan: Plan, order: OrderSpec) -> None:
        if plan.key in self._agents:
            return
        agent = self._agents[plan.key] = Agent(plan, order, self._tools)
        task = self._tools.desk.environment.tasks.spawn(agent.run(), name=f"work {plan.key[1]}")
        task.add_done_callback(lambda _: self._agents.pop(plan.key, None))

    def agent_of(self, key: Key) -> Agent | None:
        """Return who works a parent; None once it has ended."""
        return self._agents.get(key)
