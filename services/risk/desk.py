"""The one writer of the book: it changes at once, and is committed before anybody is told.

Nothing waits between a check and its hold, so decisions of many callers share a commit and
still never see an old state. When a commit fails, or its answer is lost, the book is read
anew before the next decision.
"""

import asyncio
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from sqlalchemy import Connection
from trading.risk.v1 import risk_pb2 as pb
from trading.types.v1.event_pb2 import EventHeader
from trading.types.v1.risk_pb2 import RiskEvent

from runtime.environment import Environment
from runtime.stores import become_writer
from runtime.times import to_timestamp
from runtime.watch import Feed
from services.risk import governing, records, store, tables
from services.risk.account import MINUTE_NS
from services.risk.book import Book
from services.risk.migrations import HISTORY
from services.risk.reasons import Mode
from services.risk.rules import Limits, Scope
from services.risk.tripping import Tripped, trip

SOURCE = "risk"
FIRST = ":1"  # What the key of an order's first validation ends with.
EVENTS = "risk_events"  # Followed by orders and execution, which obey trading modes.
Work = Callable[[Connection], None]


@dataclass(slots=True)
class State:
    """What one reading of the store gave, and what has happened since."""

    book: Book = field(default_factory=Book)
    limits: dict[Scope, pb.Limits] = field(default_factory=dict)
    modes: dict[Scope, pb.ScopedMode] = field(default_factory=dict)  # That hold.
    asked: dict[Scope, Mode] = field(default_factory=dict)  # That somebody set.
    keys: dict[tuple[str, str], None] = field(default_factory=dict)  # Decided, oldest first.
    has_all_keys: bool = True
    decisions: int = 0
    events: int = 0
    limits_version: int = 0
    cursors: dict[str, int] = field(default_factory=dict)
    unconfirmed: dict[tuple[str, str], int] = field(default_factory=dict)  # Holds, since when.
    tripped: list[Tripped] = field(default_factory=list)  # What no commit has taken along yet.

    def set_limits(self, scope: Scope, limits: pb.Limits, version: int) -> None:
        """Let limits hold in `scope` from now on."""
        self.limits[scope] = limits
        self.book.limits[scope] = governing.limits_of(limits, version)
        self.limits_version = version

    def set_mode(self, mode: pb.ScopedMode, asked: int) -> None:
        """Let a mode hold in its scope from now on; `asked` is what somebody set there."""
        scope = governing.scope_of(mode.scope)
        self.asked[scope] = Mode(asked)
        self.modes[scope] = mode
        self.book.modes.by_scope[scope] = Mode(mode.mode)

    def begin_day(self, name: str, now_ns: int) -> None:
        """Begin an account's day if a new one has come: what its loss stopped may go on at once.

        Modes and events of that are stored and told with the next commit.
        """
        account = self.book.accounts.get(name)
        if account is not None and self.book.begin_day(account, now_ns):
            self.tripped.append(trip(self, now_ns))

    @property
    def has_untold(self) -> bool:
        """Whether breakers did something that no commit has taken along yet."""
        return bool(self.tripped or self.book.breakers.happened)

    def await_event(self, name: tuple[str, str], since_ns: int) -> None:
        """Note an approved order that no event has followed yet, the latest last."""
        self.unconfirmed.pop(name, None)
        self.unconfirmed[name] = since_ns

    def next_alarm_ns(self) -> int | None:
        """Return when something is due by the clock: a breaker's end, or a hold that is stuck."""
        ends_ns = self.book.breakers.next_end_ns()
        if not self.unconfirmed:
            return ends_ns
        stuck_ns = next(iter(self.unconfirmed.values())) + MINUTE_NS
        return stuck_ns if ends_ns is None else min(ends_ns, stuck_ns)

    def has_decided(self, account: str, key: str) -> bool | None:
        """Return whether a request was decided; None when only the store can tell."""
        if (account, key) in self.keys:
            return True
        return False if self.has_all_keys else None

    def note_decided(self, account: str, key: str) -> None:
        """Remember that a request was decided, at the cost of the oldest."""
        self.keys[account, key] = None
        if len(self.keys) > 2 * records.KEYS_MAX:
            self.keys = dict.fromkeys(list(self.keys)[-records.KEYS_MAX :])
            self.has_all_keys = False


def load(tx: Connection, instruments: Book, now_ns: int) -> State:
    """Return the state as it was committed last, with the instruments known already."""
    book = Book(instruments=instruments.instruments, calendars=instruments.calendars)
    state = State(book)
    state.cursors = store.load(tx, book, now_ns)
    for version, scope, limits in records.all_limits(tx):
        state.set_limits(governing.scope_of(scope), limits, version)
    for mode, asked in records.modes(tx):
        state.set_mode(mode, asked)
    book.breakers = records.breakers(tx)
    keys, state.has_all_keys = records.keys(tx)
    state.keys = dict.fromkeys(keys)
    book.slots = records.slots(tx)
    for account in book.accounts.values():
        for order in account.open.values():
            if not order.is_confirmed:
                state.unconfirmed[account.name, order.client_order_id] = order.since_ns
    for name, strategy_id, at_ns in records.ordered(tx, now_ns - MINUTE_NS):
        book.account(name).count(strategy_id, at_ns)
    state.decisions = records.last_sequence(tx)
    state.events = records.last_event(tx)
    return state


def remember_recent(state: State, before: Book) -> None:
    """Take over which orders were approved a moment ago: the store does not say it."""
    for name, account in before.accounts.items():
        for fingerprint, (at_ns, order) in account.recent.items():
            if state.has_decided(name, order + FIRST) is not False:
                state.book.account(name).remember(fingerprint, at_ns, order)


class Desk:
    """Owns the state. Take it from `ready`, change it without waiting, then `commit`."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self.state = State()
        self.feed: Feed[RiskEvent] = Feed(SOURCE)
        self._is_current = False
        self._reading = asyncio.Lock()
        self._committing: dict[asyncio.Future[None], None] = {}
        self.on_change: Callable[[], None] = lambda: None  # Told whenever the state changed.

    async def start(self) -> None:
        """Create the tables and read the state."""
        database = self.environment.database
        await database.migrate(HISTORY)
        await become_writer(database, tables.epochs, "all")
        await self.ready()
        self.feed = Feed(SOURCE, self.state.events)
        self.environment.progress.wrote(EVENTS, self.state.events)

    async def ready(self) -> State:
        """Return the state as it is now, read anew if a commit went wrong."""
        while not self._is_current:
            async with self._reading:
                if not self._is_current:
                    await self._read()
        return self.state

    def distrust(self) -> None:
        """Have the state read anew: it was changed, and the change will not be committed."""
        self._is_current = False

    def commit(self, work: Work, events: Sequence[RiskEvent] = ()) -> "asyncio.Future[None]":
        """Begin to commit what has just been changed; the watchers of `events` hear after it.

        Call it without waiting after the change, so commits happen in the order of changes.
        Await the result shielded: a caller that leaves does not take the change back.
        """
        state = self.state
        tripped = [*state.tripped, trip(state, self.environment.clock.now_ns())]
        state.tripped.clear()
        events = [*events, *(self.event(event) for each in tripped for event in each.events)]

        def store_all(tx: Connection) -> None:
            work(tx)
            for each in tripped:
                records.put_breakers(tx, each.breakers, each.keys)
                for mode, asked in each.modes:
                    records.put_mode(tx, mode, asked)
            records.add_events(tx, events)

        writing = asyncio.ensure_future(self.environment.database.write(store_all))
        self._committing[writing] = None
        self.on_change()
        writing.add_done_callback(partial(self._ended, events))
        return writing

    async def settled(self, name: str) -> State:
        """Commit what breakers and a new day did to an account; return the state after it."""
        known = [each for each in [self.state.book.accounts.get(name)] if each is not None]
        await asyncio.shield(self.commit(lambda tx: store.put_states(tx, known)))
        return await self.ready()

    def event(self, event: RiskEvent) -> RiskEvent:
        """Return `event` with the next place among risk's events."""
        self.state.events += 1
        sequence = self.state.events
        event.header.CopyFrom(
            EventHeader(
                event_id=str(uuid.uuid5(uuid.NAMESPACE_OID, f"{SOURCE}/{sequence}")),
                sequence=sequence,
                source=SOURCE,
                occurred_at=to_timestamp(self.environment.clock.now_ns()),
            )
        )
        return event

    def limits_in_force(self, scope: Scope) -> tuple[Scope, pb.Limits, Limits]:
        """Return whose limits hold for the firm or an account, as set and as used."""
        owner, limits = self.state.book.limits_of(scope[1])
        return owner, self.state.limits.get(owner, governing.DEFAULTS), limits

    async def _read(self) -> None:
        while self._committing:  # What is under way must be in or out before.
            await asyncio.wait(list(self._committing))
        now_ns = self.environment.clock.now_ns()
        before = self.state.book
        state = await self.environment.database.read(lambda tx: load(tx, before, now_ns))
        remember_recent(state, before)
        self.state = state
        self._is_current = True

    def _ended(self, events: Sequence[RiskEvent], writing: "asyncio.Future[None]") -> None:
        del self._committing[writing]
        if writing.cancelled() or writing.exception() is not None:
            self._is_current = False
            return
        for event in events:
            self.feed.publish(event.header.sequence, event)
        if events:
            self.environment.progress.wrote(EVENTS, events[-1].header.sequence)
