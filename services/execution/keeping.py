"""Keeps what the venue reports: in the store, or in the spool while the store is away (S5)."""

import asyncio
import logging
from collections.abc import Callable, Sequence

from sqlalchemy.exc import IntegrityError
from trading.exchange.v1.exchange_pb2 import WatchExecutionsResponse
from trading.types.v1.execution_pb2 import ExecutionReport

from runtime.stores import Database, StoreError
from runtime.stores.spool import Spool
from services.execution.booking import Booked, Booking, Incoming
from services.execution.desk import Desk
from services.execution.ordering import advanced, in_sequence

MESSAGES_MAX = 64  # Applied in one transaction (G2).
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.05, 30.0
log = logging.getLogger(__name__)

Tell = Callable[[Incoming, Booked], None]


class Keeping:
    """Lets reports take effect in the order of their arrival, each once.

    While anything is spooled, whatever arrives goes behind it. A crash between effect and
    removal shows spooled reports again: the inbox knows them.
    """

    def __init__(self, desk: Desk, booking: Booking, tell: Tell) -> None:
        environment = desk.environment
        self.spool = environment.spool or Spool(Database.inline_memory(), environment.clock)
        self._desk = desk
        self._booking = booking
        self._tell = tell  # Told of everything that is committed.
        self._one_at_a_time = asyncio.Lock()
        self._draining: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Apply what the process before this one has left in the spool."""
        await self.spool.open()
        self._desk.environment.durability.spools_into(self.spool)
        await self.catch_up()

    async def keep(self, incoming: Incoming) -> None:
        """Return when reports are committed, or on the local disk; raises StoreError if neither."""
        if not self.spool.depth:
            try:
                await self.commit(incoming)
            except StoreError as error:
                log.info("reports of %s are spooled: %s", self._desk.link.venue, error)
            else:
                return
        await self.spool.append(_packed(incoming))
        if self._draining is None or self._draining.done():
            tasks = self._desk.environment.tasks
            self._draining = tasks.spawn(self._drain(), name="apply what is spooled")

    async def commit(self, incoming: Incoming) -> None:
        """Commit what is new in reports, and tell of it."""
        write = self._desk.environment.database.write
        try:
            booked = await write(lambda tx: self._booking.book(tx, incoming))
        except IntegrityError:  # Some were here before: look which.
            seen = Incoming(
                incoming.reports, incoming.feed_sequence, incoming.cursors, is_seen=True
            )
            booked = await write(lambda tx: self._booking.book(tx, seen))
        self._tell(incoming, booked)

    async def catch_up(self) -> None:
        """Apply everything that is spooled now; raises StoreError while the store is away."""
        async with self._one_at_a_time:
            while facts := await self.spool.first(MESSAGES_MAX) if self.spool.depth else ():
                await self.commit(_unpacked([fact for _, fact in facts]))
                await self.spool.remove_until(facts[-1][0])

    async def _drain(self) -> None:
        """Apply what is spooled as soon as the store is back."""
        pause_s = FIRST_PAUSE_S
        while self.spool.depth:
            await self._desk.environment.durability.database_is_there()
            try:
                await self.catch_up()
            except StoreError as error:
                log.info("reports of %s stay spooled: %s", self._desk.link.venue, error)
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)


def _packed(incoming: Incoming) -> bytes:
    message = WatchExecutionsResponse(reports=incoming.reports, sequence=incoming.feed_sequence)
    return message.SerializeToString()


def _unpacked(facts: Sequence[bytes]) -> Incoming:
    """Return all of what was spooled as if it had come together; some may have been applied."""
    messages = [WatchExecutionsResponse.FromString(fact) for fact in facts]
    reports: list[ExecutionReport] = [one for message in messages for one in message.reports]
    last = max(message.sequence for message in messages)
    return Incoming(in_sequence(reports), last, advanced({}, reports), is_seen=True)
