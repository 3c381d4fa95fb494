"""Replaces executions: what is wanted is committed, then the venue is asked once by name (X14)."""

from dataclasses import dataclass

from google.type.decimal_pb2 import Decimal
from sqlalchemy import Connection
from trading.exchange.v1 import exchange_pb2
from trading.execution.v1 import execution_pb2 as pb
from trading.execution.v1.execution_pb2 import ExecutionRefusalReason as Reason

from runtime.atto import from_atto, to_atto
from runtime.errors import ServiceError
from runtime.rpc import Call
from services.execution import store
from services.execution.cancels import timeout_s, unknown
from services.execution.children import Child
from services.execution.desk import Desk
from services.execution.intents import Intents
from services.execution.refusals import ExecutionRefused, in_doubt
from services.execution.starts import Starts
from services.execution.store import Key, Replacement
from services.execution.wire import STATES, STATUSES


@dataclass(frozen=True, slots=True)
class Wanted:
    """The child to change; `is_to_send` is false when there is nothing left to change."""

    child: Child
    is_to_send: bool


class Replaces:
    """Gives the child of a DIRECT execution another quantity or limit."""

    def __init__(self, desk: Desk, intents: Intents, starts: Starts) -> None:
        self._desk = desk
        self._intents = intents
        self._starts = starts

    async def replace(
        self, request: pb.ReplaceExecutionRequest, call: Call
    ) -> pb.ReplaceExecutionResponse:
        """Return where the execution stands once the venue has answered.

        Whether the venue took the new values is in its report, REPLACED or CANCEL_REJECTED.
        """
        key = (request.account, request.client_order_id)
        await self._intents.admit(request.epoch)
        await self._starts.wait_for(key)
        wanted = await self._desk.environment.database.write(
            lambda tx: self._want(tx, key, request)
        )
        if not wanted.is_to_send:
            return pb.ReplaceExecutionResponse(state=STATES[wanted.child.status])
        with self._desk.environment.progress.working("replace"):
            return await self._send(wanted.child, request, call)

    def _want(self, tx: Connection, key: Key, request: pb.ReplaceExecutionRequest) -> Wanted:
        """Commit what is wanted before anything is sent."""
        if store.load_parent(tx, key) is None:
            raise unknown(key)
        (child,) = store.load_children_of(tx, key)
        check_replaceable(child, request)
        if child.is_working:
            store.keep_replacement(tx, _replacement(key, request), self._desk.now_ns())
        return Wanted(child, child.is_working)

    async def _send(
        self, child: Child, request: pb.ReplaceExecutionRequest, call: Call
    ) -> pb.ReplaceExecutionResponse:
        message = exchange_pb2.ReplaceOrderRequest(
            account=child.account,
            client_order_id=child.child_order_id,
            request_id=request.request_id,
        )
        if request.HasField("quantity"):
            message.quantity.CopyFrom(request.quantity)
        if request.HasField("limit_price"):
            message.limit_price.CopyFrom(request.limit_price)
        if request.HasField("stop_price"):
            message.stop_price.CopyFrom(request.stop_price)
        if request.HasField("stop_price"):
            message.stop_price.CopyFrom(request.stop_price)
        try:
            answer = await self._desk.link.port.replace_order(
                message, Call(timeout_s(call), call.metadata)
            )
        except ServiceError as error:
            if error.definite:
                raise
            raise in_doubt(child.client_order_id) from error
        return pb.ReplaceExecutionResponse(state=STATES[STATUSES[answer.status]])


def check_replaceable(child: Child, request: pb.ReplaceExecutionRequest) -> None:
    """Refuse what must wait for a doubt, and a quantity below what has traded."""
    if child.is_unsettled:
        raise ExecutionRefused(
            Reason.EXECUTION_REFUSAL_REASON_CHILD_IN_DOUBT,
            f"{child.child_order_id} is in doubt: replace again when that is resolved",
        )
    if request.HasField("quantity"):
        check_not_below(child.filled_atto, request.quantity)


def check_not_below(filled_atto: int, quantity: Decimal) -> None:
    """Refuse a new quantity below what has traded."""
    if to_atto(quantity.value) < filled_atto:
        raise ExecutionRefused(
            Reason.EXECUTION_REFUSAL_REASON_BELOW_FILLED,
            f"quantity is {quantity.value}, must be at least {from_atto(filled_atto)}: "
            "so much has traded",
        )


def _replacement(key: Key, request: pb.ReplaceExecutionRequest) -> Replacement:
    return Replacement(
        account=key[0],
        client_order_id=key[1],
        request_id=request.request_id,
        quantity=request.quantity.value,
        limit_price=request.limit_price.value,
    )
