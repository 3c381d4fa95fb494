"""Reads a venue's reports: each is committed once, then shown to orders (X7, A7, G2)."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import aclosing

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError
from trading.exchange.v1 import exchange_pb2
from trading.types.v1.execution_pb2 import ExecutionReport

from runtime.digest import digest
from runtime.errors import ServiceError
from runtime.watch import Feed
from services.execution import inbox, store
from services.execution.children import Child, told
from services.execution.desk import Desk
from services.execution.inbox import Received
from services.execution.store import Key
from services.execution.wire import as_parents, fact_of

Batch = Sequence[ExecutionReport]
STREAM = "execution_reports"
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.05, 1.0
log = logging.getLogger(__name__)


class Reports:
    """Follows the venue's feed from where the store ends; a lost stream is taken up again."""

    def __init__(self, desk: Desk, settled: Callable[[Key], None]) -> None:
        self._desk = desk
        self._settled = settled  # Told of every child that a committed report is about.
        self._stream = f"venue_reports:{desk.link.venue}"
        self.feed: Feed[Batch] = Feed("execution")

    async def begin(self) -> None:
        """Start where the last commit ended."""
        desk, venue = self._desk, self._desk.link.venue
        sequence, batch = await desk.environment.database.read(
            lambda tx: (inbox.report_sequence(tx, venue), inbox.last_batch(tx))
        )
        desk.link.report_sequence = sequence
        self.feed = Feed("execution", batch)
        desk.environment.progress.wrote(STREAM, batch)
        desk.environment.progress.has_read(self._stream, sequence)

    async def load(self, after: int, limit: int) -> list[tuple[int, Batch]]:
        """Return commits of reports from the store, in order."""
        kept = await self._desk.environment.database.read(
            lambda tx: inbox.load_batches(tx, after, limit)
        )
        return [(batch, [ExecutionReport.FromString(one) for one in rows]) for batch, rows in kept]

    async def run(self) -> None:
        """Read until cancelled."""
        link, rng = self._desk.link, self._desk.environment.rng
        pause_s = FIRST_PAUSE_S
        while True:
            before = link.report_sequence
            try:
                await self._follow()
            except ServiceError as error:
                log.info("reports of %s stopped after %d: %s", link.venue, before, error)
            link.is_up = False
            pause_s = FIRST_PAUSE_S if link.report_sequence > before else 2 * pause_s
            pause_s = min(pause_s, LONGEST_PAUSE_S)
            await asyncio.sleep(pause_s * (0.5 + rng.random()))

    async def _follow(self) -> None:
        """Read one stream until it ends, or until a report is missing in it."""
        link = self._desk.link
        request = exchange_pb2.WatchExecutionsRequest(
            session_id=link.session_id, after_sequence=link.report_sequence
        )
        async with aclosing(link.port.watch_executions(request)) as messages:
            async for message in messages:
                link.is_up = True
                if message.is_heartbeat:
                    continue
                if message.sequence - len(message.reports) > link.report_sequence:
                    log.warning("a report of %s is missing: reading again", link.venue)
                    return
                await self.take(message.reports, message.sequence)

    async def take(self, reports: Sequence[ExecutionReport], sequence: int) -> None:
        """Commit the reports that are new, move their children, then show them to orders."""
        desk = self._desk
        is_seen = sequence <= desk.link.report_sequence
        if is_seen:
            batch = await self._commit(reports, sequence, is_seen=True)
        else:
            try:
                batch = await self._commit(reports, sequence, is_seen=False)
            except IntegrityError:  # Some were here before: look which.
                batch = await self._commit(reports, sequence, is_seen=True)
        if batch:
            number = self.feed.sequence + 1
            self.feed.publish(number, batch)
            desk.environment.progress.wrote(STREAM, number)
        desk.link.report_sequence = max(sequence, desk.link.report_sequence)
        desk.environment.progress.has_read(self._stream, desk.link.report_sequence)
        for report in reports:
            self._settled((report.account, report.client_order_id))

    async def _commit(
        self, reports: Sequence[ExecutionReport], sequence: int, *, is_seen: bool
    ) -> list[ExecutionReport]:
        number, now_ns = self.feed.sequence + 1, self._desk.now_ns()
        reached = max(sequence, self._desk.link.report_sequence)

        def commit(tx: Connection) -> list[ExecutionReport]:
            fresh = self._fresh(tx, reports, now_ns) if is_seen else list(reports)
            keys = list(dict.fromkeys((one.account, one.child_order_id) for one in fresh))
            children = store.load_children(tx, keys) if keys else {}
            shown = [as_parents(one, children.get(_key(one))) for one in fresh]
            if shown:
                received = [self._received(one) for one in shown]
                inbox.insert_inbox(tx, number, received)
                self._move(tx, children, fresh, now_ns)
            inbox.move_session(tx, self._desk.link.venue, reached)
            return shown

        return await self._desk.environment.database.write(commit)

    def _fresh(
        self, tx: Connection, reports: Sequence[ExecutionReport], now_ns: int
    ) -> list[ExecutionReport]:
        """Return the reports that were never seen; one that says something else is kept apart."""
        venue = self._desk.link.venue
        known = inbox.known_reports(tx, venue, [report.exec_id for report in reports])
        fresh: dict[str, ExecutionReport] = {}
        for report in reports:
            first = known.get(report.exec_id)
            if first is None and report.exec_id in fresh:
                first = digest(fresh[report.exec_id])
            if first is None:
                fresh[report.exec_id] = report
            elif first != digest(report):
                log.error("report %s/%s came with other content", venue, report.exec_id)
                inbox.insert_anomaly(tx, self._received(report), now_ns)
        return list(fresh.values())

    def _received(self, report: ExecutionReport) -> Received:
        return Received(
            venue=self._desk.link.venue,
            exec_id=report.exec_id,
            account=report.account,
            child_order_id=report.child_order_id,
            digest=digest(report),
            report=report.SerializeToString(),
        )

    @staticmethod
    def _move(
        tx: Connection,
        children: dict[Key, Child],
        reports: Sequence[ExecutionReport],
        now_ns: int,
    ) -> None:
        """Let every report move its child; a dispatch without outcome has one now."""
        after = dict(children)
        for report in reports:
            child = after.get(_key(report))
            if child is not None:
                after[_key(report)] = told(child, fact_of(report))
        moved = [child for key, child in after.items() if child is not children[key]]
        store.update_children(tx, moved)
        answered = [c for c in moved if children[(c.account, c.child_order_id)].is_unsettled]
        store.close_dispatches(tx, answered, now_ns)


def _key(report: ExecutionReport) -> Key:
    return (report.account, report.child_order_id)
