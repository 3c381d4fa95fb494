"""Reads a venue's reports: each is committed once, then shown to orders (X7, X8, A7, G2)."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import aclosing

from sqlalchemy import Connection
from trading.exchange.v1 import exchange_pb2
from trading.types.v1.execution_pb2 import ExecutionReport

from runtime.errors import ServiceError
from runtime.observe.flow import consuming
from runtime.rpc import Call
from runtime.stores import StoreError
from runtime.watch import Feed
from services.execution import inbox, store
from services.execution.booking import Booked, Booking, Incoming
from services.execution.desk import Desk
from services.execution.keeping import Keeping
from services.execution.ordering import advanced, in_sequence, with_gap
from services.execution.store import Key

Batch = Sequence[ExecutionReport]
Tell = Callable[[Connection], Sequence[ExecutionReport]]
STREAM = "execution_reports"
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.05, 1.0
SILENCE_S = 3.0  # Heartbeats come every second.
COMPARE_S = 5.0
NO_ROOM_S = 5.0  # So long nothing is read when there is no room for it, unless room is made.
FETCH_TIMEOUT_S = 1.0
PAGE_SIZE = 256
log = logging.getLogger(__name__)


class Reports:
    """Follows the venue's feed from where store and spool end; a lost stream is taken up again.

    A report that is missing is fetched before anything behind it is applied. Every 5 s what is
    applied here is compared with what the venue has, so that a report that was lost on the way
    is found while the stream looks healthy.
    """

    def __init__(
        self, desk: Desk, settled: Callable[[Key], None], moved: Callable[[Key], None]
    ) -> None:
        self._desk = desk
        self._settled = settled  # Told of every order that a committed report is about.
        self._moved = moved  # Told of every parent whose children moved.
        self._stream = f"venue_reports:{desk.link.venue}"
        self._booking = Booking(desk)
        self._keeping = Keeping(desk, self._booking, self._committed)
        self._received = 0  # How far the feed is committed here or spooled.
        self._cursors: dict[str, int] = {}  # The same by account, without a gap.
        self._active: dict[str, None] = {}  # Accounts that reported since the last comparison.
        self._compare_s = 0.0
        self.feed: Feed[Batch] = Feed("execution")

    async def begin(self) -> None:
        """Start where the last process ended."""
        await self._keeping.open()
        desk, venue = self._desk, self._desk.link.venue
        sequence, batch, self._cursors = await desk.environment.database.read(
            lambda tx: (inbox.report_sequence(tx, venue), inbox.last_batch(tx), inbox.cursors(tx))
        )
        desk.link.report_sequence = self._received = sequence
        self.feed = Feed("execution", batch)
        self._compare_s = asyncio.get_running_loop().time() + COMPARE_S
        desk.environment.progress.wrote(STREAM, batch)
        desk.environment.progress.has_read(self._stream, sequence)

    async def catch_up(self) -> None:
        """Apply what is spooled, so that a read shows it; raises StoreError if that cannot be."""
        await self._keeping.catch_up()

    async def load(self, after: int, limit: int) -> list[tuple[int, Batch]]:
        """Return commits of reports from the store, in order."""
        kept = await self._desk.environment.database.read(
            lambda tx: inbox.load_batches(tx, after, limit)
        )
        return [(batch, [ExecutionReport.FromString(one) for one in rows]) for batch, rows in kept]

    async def tell(self, work: Tell) -> Sequence[ExecutionReport]:
        """Commit `work` with the reports of execution's own that it returns; show them."""

        def commit(tx: Connection) -> Booked:
            reports = work(tx)
            return self._booking.tell(tx, reports) if reports else Booked()

        booked = await self._desk.environment.database.write(commit)
        self._show(booked)
        return booked.shown

    async def run(self) -> None:
        """Read until cancelled."""
        link, rng = self._desk.link, self._desk.environment.rng
        pause_s = FIRST_PAUSE_S
        while True:
            before = self._received
            try:
                await self._follow()
            except ServiceError as error:
                log.info("reports of %s stopped after %d: %s", link.venue, before, error)
            except TimeoutError:
                log.warning("reports of %s: no heartbeat for %.0f s", link.venue, SILENCE_S)
            link.is_up = False
            while why := self._keeping.spool.lacks_room():
                log.warning("reports of %s are not read: %s", link.venue, why)
                await self._keeping.spool.room(NO_ROOM_S)
            pause_s = FIRST_PAUSE_S if self._received > before else 2 * pause_s
            pause_s = min(pause_s, LONGEST_PAUSE_S)
            await asyncio.sleep(pause_s * (0.5 + rng.random()))

    async def _follow(self) -> None:
        """Read one stream until it ends, or until what it lacks cannot be fetched."""
        link = self._desk.link
        request = exchange_pb2.WatchExecutionsRequest(
            session_id=link.session_id, after_sequence=self._received
        )
        is_first = True
        async with aclosing(link.port.watch_executions(request)) as messages:
            while True:
                async with asyncio.timeout(SILENCE_S):
                    message = await anext(messages, None)
                if message is None:
                    return
                link.is_up = True
                with consuming(self._stream, [message]):
                    is_whole = await self._take_message(message, is_first=is_first)
                if not is_whole:
                    return
                is_first = False

    async def _take_message(
        self, message: exchange_pb2.WatchExecutionsResponse, *, is_first: bool
    ) -> bool:
        """Let a message take effect; returns whether the stream may go on."""
        link = self._desk.link
        if not message.is_heartbeat:
            missing = message.sequence - len(message.reports) - self._received
            if not await self._close_gap(message.reports, missing):
                log.warning("a report of %s is missing: reading again", link.venue)
                return False
            await self.take(message.reports, message.sequence)
        elif not is_first and message.sequence > self._received:
            return await self._catch_up(message.sequence)  # The last reports never came.
        if asyncio.get_running_loop().time() >= self._compare_s:
            await self._compare()
        return True

    async def _close_gap(self, reports: Sequence[ExecutionReport], missing: int) -> bool:
        """Fetch what is missing before these reports; returns whether nothing is missing now."""
        accounts = with_gap(self._cursors, in_sequence(reports))
        if missing <= 0 and not accounts:
            return True
        known = sorted({*accounts, *self._cursors}) if missing > 0 else accounts
        found = await self._fetch(known)
        return missing <= 0 or found >= missing

    async def _catch_up(self, sequence: int) -> bool:
        """Fetch the reports that the feed has and never brought."""
        behind = sequence - self._received
        if await self._fetch(sorted(self._cursors)) < behind:
            return False
        await self.take((), sequence)
        return True

    async def _compare(self) -> None:
        """Ask for reports after the last applied one of every account that something may befall."""
        self._compare_s = asyncio.get_running_loop().time() + COMPARE_S
        active, self._active = self._active, {}
        try:
            read = self._desk.environment.database.read
            waiting = await read(store.accounts_with_open_children)
        except StoreError:  # Then those that reported are compared.
            waiting = []
        await self._fetch(sorted({*active, *waiting}))

    async def _fetch(self, accounts: Iterable[str]) -> int:
        """Apply what the venue has beyond what is applied here; returns how much that is."""
        found = 0
        for account in accounts:
            request = exchange_pb2.ListExecutionsRequest(
                account=account,
                after_sequence=self._cursors.get(account, 0),
                page_size=PAGE_SIZE,
            )
            while True:
                page = await self._desk.link.port.list_executions(request, Call(FETCH_TIMEOUT_S))
                found += len(page.executions)
                if page.executions:
                    await self.take(page.executions, self._received)
                if not page.next_page_token:
                    break
                request.page_token = page.next_page_token
        return found

    async def take(self, reports: Sequence[ExecutionReport], sequence: int) -> None:
        """Keep reports: commit those that are new, or spool them while the store is away."""
        reached = advanced(self._cursors, reports)
        is_seen = sequence <= self._received or any(
            report.venue_sequence <= self._cursors.get(report.account, 0) for report in reports
        )
        last = max(sequence, self._received)
        await self._keeping.keep(Incoming(in_sequence(reports), last, reached, is_seen))
        self._received = last
        self._cursors |= reached
        self._active |= dict.fromkeys(reached)
        for report in reports:
            self._desk.link.health.answered((report.account, report.client_order_id))

    async def take_some(self, reports: Sequence[ExecutionReport]) -> None:
        """Commit reports of one order that a query told: those of its account are not complete."""
        last = self._desk.link.report_sequence
        await self._keeping.commit(Incoming(in_sequence(reports), last, {}, is_seen=True))

    def _committed(self, incoming: Incoming, booked: Booked) -> None:
        """Show orders what is new, and tell whoever waits for one of these reports."""
        desk = self._desk
        self._show(booked)
        if incoming.reports and not booked.number:
            self.feed.doubt()  # Known already: perhaps from a commit whose answer was lost.
        desk.link.report_sequence = max(desk.link.report_sequence, incoming.feed_sequence)
        desk.environment.progress.has_read(self._stream, desk.link.report_sequence)
        for report in incoming.reports:
            self._settled((report.account, report.client_order_id))

    def _show(self, booked: Booked) -> None:
        if booked.number:
            self.feed.publish(booked.number, booked.shown)
            self._desk.environment.progress.wrote(STREAM, booked.number)
        for parent in booked.moved:
            self._moved(parent)
