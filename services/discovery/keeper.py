"""The one writer of the registry: nobody sees what is not committed."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from itertools import count

from sqlalchemy import Connection
from trading.discovery.v1 import discovery_pb2 as pb

from runtime.alarm import Alarm
from runtime.environment import Environment
from runtime.stores import become_writer
from runtime.stores.errors import CommitUnknown, StoreError
from runtime.watch import Feed
from services.discovery import store, tables, wire
from services.discovery.entries import Entry, Pulse
from services.discovery.migrations import HISTORY
from services.discovery.registry import Registry
from services.discovery.terms import Terms

EVENTS_A_TIME = 256
# What a step changes: entries as they are afterwards, one at most of an instance.
Step = Sequence[Entry]


class Keeper:
    """Owns the registry. Who changes it does so within `opened`, alone; who reads, just reads.

    Beats change nothing that is stored, so they need neither the lock nor a row. They must
    know two things: that no step which ends their lease is on its way (`is_settled`), and that
    this process is still the one that decides (`confirm`).
    """

    def __init__(self, environment: Environment, terms: Terms) -> None:
        self.registry = Registry()
        self.feed: Feed[pb.InstanceChange] = Feed("discovery")
        self.terms = terms
        self.expiry_alarm = Alarm(environment.clock)
        self.probe_alarm = Alarm(environment.clock)
        self._environment = environment
        self._lock = asyncio.Lock()
        self._is_current = False
        self._ending: set[str] = set()  # Leases that a step on its way ends.

    async def start(self) -> None:
        """Read the registry. Every lease in it begins anew: nobody could beat meanwhile (D3)."""
        database = self._environment.database
        await database.migrate(HISTORY)
        await become_writer(database, tables.epochs, "all")
        found = await database.read(store.load)
        self.feed = Feed("discovery", found.sequence)
        kept = await database.read(lambda tx: store.kept_after(tx, found.sequence))
        self.feed.forget_until(kept)
        self._take_in(found)

    @asynccontextmanager
    async def opened(self) -> AsyncGenerator[Registry, None]:
        """Give one caller at a time the registry as it is committed."""
        async with self._lock:
            if not self._is_current:
                await self._read()
            yield self.registry

    def is_settled(self, lease_id: str) -> bool:
        """Tell whether what is known of a lease is all there is: no step on its way ends it."""
        return self._is_current and lease_id not in self._ending

    async def confirm(self) -> None:
        """Return when it is certain that no other process had taken over before this call.

        Raises StoreError when that cannot be known. Without it a former discovery could go on
        prolonging leases that its successor gives to others.
        """
        await self._environment.database.write(_nothing)

    async def commit(
        self, step: Step, also: Callable[[Connection], None] | None = None, *, fence: int = 0
    ) -> None:
        """Commit a step, then show it; call it within `opened`. `fence` is the one it gives out."""
        registry, now_ns = self.registry, self._environment.clock.now_ns()
        numbers = count(registry.sequence + 1)
        events: dict[int, pb.InstanceChange] = {}
        pairs = [(registry.entries.get(entry.spec.instance_id), entry) for entry in step]
        for before, after in pairs:
            change = wire.change_of(before, after, self._expire_ns(after, now_ns))
            if change is not None:
                events[next(numbers)] = change
        fence, sequence = max(fence, registry.fence), registry.sequence + len(events)

        def work(tx: Connection) -> None:
            for before, after in pairs:
                store.put(tx, before, after, self._expire_ns(after, now_ns))
            store.add_events(tx, events, now_ns)
            store.put_counters(tx, fence, sequence)
            if also is not None:
                also(tx)

        self._ending = {b.lease_id for b, after in pairs if b is not None and _ends(b, after)}
        await self._write(work)
        for _, after in pairs:
            registry.put(after, now_ns)
        registry.fence, registry.sequence = fence, sequence
        for number, change in events.items():
            self.feed.publish(number, change)
        self.poke()

    async def forget(self, now_ns: int) -> None:
        """Remove what ended five minutes ago, and changes of a week ago; call it as `commit`."""
        ended = self.registry.ended_until(now_ns - self.terms.kept_ns)
        if not ended.lease_ids:
            return
        sequence, events_ns = self.registry.sequence, now_ns - self.terms.events_kept_ns

        def work(tx: Connection) -> int:
            store.forget(tx, ended, events_until_ns=events_ns)
            return store.kept_after(tx, sequence)

        kept_after = await self._environment.database.write(work)
        self.registry.forget(ended)
        self.feed.forget_until(kept_after)

    def poke(self) -> None:
        """Have expiry and probes look when their next instant is."""
        self.expiry_alarm.poke()
        self.probe_alarm.poke()

    async def _write(self, work: Callable[[Connection], None]) -> None:
        """Return when `work` is in; when that is not known the registry is read anew."""
        writing = asyncio.ensure_future(self._environment.database.write(work))
        try:
            await asyncio.shield(writing)
        except asyncio.CancelledError:
            await asyncio.wait([writing])  # Nobody may read before it is in or out.
            self._is_current = False
            raise
        except StoreError as error:
            self._is_current = not isinstance(error, CommitUnknown)
            raise
        finally:
            self._ending = set()

    async def _read(self) -> None:
        """Take in what is committed, and show what of it nobody was shown."""
        database = self._environment.database
        found = await database.read(store.load)
        while self.feed.sequence < found.sequence:
            behind = partial(store.events_after, after=self.feed.sequence, count=EVENTS_A_TIME)
            page = await database.read(behind)
            for number, change in page:
                self.feed.publish(number, change)
        self._take_in(found)

    def _take_in(self, found: Registry) -> None:
        """Let `found` hold: who was heard stays heard, everybody else is from this moment."""
        now_ns = self._environment.clock.now_ns()
        for lease_id in found.pulses:
            found.pulses[lease_id] = self.registry.pulses.get(lease_id) or Pulse(now_ns)
        found.pause_until_ns = self.registry.pause_until_ns
        self.registry, self._is_current = found, True
        self.poke()

    def _expire_ns(self, entry: Entry, now_ns: int) -> int:
        if not entry.is_live:
            return entry.ended_ns
        pulse = self.registry.pulses.get(entry.lease_id)
        return (pulse.heard_ns if pulse else now_ns) + entry.ttl_ns


def _ends(before: Entry, after: Entry) -> bool:
    """Tell whether a step ends the lease that was."""
    return before.is_live and (not after.is_live or after.lease_id != before.lease_id)


def _nothing(_tx: Connection) -> None:
    """Do no work: the fence before it is what counts."""
