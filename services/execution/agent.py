"""Works one parent over time: looks, takes the next step, and sleeps on the market's clock."""

import asyncio
import logging
from dataclasses import replace

from sqlalchemy import Connection
from trading.types.v1.execution_pb2 import EXEC_TYPE_CANCELED, ExecutionReport, VenueReason
from trading.types.v1.order_pb2 import OrderSpec

from runtime.errors import ServiceError
from runtime.rpc import Call
from services.execution import committing, plans, store
from services.execution.algorithms.prices import Meeting, is_marketable, price_of
from services.execution.algorithms.steps import (
    Ask,
    End,
    Ending,
    Phase,
    Send,
    Situation,
    Skip,
    Wait,
    next_step,
)
from services.execution.algorithms.terms import Kind
from services.execution.canceling import Canceling
from services.execution.children import Child
from services.execution.committing import Intent
from services.execution.market import Book
from services.execution.plans import Plan, PlanStatus
from services.execution.sending import place
from services.execution.situations import Outside, look
from services.execution.tools import Tools
from services.execution.upward import own_report, with_reason
from services.execution.wire import algorithm_child_message

PLACE_TIMEOUT_S = 1.0
STORE_PAUSE_S, LONGEST_PAUSE_S = 0.1, 2.0
BOOK_TRIES = 3  # An answer that is late once is not a market without a price.
TAKING = frozenset({Meeting.CROSS, Meeting.COMPLETE})
WORK = "algorithm"  # What an awake agent is, in the service's progress.
log = logging.getLogger(__name__)


class Agent:
    """One parent's worker. All that matters is in the store: it may stop and begin at any time."""

    def __init__(self, plan: Plan, spec: OrderSpec, tools: Tools) -> None:
        self.key = plan.key
        self.ended = asyncio.Event()
        self._kind, self._instrument = plan.terms.kind, plan.facts.instrument
        self._spec = spec
        self._tools = tools
        self._cancels = Canceling(plan.key, plan.facts.execution_id, tools.desk, self.wake)
        self._changed = asyncio.Event()
        self._is_awake = self._is_clearing = False
        self._pause_s = STORE_PAUSE_S
        self._placing: set[int] = set()  # Children whose send is on its way.
        self._passed = 0  # POV: the last second that needs nothing more.

    def wake(self) -> None:
        """Make it look again: something happened that it may have to act on."""
        if not self.ended.is_set():
            self._changed.set()
            self._be_awake(is_awake=True)

    def clear(self, *, is_clearing: bool) -> None:
        """Cancel all children and send none until told otherwise."""
        self._is_clearing = is_clearing
        self.wake()

    async def run(self) -> None:
        """Work until the parent has ended."""
        try:
            while True:
                self._changed.clear()
                self._be_awake(is_awake=True)
                wait = await self._act()
                if wait is None:
                    return
                await self._sleep(wait)
        finally:
            self.ended.set()
            self._be_awake(is_awake=False)

    async def _act(self) -> Wait | None:
        """Take steps until there is something to wait for; None once the parent has ended."""
        try:
            while True:
                book = await self._volume()
                plan, situation = await self._read(book)
                step = next_step(situation)
                if plan.status is PlanStatus.CANCELED:
                    return None
                if isinstance(step, Wait):
                    return step
                if isinstance(step, End):
                    await self._end(step.ending)
                    return None
                await self._take(step, book)
        except ServiceError as error:
            log.info("execution %s waits: %s", self.key, error)
            await self._recover()
            return Wait(self._tools.desk.now_ns())

    async def _recover(self) -> None:
        """Wait for the store; a child whose commit had no answer may be there and never sent."""
        await asyncio.sleep(self._pause_s)
        self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)
        try:
            kept = await self._tools.desk.environment.database.read(
                lambda tx: store.load_open_children_of(tx, self.key)
            )
        except ServiceError:
            return
        self._pause_s = STORE_PAUSE_S
        for child in kept:
            if child.is_unsettled and child.number not in self._placing:
                self._tools.doubts.watch((child.account, child.child_order_id))

    async def _take(self, step: Ask | Send | Skip, book: Book | None) -> None:
        if isinstance(step, Ask):
            for number in step.numbers:
                self._cancels.ask(number)
        elif isinstance(step, Send):
            await self._send(step, book)
        elif self._kind is Kind.POV and step.due.phase is Phase.PENDING:
            self._passed = step.due.number  # Nothing is kept of a second without a child.
        else:
            await self._tools.desk.environment.database.write(
                lambda tx: committing.skip(tx, self.key, step.due)
            )

    async def _read(self, book: Book | None) -> tuple[Plan, Situation]:
        return await self._tools.desk.environment.database.read(lambda tx: self._look(tx, book))

    def _look(self, tx: Connection, book: Book | None) -> tuple[Plan, Situation]:
        now = plans.load(tx, self.key)
        assert now is not None, "only kept plans are worked"
        outside = Outside(
            now_ns=self._tools.desk.now_ns(),
            is_held=self._is_clearing or bool(self._tools.stops(now)),
            asked=self._cancels.asked,
            market_lots=book.traded_lots - now.facts.traded_before if book else 0,
            passed=self._passed,
        )
        return now, look(tx, now, outside)

    async def _volume(self) -> Book | None:
        """Return the market for the algorithm that lives on its volume; None for others."""
        if self._kind is not Kind.POV:
            return None
        return await self._tools.market.book(self._instrument)

    async def _send(self, step: Send, book: Book | None) -> None:
        """Commit and send the child that is due, or note why there is none."""
        at_touch = book or await self._book()

        def decide(tx: Connection) -> tuple[Plan, Child | None]:
            plan, situation = self._look(tx, book)
            if next_step(situation) != step:
                return plan, None  # Something came between: it is decided anew.
            venue = self._tools.desk.link.venue
            ticks, why = _priced(plan, step, at_touch)
            why = "VENUE_UNHEALTHY" if self._tools.desk.link.ails() else why
            intent = Intent(plan, situation, step, venue, ticks)
            if why or intent.lots <= 0:
                committing.send_nothing(tx, intent, why or "CARRIED")
                return plan, None
            return plan, committing.send(tx, intent)

        plan, child = await self._tools.desk.environment.database.write(decide)
        if child is not None:
            self._tools.desk.environment.tasks.spawn(
                self._place(plan, child), name=f"place {child.child_order_id}"
            )

    async def _book(self) -> Book | None:
        """Return the market; None when the venue does not show it however often it is asked.

        A slice that is over for want of a price is not sent again, and the last one's is lost.
        """
        for _ in range(BOOK_TRIES):
            if (book := await self._tools.market.book(self._instrument)) is not None:
                return book
        return None

    async def _place(self, plan: Plan, child: Child) -> None:
        """Send a child whose dispatch is committed; what comes of it wakes the agent."""
        desk = self._tools.desk
        message = algorithm_child_message(plan, self._spec, child)
        self._placing.add(child.number)
        with desk.environment.progress.working("place"):
            try:
                await place(desk, self._tools.doubts, child, message, Call(PLACE_TIMEOUT_S))
            except ServiceError as error:  # The store: the doubt is being followed.
                log.warning("child %s: %s", child.child_order_id, error)
            self._placing.discard(child.number)
            self.wake()

    async def _end(self, ending: Ending) -> None:
        """Close the parent and tell orders, unless the venue's last report has done so."""
        book = await self._tools.market.book(self._instrument)
        trades_until = book.trade_sequence if book else 0
        desk = self._tools.desk

        def close(tx: Connection) -> list[ExecutionReport]:
            plan = plans.load(tx, self.key)
            assert plan is not None, "only kept plans are worked"
            plan = replace(plan, trades_until=trades_until)
            if plan.is_over:
                plans.keep(tx, plan)
                return []
            plan = replace(plan, status=PlanStatus.CANCELED)
            plan, report = own_report(plan, EXEC_TYPE_CANCELED, desk.link, desk.now_ns())
            if ending is Ending.WINDOW_ENDED:
                text = f"the window ended; the last slice said {plan.note or 'nothing'}"
                with_reason(report, VenueReason.VENUE_REASON_WINDOW_ENDED, text)
            plans.keep(tx, plan)
            return [report]

        await self._tools.reports.tell(close)

    async def _sleep(self, wait: Wait) -> None:
        """Sleep until a time of the market's clock, or until somebody wakes it."""
        if self._changed.is_set():
            return
        alarm = None
        if wait.until_ns:
            alarm = asyncio.ensure_future(self._alarm(wait.until_ns))
        self._be_awake(is_awake=False)
        try:
            await self._changed.wait()
        finally:
            if alarm is not None:
                alarm.cancel()

    async def _alarm(self, until_ns: int) -> None:
        await self._tools.desk.environment.clock.sleep_until(until_ns)
        self.wake()

    def _be_awake(self, *, is_awake: bool) -> None:
        """Count in the service's progress: nothing is at rest while an agent is awake."""
        if is_awake != self._is_awake:
            self._is_awake = is_awake
            self._tools.desk.environment.progress.busy[WORK] += 1 if is_awake else -1


def _priced(plan: Plan, step: Send, book: Book | None) -> tuple[int, str]:
    """Return the price of a child, or why there can be none."""
    ticks = price_of(plan.terms, step.meeting, book.touch) if book else None
    if book is None or ticks is None:
        return 0, "NO_REFERENCE"
    if step.meeting in TAKING and not is_marketable(plan.terms, ticks, book.touch):
        return 0, "BEYOND_LIMIT"
    return ticks, ""
