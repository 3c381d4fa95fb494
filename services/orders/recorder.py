"""Commits units of work on orders, then tells who listens."""

import itertools
import logging
from collections.abc import Callable, Sequence
from typing import TypeVar, cast

from sqlalchemy import Connection
from trading.types.v1.event_pb2 import OrderEvent
from trading.types.v1.execution_pb2 import ExecutionReport
from trading.types.v1.risk_pb2 import RiskEvent

from runtime.environment import Environment
from runtime.observe.scope import traceparent
from runtime.stores import CommitUnknown, Outbox, StoreError
from runtime.watch import Feed
from services.orders import alarms as alarm_log
from services.orders import store, wire
from services.orders import tables as t
from services.orders.alarms import Alarm
from services.orders.pauses import pause
from services.orders.store import Key, Stored
from services.orders.together import Job, Together
from services.orders.unit import Due, Memory, Unit

T = TypeVar("T")
RECENT_MAX = 8_192
TAKEN_MAX = 1_024
log = logging.getLogger(__name__)


class Recorder:
    """Runs units of work and, once they are committed, tells everybody about their events."""

    def __init__(self, environment: Environment) -> None:
        self.outbox = Outbox(t.outbox)
        self.epoch = 0  # Of this instance, once it has taken one.
        self.feed: Feed[OrderEvent] = Feed(wire.SOURCE)
        self.alarms: Feed[RiskEvent] = Feed(wire.SOURCE)
        self._environment = environment
        self._together = Together(self._commit)
        self._memory = Memory(environment.database)
        self._recent: dict[int, OrderEvent] = {}
        self._told = 0  # Everybody who listens has heard every event up to it.
        self._doubted: list[Unit] = []  # Committed or not: their answers were lost.
        self._taken: dict[tuple[str, str], ExecutionReport] = {}  # The newest, oldest first.
        self._listeners: list[Callable[[OrderEvent], None]] = []
        self._on_due: dict[Due, Callable[[Key], object]] = {}

    def begin(self, epoch: int, sequence: int, alarm: int) -> None:
        """Go on as the writer `epoch`, after the event `sequence` and the alarm `alarm`."""
        self.epoch = epoch
        self.feed = Feed(wire.SOURCE, sequence)
        self._told = sequence
        self.alarms = Feed(wire.SOURCE, alarm)
        self._environment.progress.wrote("order_events", sequence)

    def on_event(self, listener: Callable[[OrderEvent], None]) -> None:
        """Call `listener` with every event, after its commit."""
        self._listeners.append(listener)

    def on_due(self, due: Due, listener: Callable[[Key], object]) -> None:
        """Call `listener` with every order for which `due` must be done, after the commit."""
        self._on_due[due] = listener

    async def write(self, work: Callable[[Unit], T]) -> T:
        """Return what `work` returned, after everything it did is committed and told.

        It does nothing but change orders, and it may be run again. What waits at the same time
        shares its transaction; what it raises takes back only its own.
        """
        job = Job(work, traceparent())
        if not self._environment.database.is_ephemeral:
            return cast(T, await self._together.done(job))
        await self._commit([job])  # In memory nothing is gained by waiting for company.
        return cast(T, job.result)

    async def _commit(self, jobs: Sequence[Job]) -> None:
        """Run jobs in one unit; return once it is committed and told."""
        units: list[Unit] = []  # The last one is it, if the work had to run again.

        def run(tx: Connection) -> None:
            unit = Unit(tx, self.epoch, self._memory)
            units.append(unit)
            for job in jobs:
                unit.begin(self._environment.clock.now_ns(), job.parent)
                job.result = job.work(unit)
            unit.flush(self.outbox)

        try:
            await self._write(run)
        except CommitUnknown:  # It may be committed: then its events must be told, too.
            self._doubted.extend(units[-1:])
            if not await self._is_settled():
                self._environment.tasks.spawn(self._settle(), name="read back")
            self.alarms.doubt()
            raise
        if self._doubted:  # What came before is told first, if it can be read by now.
            await self._is_settled()
        self._tell(units[-1].events)
        self._follow_up(units[-1])

    async def _write(self, run: Callable[[Connection], None]) -> None:
        try:
            await self._environment.database.write(run)
        except StoreError:  # Such as a conflict: there may be something else than was known.
            self._memory.forget()
            raise

    async def _settle(self) -> None:
        with self._environment.progress.working("read back"):
            for attempt in itertools.count():
                await pause(attempt, self._environment.rng)
                if await self._is_settled():
                    return

    async def _is_settled(self) -> bool:
        """Read what was committed while answers were lost; return whether that was possible."""
        try:
            await self._catch_up()
        except StoreError as error:
            log.warning("what became of a commit cannot be read back yet: %s", error)
            return False
        doubted, self._doubted = self._doubted, []
        for unit in doubted:
            newest = unit.events[-1] if unit.events else None
            if newest and self._recent.get(newest.header.sequence) == newest:
                unit.due.extend((Due.TAKE_IN, key) for key in unit.added)
                self._follow_up(unit)
        return True

    def _follow_up(self, unit: Unit) -> None:
        """Do what follows from a unit that is committed."""
        for sequence, alarm in unit.told:
            self.alarms.publish(sequence, alarm)
        for name, report in unit.taken.items():
            self._taken[name] = report
            if len(self._taken) > TAKEN_MAX:
                del self._taken[next(iter(self._taken))]
        for due, key in unit.due:
            if listener := self._on_due.get(due):
                listener(key)

    async def alarm(self, alarm: Alarm) -> None:
        """Keep an alarm that belongs to no change of an order."""
        await self.write(lambda unit: unit.alarms.append(alarm))

    async def alarms_after(self, after: int, count: int) -> list[tuple[int, RiskEvent]]:
        """Return the next committed alarms in order, at most `count`."""
        return await self._environment.database.read(lambda tx: alarm_log.after(tx, after, count))

    def has_taken(self, report: ExecutionReport) -> bool:
        """Whether this very report is known to have had its effect; False: ask the inbox."""
        return self._taken.get((report.venue, report.exec_id)) == report

    async def load(self, key: Key) -> Stored | None:
        """Return an order as it is committed."""
        return await self._environment.database.read(lambda tx: store.load(tx, key))

    async def events_after(self, after: int, count: int) -> list[tuple[int, OrderEvent]]:
        """Return the next committed events in order, at most `count`."""
        found: list[tuple[int, OrderEvent]] = []
        while len(found) < count and (event := self._recent.get(after + len(found) + 1)):
            found.append((after + len(found) + 1, event))
        if found or after >= self.feed.sequence:
            return found
        return await self._from_store(after, count)

    async def _from_store(self, after: int, count: int) -> list[tuple[int, OrderEvent]]:
        rows = await self._environment.database.read(
            lambda tx: store.events_after(tx, after, count)
        )
        return [(sequence, OrderEvent.FromString(payload)) for sequence, payload in rows]

    async def _catch_up(self) -> None:
        while found := await self._from_store(self._told, 256):
            self._tell([event for _, event in found])

    def _tell(self, events: Sequence[OrderEvent]) -> None:
        for event in events:
            sequence = event.header.sequence
            if sequence <= self._told or sequence in self._recent:
                continue  # It was read back before.
            self._recent[sequence] = event
            self._recent.pop(sequence - RECENT_MAX, None)
            while self._told + 1 in self._recent:
                self._told += 1
            self.feed.publish(sequence, event)
            for listener in self._listeners:
                listener(event)
        if events:
            self._environment.progress.wrote("order_events", events[-1].header.sequence)
