"""One transaction's work on orders: row, event and outbox entry together, or nothing."""

import logging
from collections.abc import Iterable
from dataclasses import replace
from enum import Enum

from sqlalchemy import Connection
from trading.types.v1.event_pb2 import OrderCause, OrderEvent
from trading.types.v1.execution_pb2 import ExecutionReport
from trading.types.v1.risk_pb2 import RiskEvent

from runtime.stores import Database, Known, Outbox
from services.orders import alarms as alarm_log
from services.orders import bookkeeping, event_rows, machine, protections, store, wire
from services.orders.alarms import Alarm
from services.orders.events import Event, Kind
from services.orders.states import Order, Place
from services.orders.store import Key, Stored
from services.orders.wire import SOURCE, Because, Header

ANOMALY = Because(OrderCause.ORDER_CAUSE_ANOMALY)
log = logging.getLogger(__name__)


class Due(Enum):
    """What must be done about an order once a transaction is committed."""

    CANCEL = "send the cancel that waited for a doubt (row 16)"
    REPLACE = "find out what became of a replacement, now that its cancel is refused"
    LOOK = "compare it with the venue: something about it cannot be"
    TAKE_IN = "go on with it, if nobody does: whoever made it may not know of it"


class Memory:
    """What this writer knows of its orders and events without reading them back (X12)."""

    def __init__(self, database: Database) -> None:
        self.orders: Known[Key, Stored] = Known(database)  # Those that have not ended.
        self.sequence: Known[str, int] = Known(database)  # Of the newest event.

    def forget(self) -> None:
        """Read everything again."""
        self.orders.forget()
        self.sequence.forget()


class Unit:
    """What one transaction does to orders; all of it is written at its end, or nothing.

    Several works may share it, one after the other; each sees what the former have done.
    """

    def __init__(self, tx: Connection, epoch: int, memory: Memory) -> None:
        self.tx = tx
        self._memory = memory
        self._parent = ""  # The traceparent of what its events are part of.
        self.epoch = epoch
        self.now_ns = 0
        self.events: list[OrderEvent] = []
        self.due: list[tuple[Due, Key]] = []
        self.added: list[Key] = []
        self.alarms: list[Alarm] = []
        self.is_second_look = False  # What cannot be has been told, and is only looked at.
        self.told: list[tuple[int, RiskEvent]] = []  # The alarms as they were kept.
        # Reports that have had their effect with it, by venue and exec_id.
        self.taken: dict[tuple[str, str], ExecutionReport] = {}
        self._orders: dict[Key, Stored] = {}
        self._changed: dict[Key, Stored] = {}
        self._written: dict[Key, Stored] = {}  # Those and the new ones.
        self._opened: list[bookkeeping.Dispatch] = []
        self._closed: dict[Key, str] = {}
        self._sequence = -1

    def begin(self, now_ns: int, parent: str = "") -> None:
        """Begin the next work: at this instant, as part of what `parent` names."""
        self.now_ns, self._parent, self.is_second_look = now_ns, parent, False

    def order(self, key: Key) -> Stored | None:
        """Return the order as it stands within this transaction."""
        if key not in self._orders:
            found = self._memory.orders.get(key) or store.load(self.tx, key)
            if found is None:
                return None
            self._orders[key] = found
        return self._orders[key]

    def prefetch(self, keys: Iterable[Key]) -> None:
        """Read many orders with one statement: those that are not known."""
        known = self._memory.orders
        unknown = {key[1] for key in keys if key not in self._orders and not known.get(key)}
        if unknown:
            for found in store.load_many(self.tx, sorted(unknown)):
                self._orders.setdefault(found.key, found)

    def add(self, new: Stored) -> Stored | None:
        """Keep a new order, with the event that it was submitted; None when it is there."""
        order = machine.apply(new.order, Event(Kind.SUBMITTED, self.now_ns)).order
        stored = self._insert(replace(new, order=order))
        if stored is None:
            return None
        self.added.append(stored.key)
        protections.note(self.tx, stored)
        self._tell(stored, Because(OrderCause.ORDER_CAUSE_SUBMITTED))
        return stored

    def add_external(self, new: Stored, order: Order) -> Stored:
        """Keep an order that a venue knows and we do not: that is an anomaly."""
        stored = self._insert(replace(new, order=order))
        assert stored is not None, "nobody here made it"
        self._raise_alarm(stored, "the venue has it and nobody here made it")
        self._tell(stored, ANOMALY)
        return stored

    def pass_through(self, stored: Stored, event: Event) -> Stored:
        """Move an order to where it will not stay: the event of its next step tells of both.

        That step must be made in the same work; nobody ever sees the order in between.
        """
        applied = machine.apply(stored.order, event)
        assert applied.anomaly is None, "what cannot be is told by itself"
        return self._keep(replace(stored, order=applied.order))

    def apply(self, stored: Stored, event: Event, because: Because | None = None) -> Stored:
        """Move an order by the transition table; returns it as it stands then.

        `because` is what the event tells of its cause; without it, what the table names. An
        anomaly is an event of its own, after the one that booked the money.
        """
        applied = machine.apply(stored.order, event)
        if applied.order is stored.order:
            return stored
        is_booked = applied.row is not None or event.kind is Kind.TRADED
        changed = replace(stored, order=applied.order)
        is_uncovered = applied.order.place is Place.PENDING_REPLACE
        if is_uncovered and event.kind is Kind.CANCEL_REJECTED:
            self.due.append((Due.REPLACE, stored.key))
        if event.kind is Kind.REPLACED and stored.order.amendment and applied.row:
            changed = replace(changed, spec=wire.amended_spec(changed.spec, stored.order))
        self._keep(changed)
        if is_booked:
            self._tell(changed, because or Because(wire.CAUSES[event.kind]))
        if applied.anomaly is None:
            return changed
        self._raise_alarm(stored, f"{applied.anomaly.value}, by {event.kind.name}")
        return self.note_anomaly(changed) if is_booked else self._tell(changed, ANOMALY)

    def note_anomaly(self, stored: Stored, text: str = "") -> Stored:
        """Record that something happened to an order that must not, without changing it."""
        if text:
            self._raise_alarm(stored, text)
        noted = machine.noted(stored.order, self.now_ns)
        changed = self._keep(replace(stored, order=noted))
        return self._tell(changed, ANOMALY)

    def _raise_alarm(self, stored: Stored, text: str) -> None:
        log.error("order %s: %s", stored.key, text)
        scope = alarm_log.of_account(stored.account)
        self.alarms.append(Alarm(scope, f"order {stored.client_order_id}: {text}"))
        if not self.is_second_look:
            self.due.append((Due.LOOK, stored.key))

    def keep(self, stored: Stored) -> Stored:
        """Keep what is not state (a request's name, a decision); it is no event."""
        return self._keep(stored)

    def open_dispatch(self, key: Key, attempt: int) -> None:
        """Note, before it is made, that an order is about to be sent (X3)."""
        if key in self._closed:
            self._flush_dispatches()
        self._opened.append((key, attempt, self.now_ns))

    def close_dispatch(self, key: Key, outcome: str) -> None:
        """Note what came of the send that was open; closing what is closed changes nothing."""
        self._closed.setdefault(key, outcome)

    def _flush_dispatches(self) -> None:
        bookkeeping.open_dispatches(self.tx, self._opened, self.epoch)
        bookkeeping.close_dispatches(self.tx, self._closed)
        self._opened, self._closed = [], {}

    def flush(self, outbox: Outbox) -> None:
        """Write what has been collected."""
        self._flush_dispatches()
        payloads = [event.SerializeToString() for event in self.events]
        pairs = list(zip(self.events, payloads, strict=True))
        store.insert_events(self.tx, [event_rows.row(event, payload) for event, payload in pairs])
        outbox.append(self.tx, *(event_rows.entry(event, payload) for event, payload in pairs))
        self.told = alarm_log.add(self.tx, self.alarms, epoch=self.epoch, now_ns=self.now_ns)
        # Last, because its outcome is looked at: a server gets all of it together.
        store.update_orders(self.tx, list(self._changed.values()))
        self._remember()

    def _remember(self) -> None:
        """Note how things stand after this unit; the last step, for nothing may fail after it."""
        if self._sequence >= 0:
            self._memory.sequence.note(SOURCE, self._sequence)
        for key, stored in self._written.items():
            order = stored.order
            now = None
            if not order.is_terminal:
                now = replace(stored, kept=(order.version, order.validation))
            self._memory.orders.note(key, now)

    def _insert(self, new: Stored) -> Stored | None:
        number = store.insert_order(self.tx, new)
        if number is None:
            return None
        stored = replace(new, number=number, kept=(new.order.version, new.order.validation))
        self._orders[stored.key] = self._written[stored.key] = stored
        return stored

    def _keep(self, changed: Stored) -> Stored:
        key = changed.key
        self._orders[key] = self._changed[key] = self._written[key] = changed
        return changed

    def _tell(self, stored: Stored, because: Because) -> Stored:
        if self._sequence < 0:
            known = self._memory.sequence.get(SOURCE)
            self._sequence = store.last_event(self.tx) if known is None else known
        self._sequence += 1
        header = Header(self._sequence, self.epoch, self.now_ns, self._parent)
        self.events.append(wire.event_message(stored, because, header))
        return stored
