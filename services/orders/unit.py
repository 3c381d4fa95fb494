"""One transaction's work on orders: row, event and outbox entry together, or nothing."""

import logging
from collections.abc import Iterable
from dataclasses import replace
from enum import Enum

from sqlalchemy import Connection
from trading.types.v1.event_pb2 import OrderCause, OrderEvent
from trading.types.v1.execution_pb2 import ExecutionReport
from trading.types.v1.risk_pb2 import RiskEvent

from runtime.stores import Outbox
from services.orders import alarms as alarm_log
from services.orders import event_rows, machine, protections, store, wire
from services.orders.alarms import Alarm
from services.orders.events import Event, Kind
from services.orders.states import Order, Place
from services.orders.store import Key, Stored
from services.orders.wire import Because, Header

ANOMALY = Because(OrderCause.ORDER_CAUSE_ANOMALY)
log = logging.getLogger(__name__)


class Due(Enum):
    """What must be done about an order once a transaction is committed."""

    CANCEL = "send the cancel that waited for a doubt (row 16)"
    REPLACE = "find out what became of a replacement, now that its cancel is refused"
    LOOK = "compare it with the venue: something about it cannot be"


class Unit:
    """What one transaction does to orders; all of it is written at its end, or nothing.

    Several works may share it, one after the other; each sees what the former have done.
    """

    def __init__(self, tx: Connection, epoch: int) -> None:
        self.tx = tx
        self._parent = ""  # The traceparent of what its events are part of.
        self.epoch = epoch
        self.now_ns = 0
        self.events: list[OrderEvent] = []
        self.due: list[tuple[Due, Key]] = []
        self.alarms: list[Alarm] = []
        self.is_second_look = False  # What cannot be has been told, and is only looked at.
        self.told: list[tuple[int, RiskEvent]] = []  # The alarms as they were kept.
        self.taken: list[ExecutionReport] = []  # Reports that have had their effect with it.
        self._orders: dict[Key, Stored] = {}
        self._changed: dict[Key, Stored] = {}
        self._sequence = -1

    def begin(self, now_ns: int, parent: str = "") -> None:
        """Begin the next work: at this instant, as part of what `parent` names."""
        self.now_ns, self._parent, self.is_second_look = now_ns, parent, False

    def order(self, key: Key) -> Stored | None:
        """Return the order as it stands within this transaction."""
        if key not in self._orders:
            found = store.load(self.tx, key)
            if found is None:
                return None
            self._orders[key] = found
        return self._orders[key]

    def prefetch(self, client_order_ids: Iterable[str]) -> None:
        """Read many orders with one statement."""
        for found in store.load_many(self.tx, sorted(set(client_order_ids))):
            self._orders.setdefault(found.key, found)

    def add(self, new: Stored) -> Stored:
        """Keep a new order, with the event that it was submitted."""
        order = machine.apply(new.order, Event(Kind.SUBMITTED, self.now_ns)).order
        stored = self._insert(replace(new, order=order))
        protections.note(self.tx, stored)
        self._tell(stored, Because(OrderCause.ORDER_CAUSE_SUBMITTED))
        return stored

    def add_external(self, new: Stored, order: Order) -> Stored:
        """Keep an order that a venue knows and we do not: that is an anomaly."""
        stored = self._insert(replace(new, order=order))
        self._raise_alarm(stored, "the venue has it and nobody here made it")
        self._tell(stored, ANOMALY)
        return stored

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

    def flush(self, outbox: Outbox) -> None:
        """Write what has been collected."""
        store.update_orders(self.tx, list(self._changed.values()))
        payloads = [event.SerializeToString() for event in self.events]
        pairs = list(zip(self.events, payloads, strict=True))
        store.insert_events(self.tx, [event_rows.row(event, payload) for event, payload in pairs])
        outbox.append(self.tx, *(event_rows.entry(event, payload) for event, payload in pairs))
        self.told = alarm_log.add(self.tx, self.alarms, epoch=self.epoch, now_ns=self.now_ns)

    def _insert(self, new: Stored) -> Stored:
        number = store.insert_order(self.tx, new)
        stored = replace(new, number=number, kept=(new.order.version, new.order.validation))
        self._orders[stored.key] = stored
        return stored

    def _keep(self, changed: Stored) -> Stored:
        self._orders[changed.key] = self._changed[changed.key] = changed
        return changed

    def _tell(self, stored: Stored, because: Because) -> Stored:
        if self._sequence < 0:
            self._sequence = store.last_event(self.tx)
        self._sequence += 1
        header = Header(self._sequence, self.epoch, self.now_ns, self._parent)
        self.events.append(wire.event_message(stored, because, header))
        return stored
