"""Cancels executions: the wish is committed, then the venue is asked under the same name (X14)."""

from sqlalchemy import Connection
from trading.exchange.v1 import exchange_pb2
from trading.execution.v1 import execution_pb2 as pb
from trading.execution.v1.execution_pb2 import ExecutionRefusalReason as Reason

from runtime.errors import ServiceError
from runtime.rpc import Call
from services.execution import store
from services.execution.children import Child, Status
from services.execution.desk import Desk
from services.execution.intents import Intents
from services.execution.refusals import ExecutionRefused, in_doubt
from services.execution.starts import MARGIN_S, PLACE_TIMEOUT_S, Starts
from services.execution.store import Key
from services.execution.wire import STATES, STATUSES


class Cancels:
    """Cancels what is left of executions."""

    def __init__(self, desk: Desk, intents: Intents, starts: Starts) -> None:
        self._desk = desk
        self._intents = intents
        self._starts = starts

    async def cancel(
        self, request: pb.CancelExecutionRequest, call: Call
    ) -> pb.CancelExecutionResponse:
        """Return where the execution stands once the venue has answered; no child follows."""
        key = (request.account, request.client_order_id)
        await self._intents.admit(request.epoch)
        await self._starts.wait_for(key)
        child = await self._desk.environment.database.write(lambda tx: self._want(tx, key))
        if child.is_unsettled:
            raise ExecutionRefused(
                Reason.EXECUTION_REFUSAL_REASON_CHILD_IN_DOUBT,
                f"{child.child_order_id} is in doubt: cancel again when that is resolved",
            )
        if not child.is_working:
            return pb.CancelExecutionResponse(state=STATES[child.status])
        with self._desk.environment.progress.working("cancel"):
            return await self._send(child, request, call)

    def _want(self, tx: Connection, key: Key) -> Child:
        """Commit the wish before anything is sent."""
        parent = store.load_parent(tx, key)
        if parent is None:
            raise unknown(key)
        (child,) = store.load_children_of(tx, key)
        is_open = child.is_working or child.status is Status.NOT_ACCEPTED
        if is_open and not parent.is_cancel_wanted:
            store.update_parent(tx, key, is_cancel_wanted=1)
        return child

    async def _send(
        self, child: Child, request: pb.CancelExecutionRequest, call: Call
    ) -> pb.CancelExecutionResponse:
        message = exchange_pb2.CancelOrderRequest(
            account=child.account,
            client_order_id=child.child_order_id,
            request_id=request.request_id,
        )
        try:
            answer = await self._desk.link.port.cancel_order(
                message, Call(timeout_s(call), call.metadata)
            )
        except ServiceError as error:
            if error.definite:
                raise
            raise in_doubt(child.client_order_id) from error
        return pb.CancelExecutionResponse(state=STATES[STATUSES[answer.status]])


def timeout_s(call: Call) -> float:
    """Return how long the venue may take, so that the caller can still be told of a doubt."""
    left_s = call.remaining_s()
    return PLACE_TIMEOUT_S if left_s is None else max(left_s - MARGIN_S, 0.001)


def unknown(key: Key) -> ExecutionRefused:
    """Return the refusal of an order that was never started here."""
    return ExecutionRefused(
        Reason.EXECUTION_REFUSAL_REASON_EXECUTION_UNKNOWN,
        f"no execution of {key[1]} in account {key[0]}: start it first",
    )
