"""Starts executions: commits first, sends once, and tells what is known (X1 to X6)."""

import asyncio
import logging
from dataclasses import dataclass, replace

from grpc import StatusCode
from sqlalchemy import Connection
from trading.exchange.v1 import exchange_pb2
from trading.execution.v1 import execution_pb2 as pb
from trading.execution.v1.execution_pb2 import ExecutionRefusalReason as Reason
from trading.types.v1.execution_pb2 import ExecutionReport

from runtime.atto import to_atto
from runtime.digest import digest
from runtime.errors import ServiceError, refusal
from runtime.rpc import Call
from runtime.stores import Epochs
from services.execution import inbox, store
from services.execution import tables as t
from services.execution.children import Child, Status, refused, sent, unanswered
from services.execution.desk import Desk
from services.execution.doubts import Doubts
from services.execution.gate import check_approval
from services.execution.refusals import SERVICE, ExecutionRefused, as_error, in_doubt
from services.execution.store import Key, Parent
from services.execution.wire import DIRECT_PLAN, STATES, as_parents, child_message, fact_of

SHARD = "orders"
PLACE_TIMEOUT_S = 1.0
MARGIN_S = 0.05  # Kept back from the caller's time, to tell it that the order is in doubt.
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Begun:
    """What the intent's transaction found or made."""

    parent: Parent
    child: Child
    is_to_send: bool


@dataclass(slots=True)
class Running:
    """A start on its way, or answered while the venue's report is not committed yet."""

    digest: bytes
    task: "asyncio.Task[pb.StartExecutionResponse | ServiceError]"
    is_settled: bool = False  # Whether the venue's report is committed.


class Starts:
    """Starts executions, one at a time for each order; repeats share the first answer."""

    def __init__(self, desk: Desk, doubts: Doubts) -> None:
        self._desk = desk
        self._doubts = doubts
        self._epochs = Epochs(t.epochs)
        self._admitted = 0  # The epoch last admitted: asking the store again is not needed.
        self._running: dict[Key, Running] = {}

    async def start(
        self, request: pb.StartExecutionRequest, call: Call
    ) -> pb.StartExecutionResponse:
        """Return where the execution stands once the venue has answered, or raise."""
        order = request.order
        key, order_digest = (order.account, order.client_order_id), digest(order)
        running = self._running.get(key)
        if running is None:
            work = self._run(key, request, call)
            task = self._desk.environment.tasks.spawn(work, name=f"start {key[1]}")
            running = self._running[key] = Running(order_digest, task)
        elif running.digest != order_digest:
            raise _differs(order.client_order_id)
        elif request.epoch < self._admitted:
            raise _superseded(request.epoch, self._admitted)
        outcome = await asyncio.shield(running.task)  # A caller that leaves stops nothing.
        if isinstance(outcome, ServiceError):
            raise outcome
        return outcome

    async def wait_for(self, key: Key) -> None:
        """Wait until a start that is on its way has ended."""
        running = self._running.get(key)
        if running is not None:
            await asyncio.shield(running.task)

    def settled(self, key: Key) -> None:
        """Forget an answer that the store now gives: the venue's report is committed."""
        running = self._running.get(key)
        if running is None:
            return
        running.is_settled = True
        if running.task.done():
            del self._running[key]

    async def admit(self, epoch: int) -> None:
        """Refuse a writer that a newer one has superseded (X12)."""
        if epoch != self._admitted:
            await self._desk.environment.database.write(lambda tx: self._admit(tx, epoch))
            self._admitted = epoch

    async def _run(
        self, key: Key, request: pb.StartExecutionRequest, call: Call
    ) -> pb.StartExecutionResponse | ServiceError:
        try:
            outcome = await self._start(key, request, call)
        except ExecutionRefused as error:
            outcome = as_error(error)
        except ServiceError as error:  # The store: nothing was sent, or it is read back.
            outcome = error
        if isinstance(outcome, ServiceError) or self._running[key].is_settled:
            del self._running[key]
        return outcome

    async def _start(
        self, key: Key, request: pb.StartExecutionRequest, call: Call
    ) -> pb.StartExecutionResponse | ServiceError:
        execution_id = self._desk.environment.ids.new()
        until_s = call.deadline_s
        begun = await self._desk.environment.database.write(
            lambda tx: self._begin(tx, request, execution_id, until_s)
        )
        self._admitted = max(self._admitted, request.epoch)
        if not begun.is_to_send:
            self._running[key].is_settled = True  # Nothing is on its way: the store says all.
            return await self._standing(key, begun)
        with self._desk.environment.progress.working("place"):
            return await self._send(begun, request, call)

    def _begin(
        self,
        tx: Connection,
        request: pb.StartExecutionRequest,
        execution_id: str,
        until_s: float | None,
    ) -> Begun:
        """Commit the intent to send, or find what an earlier call committed."""
        order, decision = request.order, request.decision
        self._admit(tx, request.epoch)
        key = (order.account, order.client_order_id)
        parent = store.load_parent(tx, key)
        now_ns = self._desk.now_ns()
        if parent is None:
            check_approval(self._desk.approval_key, order, decision, now_ns)
            _check_in_time(until_s)
            parent = Parent(
                account=order.account,
                client_order_id=order.client_order_id,
                execution_id=execution_id,
                spec=order.SerializeToString(),
                digest=digest(order),
                decision_id=decision.decision_id,
                is_cancel_wanted=False,
                created_ns=now_ns,
            )
            store.insert_parent(tx, parent)
            child = sent(_direct_child(request, self._desk.link.venue), now_ns)
            store.insert_child(tx, child)
            store.open_dispatch(tx, child, request.epoch, decision.decision_id)
            return Begun(parent, child, is_to_send=True)
        if parent.digest != digest(order):
            raise _differs(order.client_order_id)
        (child,) = store.load_children_of(tx, key)
        is_resend = (
            child.status is Status.NOT_ACCEPTED
            and not parent.is_cancel_wanted
            and decision.decision_id != parent.decision_id
        )
        if not is_resend:
            return Begun(parent, child, is_to_send=False)
        check_approval(self._desk.approval_key, order, decision, now_ns)
        _check_in_time(until_s)
        parent = replace(parent, decision_id=decision.decision_id)
        store.update_parent(tx, key, decision_id=decision.decision_id)
        child = sent(child, now_ns)
        store.update_children(tx, [child])
        store.open_dispatch(tx, child, request.epoch, decision.decision_id)
        return Begun(parent, child, is_to_send=True)

    async def _send(
        self, begun: Begun, request: pb.StartExecutionRequest, call: Call
    ) -> pb.StartExecutionResponse | ServiceError:
        """Send a child whose dispatch is committed; its reports close the dispatch."""
        left_s = call.remaining_s()
        timeout_s = PLACE_TIMEOUT_S if left_s is None else max(left_s - MARGIN_S, 0.001)
        message = child_message(request.order, begun.child)
        try:
            answer = await self._desk.link.place(message, Call(timeout_s, call.metadata))
        except ServiceError as error:
            return await self._not_placed(begun, error)
        return _started(begun, as_parents(answer.report, begun.child), answer)

    async def _not_placed(
        self, begun: Begun, error: ServiceError
    ) -> pb.StartExecutionResponse | ServiceError:
        """Keep the doubt, or the venue's definite refusal (X4)."""
        key = (begun.child.account, begun.child.child_order_id)
        reason = error.reason or error.code.name

        def keep(tx: Connection) -> Child:
            child = store.load_child(tx, key)
            assert child is not None, "the intent was committed"
            after = refused(child, reason) if error.definite else unanswered(child)
            if after is not child:
                store.update_children(tx, [after])
                if not after.is_unsettled:
                    store.close_dispatches(tx, [after], self._desk.now_ns())
            return after

        try:
            child = await self._desk.environment.database.write(keep)
        finally:
            if not error.definite:  # Also when the store fails: the dispatch is still open.
                self._doubts.watch(key)
        return await self._standing(key, replace(begun, child=child))

    async def _standing(self, key: Key, begun: Begun) -> pb.StartExecutionResponse | ServiceError:
        """Return where an execution stands that needs no sending."""
        child = begun.child
        if child.is_unsettled:
            return as_error(in_doubt(child.client_order_id))
        if child.status is Status.REFUSED:
            return as_error(_venue_refused(child))
        found = await self._desk.environment.database.read(
            lambda tx: inbox.first_report(tx, (child.account, child.child_order_id))
        )
        answer = pb.StartExecutionResponse(
            execution_id=begun.parent.execution_id, state=STATES[child.status], plan=DIRECT_PLAN
        )
        if found is not None:
            answer.first_report.CopyFrom(ExecutionReport.FromString(found))
        return answer

    def _admit(self, tx: Connection, epoch: int) -> None:
        if epoch == self._admitted:
            return
        current = self._epochs.current(tx, SHARD)
        if epoch < current:
            raise _superseded(epoch, current)
        self._epochs.admit(tx, SHARD, epoch)


def _direct_child(request: pb.StartExecutionRequest, venue: str) -> Child:
    order = request.order
    return Child(
        account=order.account,
        child_order_id=order.client_order_id,
        client_order_id=order.client_order_id,
        venue=venue,
        quantity_atto=to_atto(order.quantity.value),
    )


def _started(
    begun: Begun, report: ExecutionReport, answer: exchange_pb2.PlaceOrderResponse
) -> pb.StartExecutionResponse:
    return pb.StartExecutionResponse(
        execution_id=begun.parent.execution_id,
        state=STATES[fact_of(report).status],
        first_report=report,
        plan=DIRECT_PLAN,
    )


def _check_in_time(until_s: float | None) -> None:
    """Refuse what the caller no longer waits for: it may have asked and been told "not found"."""
    if until_s is not None and asyncio.get_running_loop().time() >= until_s:
        raise refusal(
            StatusCode.DEADLINE_EXCEEDED,
            "DEADLINE_EXCEEDED",
            "the call's time is over: nothing was sent",
            service=SERVICE,
        )


def _differs(client_order_id: str) -> ExecutionRefused:
    return ExecutionRefused(
        Reason.EXECUTION_REFUSAL_REASON_ORDER_DIFFERS,
        f"{client_order_id} is another order here: take a new id",
    )


def _superseded(epoch: int, current: int) -> ExecutionRefused:
    return ExecutionRefused(
        Reason.EXECUTION_REFUSAL_REASON_EPOCH_SUPERSEDED,
        f"epoch {epoch} of orders is over, epoch {current} writes now: stop sending",
        current=str(current),
    )


def _venue_refused(child: Child) -> ExecutionRefused:
    return ExecutionRefused(
        Reason.EXECUTION_REFUSAL_REASON_VENUE_REFUSED,
        f"the venue did not take {child.child_order_id}: {child.refusal}",
        venue_reason=child.refusal,
    )
