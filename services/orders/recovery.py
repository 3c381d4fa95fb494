"""Where an instance begins: nothing is sent before the past is known (X12, X13).

Reports are caught up first; an order that was sent and not answered by them is in doubt. Then
every live order goes on from its stored state, signals are read and calls are accepted.
"""

import asyncio
import logging

from runtime.errors import ServiceError
from runtime.stores import Epochs
from services.orders import store
from services.orders import tables as t
from services.orders.cancels import Cancels
from services.orders.doubt import Doubts
from services.orders.limits import Limit
from services.orders.reports import ReportReader
from services.orders.states import PENDING_NEW, Place
from services.orders.store import Stored
from services.orders.submission import Desk, Submissions

SHARD = "all"  # One writer for every account; shards of accounts would each have their own.
POLL_S = 0.02
ORDER_TIME_S = 2.0  # What is left to an order whose caller is gone: a call's whole deadline.
log = logging.getLogger(__name__)


class Recovery:
    """Brings an instance from its store to readiness."""

    def __init__(self, desk: Desk, reader: ReportReader) -> None:
        self._desk = desk
        self._reader = reader

    async def take_over(self) -> None:
        """Become the only writer; every former one is refused by risk and execution from now."""
        database = self._desk.environment.database
        await database.create(t.metadata)
        epochs = Epochs(t.epochs)
        epoch, sequence = await database.write(
            lambda tx: (epochs.take(tx, SHARD), store.last_event(tx))
        )
        self._desk.recorder.begin(epoch, sequence)

    async def catch_up(self) -> None:
        """Wait until every report that execution has for us has taken effect."""
        await self._reader.caught_up()

    async def go_on(self, submissions: Submissions, doubts: Doubts, cancels: Cancels) -> None:
        """Take up every live order where its commits ended."""
        for stored in await self._live():
            place = stored.order.place
            if place in PENDING_NEW:
                submissions.drive(stored, _limit(stored))
            elif stored.order.is_in_doubt:
                doubts.watch(stored.key)
            elif place is Place.PENDING_CANCEL:
                cancels.send(stored.key)

    async def _live(self) -> list[Stored]:
        while True:
            try:
                return await self._desk.environment.database.read(store.load_live)
            except ServiceError as error:
                log.warning("the live orders cannot be read: %s", error)
                await asyncio.sleep(POLL_S)


def _limit(stored: Stored) -> Limit:
    if stored.deadline_ns:
        return Limit(stored.deadline_ns)
    return Limit.within(ORDER_TIME_S)
