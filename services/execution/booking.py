"""Books a venue's reports: each once, in order, with its effect, in one transaction (X7, A7)."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection
from trading.types.v1.execution_pb2 import ExecutionReport

from runtime.digest import digest
from runtime.stores import Known
from services.execution import inbox, plans, store
from services.execution.children import Child, told
from services.execution.desk import Desk
from services.execution.inbox import Received
from services.execution.plans import Plan
from services.execution.store import Key
from services.execution.upward import after_child, parents_report
from services.execution.wire import as_parents, fact_of

LAST = "last"
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Incoming:
    """Reports that came together, and how far the venue's feed is with them."""

    reports: Sequence[ExecutionReport]
    feed_sequence: int
    cursors: Mapping[str, int]  # How far each of their accounts is with them.
    is_seen: bool  # Whether some of them may have been booked before.


@dataclass(slots=True)
class Booked:
    """What a commit of reports came to."""

    number: int = 0  # Its place on the stream to orders; 0: nothing was new.
    shown: list[ExecutionReport] = field(default_factory=list)  # As orders is told.
    moved: list[Key] = field(default_factory=list)  # Parents whose children moved.


class Booking:
    """Writes what reports say into the inbox, their children and their plans."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._batches: Known[str, int] = Known(desk.environment.database)

    def book(self, tx: Connection, incoming: Incoming) -> Booked:
        """Book the reports that are new and move what they are about."""
        fresh = self._fresh(tx, incoming.reports) if incoming.is_seen else incoming.reports
        booked = self._apply(tx, fresh) if fresh else Booked()
        inbox.move_session(tx, self._desk.link.venue, incoming.feed_sequence)
        inbox.move_cursors(tx, incoming.cursors)
        return booked

    def tell(self, tx: Connection, reports: Sequence[ExecutionReport]) -> Booked:
        """Book reports of execution's own."""
        number = self._insert(tx, [self._received(one, one) for one in reports])
        return Booked(number, list(reports))

    def _apply(self, tx: Connection, fresh: Sequence[ExecutionReport]) -> Booked:
        keys = list(dict.fromkeys(_key(one) for one in fresh))
        before = self._desk.children(tx, keys)
        after = dict(before)
        living: dict[Key, Plan] = {}
        shown = []
        for report in fresh:
            child = after.get(_key(report))
            if child is not None:
                after[_key(report)] = told(child, fact_of(report))
            if child is None or child.is_direct:
                shown.append(as_parents(report, child))
                continue
            parent = (child.account, child.client_order_id)
            plan = living.get(parent) or plans.load(tx, parent)
            assert plan is not None, "a numbered child has a plan"
            living[parent] = after_child(plan, child, after[_key(report)])
            shown.append(parents_report(living[parent], report))
        for plan in living.values():
            plans.keep(tx, plan)
        self._move(tx, before, after)
        received = [self._received(raw, one) for raw, one in zip(fresh, shown, strict=True)]
        number = self._insert(tx, received)
        return Booked(number, shown, list(living))

    def _insert(self, tx: Connection, received: Sequence[Received]) -> int:
        """Keep reports as the next batch to orders; return its number."""
        known = self._batches.get(LAST)
        number = (inbox.last_batch(tx) if known is None else known) + 1
        inbox.insert_inbox(tx, number, received)
        self._batches.note(LAST, number)
        return number

    def _move(
        self, tx: Connection, before: Mapping[Key, Child], after: Mapping[Key, Child]
    ) -> None:
        """Keep the children that moved; a dispatch without outcome has one now."""
        moved = [child for key, child in after.items() if child is not before[key]]
        self._desk.keep_children(tx, moved)
        answered = [c for c in moved if before[(c.account, c.child_order_id)].is_unsettled]
        store.close_dispatches(tx, answered, self._desk.now_ns())

    def _fresh(self, tx: Connection, reports: Sequence[ExecutionReport]) -> list[ExecutionReport]:
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
                inbox.insert_anomaly(tx, self._received(report, report), self._desk.now_ns())
        return list(fresh.values())

    def _received(self, raw: ExecutionReport, shown: ExecutionReport) -> Received:
        return Received(
            venue=self._desk.link.venue,
            exec_id=shown.exec_id,
            account=shown.account,
            child_order_id=shown.child_order_id,
            digest=digest(raw),
            report=shown.SerializeToString(),
        )


def _key(report: ExecutionReport) -> Key:
    return (report.account, report.client_order_id)
