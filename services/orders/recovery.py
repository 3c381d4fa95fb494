"""Where an instance begins: nothing is sent before the past is known (X12, X13).

Reports are caught up first, then the orders are compared with those of the venue and what is
missing is applied; an order that was sent and is not answered by then is in doubt. Then every
live order goes on from its stored state, signals are read and calls are accepted.
"""

import asyncio
import itertools
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from runtime.errors import ServiceError
from runtime.stores import EpochFence, Epochs
from services.orders import alarms, store
from services.orders import tables as t
from services.orders.cancels import Cancels
from services.orders.desk import Desk
from services.orders.doubt import Doubts
from services.orders.events import Event, Kind
from services.orders.migrations import HISTORY
from services.orders.orphans import own_limit
from services.orders.pauses import pause
from services.orders.reconciling import Reconciler
from services.orders.replaces import Replaces
from services.orders.reports import ReportReader
from services.orders.states import PENDING_NEW, Place
from services.orders.store import Key, Stored
from services.orders.submission import Submissions
from services.orders.unit import Unit

SHARD = "all"  # One writer for every account; shards of accounts would each have their own.
POLL_S = 0.02
PAUSES_MAX = 3  # A venue that is back is noticed within a second or so.
T = TypeVar("T")
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Senders:
    """Who goes on with what is under way."""

    submissions: Submissions
    doubts: Doubts
    cancels: Cancels
    replaces: Replaces


class Recovery:
    """Brings an instance from its store to readiness."""

    def __init__(self, desk: Desk, reader: ReportReader) -> None:
        self._desk = desk
        self._reader = reader

    async def take_over(self) -> None:
        """Become the only writer; every former one is refused by risk and execution from now."""
        database = self._desk.environment.database
        await database.migrate(HISTORY)
        epochs = Epochs(t.epochs)
        epoch, sequence, alarm = await database.write(
            lambda tx: (epochs.take(tx, SHARD), store.last_event(tx), alarms.last(tx))
        )
        database.fence(EpochFence(epochs, SHARD, epoch))
        self._desk.recorder.begin(epoch, sequence, alarm)

    async def catch_up(self) -> None:
        """Wait until every report that execution has for us has taken effect.

        What was sent and is not answered by then is in doubt; nobody may send it again yet.
        """
        await self._reader.caught_up()
        for stored in await self._live():
            if stored.order.place is Place.SENT:
                doubt = partial(self._desk.recorder.write, partial(_doubt, key=stored.key))
                await self._patiently(doubt)

    async def reconcile(self, reconciler: Reconciler) -> None:
        """Compare with every venue that live orders are at; wait for one that is away."""
        for venue in await self._patiently(reconciler.venues):
            found = await self._patiently(partial(reconciler.reconcile, venue))
            log.info("%s: %d orders agree, %d differ", venue, found.matched, len(found.breaks))

    async def _patiently(self, work: Callable[[], Awaitable[T]]) -> T:
        for attempt in itertools.count():
            try:
                return await work()
            except ServiceError as error:
                log.warning("not ready: %s", error)
            await pause(min(attempt, PAUSES_MAX), self._desk.environment.rng)
        raise AssertionError("unreachable: the count has no end")

    async def go_on(self, senders: Senders) -> None:
        """Take up every live order where its commits ended."""
        for stored in await self._live():
            place = stored.order.place
            if place in PENDING_NEW:
                senders.submissions.drive(stored, own_limit(stored))
            elif stored.order.is_in_doubt:
                senders.doubts.watch(stored.key)
            elif place is Place.PENDING_CANCEL:
                senders.cancels.send(stored.key)
            elif place is Place.PENDING_REPLACE:
                senders.replaces.send(stored.key)

    async def _live(self) -> list[Stored]:
        while True:
            try:
                return await self._desk.environment.database.read(store.load_live)
            except ServiceError as error:
                log.warning("the live orders cannot be read: %s", error)
                await asyncio.sleep(POLL_S)


def _doubt(unit: Unit, key: Key) -> None:
    stored = unit.order(key)
    if stored is not None and stored.order.place is Place.SENT:
        unit.apply(stored, Event(Kind.UNANSWERED, unit.now_ns))
