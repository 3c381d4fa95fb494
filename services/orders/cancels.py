"""Cancels orders: the wish is committed, then sent, and repeated under one name until known."""

import asyncio
import logging
from dataclasses import replace
from functools import partial

from grpc import StatusCode
from trading.orders.v1.orders_pb2 import OrderRefusalReason

from runtime.errors import ServiceError
from runtime.rpc import Call
from runtime.stores import StoreError
from services.orders.desk import Desk
from services.orders.doubt import Doubts
from services.orders.events import Event, Kind
from services.orders.limits import Limit
from services.orders.patience import patiently
from services.orders.refusals import OrderRefused
from services.orders.states import SHOWN, Place
from services.orders.store import Key, Stored
from services.orders.unit import Due, Unit
from services.orders.waiting import is_cancel_decided
from services.orders.wishes import cancel_of, cancel_request_id

TIMEOUT_S = 1.0
# Asking again changes nothing: the cancel is on its way, or remembered.
UNDER_WAY = (Place.PENDING_CANCEL, Place.DOUBT_CANCEL)
REFUSALS = (StatusCode.NOT_FOUND, StatusCode.FAILED_PRECONDITION)
log = logging.getLogger(__name__)


class Cancels:
    """Sends cancels, one at a time for each order."""

    def __init__(self, desk: Desk, doubts: Doubts) -> None:
        self._desk = desk
        self._doubts = doubts
        self._sending: dict[Key, asyncio.Task[None]] = {}

    async def cancel(self, key: Key, limit: Limit) -> Stored:
        """Ask for the cancel of an order; returns it decided, remembered or in doubt.

        Raises OrderRefused when the order has ended.
        """
        stored = await self._desk.recorder.write(lambda unit: ask(unit, key))
        if stored.order.place is not Place.PENDING_CANCEL:
            return stored
        work = self.send(key)
        await asyncio.wait([work], timeout=limit.left_s(self._desk.environment.clock))
        after = await self._desk.recorder.load(key)
        assert after is not None
        return after

    def send(self, key: Key, stored: Stored | None = None) -> "asyncio.Task[None]":
        """Return the work that sends a cancel that is committed, until it is decided.

        `stored` is the order as it was committed with the wish, when the caller has it.
        """
        if key not in self._sending:
            work = self._send(key, stored)
            task = self._desk.environment.tasks.spawn(work, name=f"cancel {key[1]}")
            self._sending[key] = task
            task.add_done_callback(lambda _: self._sending.pop(key))
        return self._sending[key]

    async def _send(self, key: Key, stored: Stored | None) -> None:
        with self._desk.environment.progress.working("cancel"):
            rng = self._desk.environment.rng
            load = partial(self._desk.recorder.load, key)
            stored = stored or await patiently(load, key, rng)
            if stored is None or stored.order.place is not Place.PENDING_CANCEL:
                return
            try:
                await self._call(stored)
            except StoreError as error:  # What is not recorded is found out by asking.
                log.warning("the cancel of %s waits for the store: %s", key, error)
                await asyncio.sleep(TIMEOUT_S)
                await patiently(partial(self._unanswered, key), key, rng)

    async def _call(self, stored: Stored) -> None:
        desk = self._desk
        request = cancel_of(stored, desk.recorder.epoch)
        with desk.waiting.expect(stored.key, is_cancel_decided) as decided:
            try:
                await desk.execution.cancel_execution(request, Call(TIMEOUT_S))
            except StoreError:
                raise
            except ServiceError as error:
                is_refused = error.code in REFUSALS and error.reason != "CHILD_IN_DOUBT"
                if is_refused:
                    await self._settle(stored.key, Kind.CANCEL_REJECTED)
                else:
                    await self._unanswered(stored.key)
                return
            if not await decided.within(TIMEOUT_S):  # The reports say what came of it.
                await self._unanswered(stored.key)

    async def _unanswered(self, key: Key) -> None:
        if (await self._settle(key, Kind.CANCEL_UNANSWERED)).order.is_in_doubt:
            self._doubts.watch(key)

    async def _settle(self, key: Key, kind: Kind) -> Stored:
        def settle(unit: Unit) -> Stored:
            now = unit.order(key)
            assert now is not None
            if now.order.place is not Place.PENDING_CANCEL:
                return now  # A report came first.
            if kind is Kind.CANCEL_REJECTED:
                unit.due.append((Due.LOOK, key))  # It should be known there: it is asked (row 18).
            return unit.apply(now, Event(kind, unit.now_ns))

        return await self._desk.recorder.write(settle)


def ask(unit: Unit, key: Key) -> Stored:
    """Apply the wish to cancel (rows 14 to 16), with the name it will be sent under."""
    stored = unit.order(key)
    assert stored is not None, "the order was found before"
    order = stored.order
    if order.is_terminal:
        status = SHOWN[order.place].status.name
        raise OrderRefused(
            OrderRefusalReason.ORDER_REFUSAL_REASON_ORDER_ENDED,
            f"order {stored.client_order_id!r} is {status}: there is nothing left to cancel",
            status=status,
        )
    if order.place in UNDER_WAY or order.is_cancel_wanted:
        return stored
    named = replace(stored, pending_request_id=cancel_request_id(stored))
    return unit.apply(named, Event(Kind.CANCEL_REQUESTED, unit.now_ns))
