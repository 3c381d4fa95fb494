"""Ends doubts: asks the venue until it is known whether it has a child (X5, X6)."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from grpc import StatusCode
from sqlalchemy import Connection
from trading.exchange.v1 import exchange_pb2
from trading.types.v1.execution_pb2 import ExecutionReport

from runtime.errors import ServiceError
from runtime.rpc import Call
from services.execution import store
from services.execution.children import Child, Status, not_found, told
from services.execution.desk import Desk
from services.execution.store import Key
from services.execution.wire import answered_fact

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 5.0
JITTER = 0.25
QUERY_TIMEOUT_S = 1.0
Take = Callable[[Sequence[ExecutionReport]], Awaitable[None]]
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Finding:
    """What the venue answered about an order, and what that makes of our child, if it is ours."""

    answer: exchange_pb2.GetOrderResponse | None  # None: it does not have the order now.
    child: Child | None

    @property
    def is_absence_certain(self) -> bool:
        """Whether the venue will never have it: it said so often enough, or it was never sent."""
        if self.answer is not None:
            return False
        return self.child is None or self.child.status is Status.NOT_ACCEPTED


class Doubts:
    """Asks for children in doubt, each 0.1, 0.2, 0.4 … at most 5 s apart, without end."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._take: Take = _nowhere
        self._moved: Callable[[Key], None] = _nobody
        self._followed: set[Key] = set()

    def report_to(self, take: Take, moved: Callable[[Key], None]) -> None:
        """Give what venues say of an algorithm's children to `take`; tell `moved` of parents."""
        self._take, self._moved = take, moved

    def watch(self, key: Key) -> None:
        """Follow a child until it is known what became of it; once for each child."""
        if key not in self._followed:
            self._followed.add(key)
            self._desk.environment.tasks.spawn(self._follow(key), name=f"doubt {key[1]}")

    async def query(self, key: Key, call: Call) -> Finding:
        """Ask the venue for an order now and keep what that tells of our child.

        Raises the venue's indefinite error when it does not answer: then nothing is known.
        """
        desk = self._desk
        request = exchange_pb2.GetOrderRequest(account=key[0], client_order_id=key[1])
        asked_ns = desk.now_ns()
        answer: exchange_pb2.GetOrderResponse | None = None
        with desk.environment.progress.working("query"):
            try:
                answer = await desk.link.port.get_order(request, call)
            except ServiceError as error:
                if error.code is not StatusCode.NOT_FOUND:
                    raise
            child = await desk.environment.database.write(
                lambda tx: self._learn(tx, key, answer, asked_ns)
            )
            if child is not None and not child.is_direct:
                await self._pass_on(child, answer)
        return Finding(answer, child)

    async def _pass_on(self, child: Child, answer: exchange_pb2.GetOrderResponse | None) -> None:
        """Book what a query told of an algorithm's child: its parent counts every trade."""
        if answer is not None:
            await self._take(answer.executions)
        self._moved((child.account, child.client_order_id))

    def _learn(
        self,
        tx: Connection,
        key: Key,
        answer: exchange_pb2.GetOrderResponse | None,
        asked_ns: int,
    ) -> Child | None:
        child = store.load_child(tx, key)
        if child is None or not child.is_unsettled:
            return child
        # A query that began before the last send says nothing about that send.
        if answer is None and asked_ns < child.sent_ns:
            return child
        if answer is not None and not child.is_direct:
            return child  # Its reports are booked one by one.
        after = told(child, answered_fact(answer)) if answer else not_found(child, asked_ns)
        if after is not child:
            self._desk.keep_children(tx, [after])
            if not after.is_unsettled:
                store.close_dispatches(tx, [after], self._desk.now_ns())
        return after

    async def _follow(self, key: Key) -> None:
        pause_s = FIRST_PAUSE_S
        try:
            while await self._is_unsettled(key):
                jitter = 1 + JITTER * (2 * self._desk.environment.rng.random() - 1)
                await asyncio.sleep(pause_s * jitter)
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
                try:
                    await self.query(key, Call(timeout_s=QUERY_TIMEOUT_S))
                except ServiceError as error:
                    log.info("child %s stays in doubt: %s", key, error)
        finally:
            self._followed.discard(key)

    async def _is_unsettled(self, key: Key) -> bool:
        try:
            child = await self._desk.environment.database.read(lambda tx: store.load_child(tx, key))
        except ServiceError as error:
            log.info("child %s cannot be read: %s", key, error)
            return True
        return child is not None and child.is_unsettled


async def _nowhere(reports: Sequence[ExecutionReport]) -> None:
    raise AssertionError("nobody books reports: call report_to first")


def _nobody(parent: Key) -> None:
    return None
