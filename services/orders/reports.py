"""What venues report: read in sequence, booked once, in the transaction of its effect."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace

from google.type.decimal_pb2 import Decimal
from trading.execution.v1 import execution_pb2 as execution_pb
from trading.execution.v1.execution_port import ExecutionService
from trading.types.v1 import execution_pb2, order_pb2
from trading.types.v1.event_pb2 import OrderCause
from trading.types.v1.execution_pb2 import ExecutionReport

from runtime.atto import from_atto, to_atto
from runtime.digest import digest
from runtime.environment import Environment
from runtime.follow import Following, follow, seen
from services.orders import bookkeeping, executions, wire
from services.orders.events import Event, Kind
from services.orders.executions import NO_FILL, Execution
from services.orders.listening import attentive
from services.orders.recorder import Recorder
from services.orders.states import Fill, Order, Place
from services.orders.store import Key, Stored
from services.orders.unit import Due, Unit
from services.orders.wire import Because
from services.orders.wishes import cancel_request_id

SOURCE = "execution"
STREAM = "execution_reports"
UNSENT = (Place.SENT, Place.DOUBT_NEW)
BOOKING = (Kind.TRADED, Kind.BUSTED, Kind.CORRECTED)
log = logging.getLogger(__name__)

Message = execution_pb.WatchExecutionReportsResponse


class ReportReader:
    """Follows execution's reports and lets each take effect once (X7)."""

    def __init__(
        self, environment: Environment, recorder: Recorder, execution: ExecutionService
    ) -> None:
        self._environment = environment
        self._recorder = recorder
        self._execution = execution
        self._sequence = 0
        self._known = -1  # How far execution was when it was asked; below 0: it never answered.
        self._caught_up = asyncio.Event()

    async def caught_up(self) -> None:
        """Return once everything that execution had committed when asked has taken effect."""
        await self._caught_up.wait()

    async def run(self) -> None:
        """Read until cancelled; a lost stream is resumed after the last report committed."""
        self._sequence = await self._environment.database.write(
            lambda tx: bookkeeping.report_cursor(tx, SOURCE)
        )
        self._environment.progress.has_read(STREAM, self._sequence)
        following = Following(STREAM, self._watch, self._take)
        await follow(following, after=self._sequence, rng=self._environment.rng)

    def _watch(self, after: int) -> AsyncGenerator[Message, None]:
        """Return what execution sends; silence and gaps end it, and it is opened again."""
        request = execution_pb.WatchExecutionReportsRequest(after_sequence=after)
        messages = self._execution.watch_execution_reports(request)
        return attentive(messages, after=after, stream=STREAM)

    async def _take(self, batch: Sequence[Message]) -> None:
        """Let everything that has arrived take effect in one transaction (G2)."""
        reports = [report for message in batch for report in message.reports]
        fresh = [report for report in reports if not self._recorder.has_taken(report)]
        sequence = seen(batch)

        def book(unit: Unit) -> None:
            unit.prefetch((report.account, report.client_order_id) for report in fresh)
            for report in fresh:
                take_report(unit, report)
            bookkeeping.move_reports(unit.tx, SOURCE, sequence)

        if fresh:
            await self._recorder.write(book)  # Else the stored cursor may lag behind.
        self._sequence = max(sequence, self._sequence)
        self._environment.progress.has_read(STREAM, self._sequence)
        self._note_progress(batch)

    def _note_progress(self, batch: Sequence[Message]) -> None:
        beats = [message.sequence for message in batch if message.is_heartbeat]
        self._known = max([self._known, *beats])
        if 0 <= self._known <= self._sequence:
            self._caught_up.set()


def take_report(unit: Unit, report: ExecutionReport) -> bool:
    """Let a report take effect, unless it has; returns whether it had not.

    Inbox and effect are one transaction.
    A report of the same name and another content is an anomaly and is not applied; one for an
    order that nobody here made becomes an external order.
    """
    key, name = (report.account, report.client_order_id), (report.venue, report.exec_id)
    if unit.taken.get(name) == report:
        return False  # It came both as an answer and on the stream, a moment ago.
    refers = _referred(unit, report)
    unit.taken[name] = report
    if not executions.add(unit.tx, _execution(key, report)):
        _compare(unit, report)
        return False
    stored = unit.order(key) or _external(unit, key, report)
    if stored is not None:
        _take(unit, stored, report, refers)
    return True


def _take(unit: Unit, stored: Stored, report: ExecutionReport, refers: Execution | None) -> None:
    key = stored.key
    former = refers.fill if refers and refers.key == key and refers.fill != NO_FILL else None
    event = wire.report_event(stored.order, report, former, unit.now_ns)
    if event is None:
        return
    after = _apply(unit, stored, event, report)
    if former and refers and event.kind in {Kind.BUSTED, Kind.CORRECTED}:
        executions.set_fill(unit.tx, refers, event.fill or NO_FILL)
    if stored.order.place in UNSENT and after.order.place is not stored.order.place:
        unit.close_dispatch(key, event.kind.name)
    if event.kind in BOOKING and not _agrees(after.order, report):
        counted = report.cum_quantity.value
        unit.note_anomaly(after, f"the venue counts {counted} filled after {report.exec_id}")
    if report.reject_reason == execution_pb2.VENUE_REASON_UNKNOWN_ORDER:
        unit.due.append((Due.LOOK, key))  # Row 18: it should know the order, so it is asked.
    ask_due_cancel(unit, key)


def ask_due_cancel(unit: Unit, key: Key) -> None:
    """Ask for the cancel that waited for a doubt, once the order is known to work (row 16)."""
    stored = unit.order(key)
    if stored is None or not stored.order.is_cancel_due:
        return
    named = replace(stored, pending_request_id=cancel_request_id(stored))
    unit.apply(named, Event(Kind.CANCEL_REQUESTED, unit.now_ns))
    unit.due.append((Due.CANCEL, key))


def _apply(unit: Unit, stored: Stored, event: Event, report: ExecutionReport) -> Stored:
    if report.HasField("fee") and not stored.currency:
        stored = replace(stored, currency=report.fee.currency)
    local = OrderCause.ORDER_CAUSE_RESUMED if event.kind is Kind.RESUMED else None
    return unit.apply(stored, event, Because(local, report))


def _referred(unit: Unit, report: ExecutionReport) -> Execution | None:
    if not report.exec_ref_id:
        return None
    return executions.referred(unit.tx, report.venue, report.exec_ref_id)


def _execution(key: Key, report: ExecutionReport) -> Execution:
    is_trade = report.exec_type == execution_pb2.EXEC_TYPE_TRADE
    fill = wire.fill_of(report) if is_trade else None
    return Execution(
        venue=report.venue,
        exec_id=report.exec_id,
        key=key,
        exec_ref_id=report.exec_ref_id,
        fill=fill or NO_FILL,
        digest=_content(report),
        payload=report.SerializeToString(),
    )


def _content(report: ExecutionReport) -> bytes:
    """Return the digest of what a report says; the session that repeats it does not matter."""
    if not report.session_id:
        return digest(report)
    content = ExecutionReport()
    content.CopyFrom(report)
    content.ClearField("session_id")
    return digest(content)


def _compare(unit: Unit, report: ExecutionReport) -> None:
    seen = executions.find(unit.tx, report.venue, report.exec_id)
    assert seen is not None, "what could not be added is there"
    if seen.digest == _content(report):
        return
    if (stored := unit.order(seen.key)) and not unit.is_second_look:
        unit.note_anomaly(stored, f"report {report.exec_id} came again with another content")


def _agrees(order: Order, report: ExecutionReport) -> bool:
    return not report.HasField("cum_quantity") or (
        to_atto(report.cum_quantity.value) == order.cum_atto
    )


def _external(unit: Unit, key: Key, report: ExecutionReport) -> Stored | None:
    """Keep an order that somebody else made, so that what it trades is booked."""
    before = to_atto(report.cum_quantity.value or "0") - _traded_atto(report)
    quantity_atto = to_atto(report.cum_quantity.value or "0") + to_atto(
        report.leaves_quantity.value or "0"
    )
    if quantity_atto <= 0:
        return None  # It never worked and never traded: there is nothing to own.
    spec = order_pb2.OrderSpec(
        client_order_id=report.client_order_id,
        account=report.account,
        strategy_id="external",
        instrument=report.instrument,
        side=report.side,
        type=order_pb2.ORDER_TYPE_MARKET,
        time_in_force=order_pb2.TIME_IN_FORCE_DAY,
        quantity=Decimal(value=from_atto(quantity_atto)),
    )
    order = Order(
        quantity_atto=quantity_atto,
        place=Place.SENT,
        working=Place.SENT,
        cum_atto=max(before, 0),
        version=1,
        attempt=1,
        created_ns=unit.now_ns,
        updated_ns=unit.now_ns,
    )
    new = Stored(
        account=key[0],
        client_order_id=key[1],
        order_id=f"external-{report.venue}-{report.exec_id}"[:64],
        strategy_id="external",
        instrument=report.instrument,
        spec=spec.SerializeToString(),
        digest=digest(spec),
        order=order,
    )
    return unit.add_external(new, order)


def _traded_atto(report: ExecutionReport) -> int:
    fill: Fill | None = wire.fill_of(report)
    return fill.quantity_atto if fill else 0
