"""Compares orders with the venue's, applies what is missing and says where they differ (X13)."""

import asyncio
import logging
from collections.abc import Sequence
from enum import IntEnum
from functools import partial
from typing import NamedTuple

from grpc import StatusCode
from trading.execution.v1 import execution_pb2 as execution_pb
from trading.execution.v1.execution_pb2 import QueriedOrder
from trading.orders.v1.orders_pb2 import OrderRefusalReason

from runtime.errors import ServiceError
from runtime.rpc import Call
from services.orders import store, wire
from services.orders.desk import Desk
from services.orders.doubt import QUERY_TIMEOUT_S, adopt
from services.orders.pauses import pause
from services.orders.refusals import OrderRefused
from services.orders.states import PENDING_NEW, Place
from services.orders.store import Key, Stored
from services.orders.unit import Unit

PAGE_SIZE = 1_000
LIST_TIMEOUT_S = 5.0
ATTEMPTS_MAX = 10  # To look at one order that something is wrong with; then somebody must.
NOT_SENT = (*PENDING_NEW, Place.DOUBT_NEW)  # Its absence at the venue proves nothing yet.
log = logging.getLogger(__name__)


class BreakKind(IntEnum):
    """How an order differs; the numbers are those of the contract."""

    UNKNOWN_AT_VENUE = 1
    UNKNOWN_HERE = 2
    STATUS = 3
    FILLED = 4


class Break(NamedTuple):
    """One difference; what one side does not know is None."""

    kind: BreakKind
    key: Key
    ours: Stored | None
    theirs: QueriedOrder | None


class Comparison(NamedTuple):
    """How many orders agree, and where the others differ, by client_order_id."""

    matched: int
    breaks: Sequence[Break]


class Reconciler:
    """Compares with venues through execution; nothing is ever sent to trade."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._looking: dict[Key, asyncio.Task[None]] = {}

    async def reconciled(self, venue: str) -> Comparison:
        """Compare with a venue; raises OrderRefused when it cannot be compared with now."""
        try:
            return await self.reconcile(venue)
        except ServiceError as error:
            raise OrderRefused(
                OrderRefusalReason.ORDER_REFUSAL_REASON_VENUE_UNREACHABLE,
                f"{venue} cannot be compared with now ({error}): repeat later",
            ) from error

    async def reconcile(self, venue: str) -> Comparison:
        """Compare every live order of a venue; raises what execution raises when it is away."""
        database = self._desk.environment.database
        matched, breaks = 0, list[Break]()
        for account in await database.read(store.accounts):
            theirs = await self._listed(venue, account)
            live = await database.read(partial(store.load_live_of, account=account))
            ours = {s.client_order_id: s for s in live if venue_of(s) == venue}
            differing = await self._differing(account, ours, theirs)
            for found in differing:
                if await self._is_real(venue, found):
                    breaks.append(found)
            matched += len(ours) - sum(1 for b in differing if b.ours and b in breaks)
        return Comparison(matched, sorted(breaks, key=lambda b: b.key[1]))

    async def venues(self) -> list[str]:
        """Return the venues that live orders are for, by code."""
        live = await self._desk.environment.database.read(store.load_live)
        return sorted({venue_of(stored) for stored in live})

    def look(self, key: Key) -> None:
        """Compare one order soon, because something about it cannot be (row 27)."""
        if key not in self._looking:
            task = self._desk.environment.tasks.spawn(self._look(key), name=f"look {key[1]}")
            self._looking[key] = task
            task.add_done_callback(lambda _: self._looking.pop(key))

    async def _look(self, key: Key) -> None:
        with self._desk.environment.progress.working("look"):
            for attempt in range(ATTEMPTS_MAX):
                if await self._has_looked(key):
                    return
                await pause(attempt, self._desk.environment.rng)

    async def _has_looked(self, key: Key) -> bool:
        try:
            stored = await self._desk.recorder.load(key)
            if stored is not None:
                await self._adopt(venue_of(stored), key)
        except ServiceError as error:
            log.info("order %s cannot be compared: %s", key, error)
            return False
        return True

    async def _listed(self, venue: str, account: str) -> dict[str, QueriedOrder]:
        """Return the venue's open orders of an account, by client_order_id."""
        found: dict[str, QueriedOrder] = {}
        request = execution_pb.ListVenueOrdersRequest(
            venue=venue, account=account, page_size=PAGE_SIZE, is_open_only=True
        )
        while True:
            page = await self._desk.execution.list_venue_orders(request, Call(LIST_TIMEOUT_S))
            found |= {order.client_order_id: order for order in page.orders}
            request.page_token = page.next_page_token
            if not request.page_token:
                return found

    async def _differing(
        self, account: str, ours: dict[str, Stored], theirs: dict[str, QueriedOrder]
    ) -> list[Break]:
        found = [await self._compared(s, theirs.get(name)) for name, s in ours.items()]
        breaks = [each for each in found if each is not None]
        for name in sorted(theirs.keys() - ours.keys()):
            if parent_of(name) not in ours:
                breaks.append(Break(BreakKind.UNKNOWN_HERE, (account, name), None, theirs[name]))
        return breaks

    async def _compared(self, stored: Stored, theirs: QueriedOrder | None) -> Break | None:
        if wire.is_worked_in_parts(stored.spec):
            return await self._compared_in_parts(stored)
        kind = difference(stored, theirs)
        return Break(kind, stored.key, stored, theirs) if kind else None

    async def _compared_in_parts(self, stored: Stored) -> Break | None:
        """Compare what an algorithm has filled; its children's states are execution's."""
        request = execution_pb.GetExecutionRequest(
            account=stored.account, client_order_id=stored.client_order_id
        )
        try:
            execution = await self._desk.execution.get_execution(request, Call(QUERY_TIMEOUT_S))
        except ServiceError as error:
            if error.code is not StatusCode.NOT_FOUND:
                raise
            return None  # It never got there: its doubt is followed elsewhere.
        if wire.attos(execution.filled) == stored.order.cum_atto:
            return None
        return Break(BreakKind.FILLED, stored.key, stored, None)

    async def _is_real(self, venue: str, found: Break) -> bool:
        """Whether a difference stands a second look, which applies what is missing here.

        The two sides were read one after the other: what moved in between is none.
        """
        if found.ours and wire.is_worked_in_parts(found.ours.spec):
            return True
        answer, is_news = await self._adopt(venue, found.key)
        now = await self._desk.recorder.load(found.key)
        if is_news or now is None:
            return True
        return difference(now, answer.order if answer.found else None) is not None

    async def _adopt(self, venue: str, key: Key) -> tuple[execution_pb.QueryOrderResponse, bool]:
        """Ask for one order and apply what is missing; returns the answer and if it was news."""
        request = execution_pb.QueryOrderRequest(
            venue=venue, account=key[0], client_order_id=key[1]
        )
        answer = await self._desk.execution.query_order(request, Call(QUERY_TIMEOUT_S))
        if not answer.found:
            return answer, False

        def work(unit: Unit) -> bool:
            unit.is_second_look = True
            return adopt(unit, key, answer).is_news

        return answer, await self._desk.recorder.write(work)


def difference(stored: Stored, theirs: QueriedOrder | None) -> BreakKind | None:
    """Return how an order here differs from the venue's, None when they agree."""
    order = stored.order
    if theirs is None:
        is_gone = not order.is_terminal and order.place not in NOT_SENT
        return BreakKind.UNKNOWN_AT_VENUE if is_gone else None
    if wire.attos(theirs.cum_quantity) != order.cum_atto:
        return BreakKind.FILLED
    named = wire.PLACES.get(theirs.status)
    agrees = order.working is named or (order.is_terminal and order.place is named)
    return None if agrees else BreakKind.STATUS


def venue_of(stored: Stored) -> str:
    """Return the venue of an order: the suffix of its instrument."""
    return stored.instrument.rpartition(".")[2]


def parent_of(name: str) -> str:
    """Return the order of which a venue's order may be a part: "ana-1" of "ana-1/3"."""
    parent, _, part = name.rpartition("/")
    return parent if part.isdigit() else name
