"""Starts executions: sends what is committed, once, and tells what is known (X2, X4)."""

import asyncio
from dataclasses import dataclass, replace

from trading.execution.v1 import execution_pb2 as pb
from trading.execution.v1.execution_pb2 import ExecutionRefusalReason as Reason
from trading.types.v1.execution_pb2 import ExecutionReport

from runtime.digest import digest
from runtime.errors import ServiceError
from runtime.rpc import Call
from services.execution import inbox
from services.execution.children import Child, Status
from services.execution.desk import Desk
from services.execution.doubts import Doubts
from services.execution.intents import Begun, Intents
from services.execution.parents import Parents
from services.execution.planning import is_direct
from services.execution.refusals import ExecutionRefused, as_error, differs, in_doubt
from services.execution.sending import place
from services.execution.store import Key
from services.execution.wire import DIRECT_PLAN, STATES, as_parents, child_message, fact_of

PLACE_TIMEOUT_S = 1.0
MARGIN_S = 0.05  # Kept back from the caller's time, to tell it that the order is in doubt.


@dataclass(slots=True)
class Running:
    """A start on its way, or answered while the venue's report is not committed yet."""

    digest: bytes
    task: "asyncio.Task[pb.StartExecutionResponse | ServiceError]"
    is_settled: bool = False  # Whether the venue's report is committed.


class Starts:
    """Starts executions, one at a time for each order; repeats share the first answer."""

    def __init__(self, desk: Desk, intents: Intents, doubts: Doubts, worked: Parents) -> None:
        self._desk = desk
        self._worked = worked  # Those that are not DIRECT.
        self._intents = intents
        self._doubts = doubts
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
            raise differs(order.client_order_id)
        else:
            self._intents.check(request.epoch)
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
        if not is_direct(request.order):
            self._running[key].is_settled = True  # The store says all.
            return await self._worked.start(request, call)
        begun = await self._intents.begin(request, call.deadline_s)
        if not begun.is_to_send:
            self._running[key].is_settled = True  # Nothing is on its way: the store says all.
            return await self._standing(key, begun)
        with self._desk.environment.progress.working("place"):
            return await self._send(begun, request, call)

    async def _send(
        self, begun: Begun, request: pb.StartExecutionRequest, call: Call
    ) -> pb.StartExecutionResponse | ServiceError:
        """Send a child whose dispatch is committed; its reports close the dispatch."""
        left_s = call.remaining_s()
        timeout_s = PLACE_TIMEOUT_S if left_s is None else max(left_s - MARGIN_S, 0.001)
        message = child_message(request.order, begun.child)
        sent = Call(timeout_s, call.metadata)
        answer = await place(self._desk, self._doubts, begun.child, message, sent)
        if isinstance(answer, Child):
            key = (answer.account, answer.child_order_id)
            return await self._standing(key, replace(begun, child=answer))
        return _started(begun, as_parents(answer.report, begun.child))

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


def _started(begun: Begun, report: ExecutionReport) -> pb.StartExecutionResponse:
    return pb.StartExecutionResponse(
        execution_id=begun.parent.execution_id,
        state=STATES[fact_of(report).status],
        first_report=report,
        plan=DIRECT_PLAN,
    )


def _venue_refused(child: Child) -> ExecutionRefused:
    return ExecutionRefused(
        Reason.EXECUTION_REFUSAL_REASON_VENUE_REFUSED,
        f"the venue did not take {child.child_order_id}: {child.refusal}",
        venue_reason=child.refusal,
    )
