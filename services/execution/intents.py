"""What execution means to do is committed before it is done (X1, X3, X12)."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

from grpc import StatusCode
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError
from trading.execution.v1 import execution_pb2 as pb
from trading.types.v1.order_pb2 import SIDE_SELL

from runtime.atto import to_atto
from runtime.digest import digest
from runtime.errors import refusal
from runtime.stores import Epochs
from runtime.times import to_ns
from services.execution import store
from services.execution import tables as t
from services.execution.children import Child, Status, sent
from services.execution.desk import Desk
from services.execution.gate import check_approval
from services.execution.modes import Subject
from services.execution.refusals import (
    SERVICE,
    ExecutionRefused,
    blocked,
    differs,
    superseded,
    unhealthy,
)
from services.execution.store import Parent

SHARD = "orders"


@dataclass(frozen=True, slots=True)
class Begun:
    """What the intent's transaction found or made."""

    parent: Parent
    child: Child
    is_to_send: bool


class Intents:
    """Commits each intent once; a repeat finds what the first one committed."""

    def __init__(self, desk: Desk, stops: Callable[[Subject], str]) -> None:
        self._desk = desk
        self._stops = stops
        self._epochs = Epochs(t.epochs)
        self._admitted = 0  # The epoch last admitted: asking the store again is not needed.

    def check(self, epoch: int) -> None:
        """Refuse a writer that is known to be superseded."""
        if epoch < self._admitted:
            raise superseded(epoch, self._admitted)

    async def admit(self, epoch: int) -> None:
        """Refuse a writer that a newer one has superseded (X12)."""
        if epoch != self._admitted:
            await self._desk.environment.database.write(lambda tx: self._admit(tx, epoch))
            self._admitted = epoch

    async def begin(self, request: pb.StartExecutionRequest, until_s: float | None) -> Begun:
        """Commit the intent to send, or find what an earlier call committed."""
        database, execution_id = self._desk.environment.database, self._desk.environment.ids.new()
        order, decision = request.order, request.decision
        refused: ExecutionRefused | None = None
        try:
            check_approval(self._desk.approval_key, order, decision, self._desk.now_ns())
            self.check_open(subject_of(request))
        except ExecutionRefused as error:  # What is known already needs no approval.
            refused = error
        begun: Begun | None = None
        if refused is None:
            with suppress(IntegrityError):  # It is known: so rare that nobody asks first.
                begun = await database.write(
                    lambda tx: self._intend(tx, request, execution_id, until_s)
                )
        if begun is None:
            begun = await database.write(lambda tx: self._find(tx, request, until_s, refused))
        self._admitted = max(self._admitted, request.epoch)
        return begun

    def _intend(
        self,
        tx: Connection,
        request: pb.StartExecutionRequest,
        execution_id: str,
        until_s: float | None,
    ) -> Begun:
        """Commit a new parent, its child and the dispatch (X1, X3)."""
        order, decision, now_ns = request.order, request.decision, self._desk.now_ns()
        self._admit(tx, request.epoch)
        check_in_time(until_s)
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
        self._desk.add_child(tx, child)
        store.open_dispatch(tx, child, request.epoch, decision.decision_id)
        return Begun(parent, child, is_to_send=True)

    def _find(
        self,
        tx: Connection,
        request: pb.StartExecutionRequest,
        until_s: float | None,
        refused: ExecutionRefused | None,
    ) -> Begun:
        """Return what is known of an order; send it again only if the venue never had it."""
        order, decision_id = request.order, request.decision.decision_id
        self._admit(tx, request.epoch)
        key = (order.account, order.client_order_id)
        parent = store.load_parent(tx, key)
        if parent is None:
            assert refused is not None, "an approved order is new or known"
            raise refused
        if parent.digest != digest(order):
            raise differs(order.client_order_id)
        (child,) = store.load_children_of(tx, key)
        is_resend = (
            child.status is Status.NOT_ACCEPTED
            and not parent.is_cancel_wanted
            and decision_id != parent.decision_id
        )
        if not is_resend:
            return Begun(parent, child, is_to_send=False)
        if refused is not None:
            raise refused
        check_in_time(until_s)
        store.update_parent(tx, key, decision_id=decision_id)
        child = sent(child, self._desk.now_ns())
        self._desk.keep_children(tx, [child])
        store.open_dispatch(tx, child, request.epoch, decision_id)
        return Begun(replace(parent, decision_id=decision_id), child, is_to_send=True)

    def check_open(self, subject: Subject) -> None:
        """Refuse what the trading mode forbids (A6), and what a venue that ails would get."""
        if why := self._stops(subject):
            raise blocked(why)
        if why := self._desk.link.ails():
            raise unhealthy(self._desk.link.venue, why)

    def _admit(self, tx: Connection, epoch: int) -> None:
        if epoch == self._admitted:
            return
        current = self._epochs.current(tx, SHARD)
        if epoch < current:
            raise superseded(epoch, current)
        self._epochs.admit(tx, SHARD, epoch)


def subject_of(request: pb.StartExecutionRequest) -> Subject:
    """Return what the trading modes are asked about an order."""
    order = request.order
    return Subject(
        order.account,
        order.strategy_id,
        order.instrument,
        is_reducing=order.reduce_only or order.side == SIDE_SELL,
        judged_ns=to_ns(request.decision.decided_at),
    )


def _direct_child(request: pb.StartExecutionRequest, venue: str) -> Child:
    order = request.order
    return Child(
        account=order.account,
        child_order_id=order.client_order_id,
        client_order_id=order.client_order_id,
        venue=venue,
        quantity_atto=to_atto(order.quantity.value),
    )


def check_in_time(until_s: float | None) -> None:
    """Refuse what the caller no longer waits for: it may have asked and been told "not found"."""
    if until_s is not None and asyncio.get_running_loop().time() >= until_s:
        raise refusal(
            StatusCode.DEADLINE_EXCEEDED,
            "DEADLINE_EXCEEDED",
            "the call's time is over: nothing was sent",
            service=SERVICE,
        )
