"""Learns positions from order events (T8): each event once, in order, all of a call or none."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection
from trading.types.v1 import event_pb2, execution_pb2, order_pb2

from runtime.atto import to_atto
from runtime.environment import Environment
from runtime.times import to_ns
from services.strategy import signal_store, store
from services.strategy.changes import Changes
from services.strategy.hosted import Track
from services.strategy.positions import Fill, after_fill, after_fills
from services.strategy.roster import ORDER_EVENTS, Roster
from services.strategy.signals import opening_of
from services.strategy.terms import StrategyRefused

OVER = frozenset(
    {
        order_pb2.ORDER_STATUS_FILLED,
        order_pb2.ORDER_STATUS_CANCELED,
        order_pb2.ORDER_STATUS_REJECTED,
        order_pb2.ORDER_STATUS_EXPIRED,
    }
)
TRADE = execution_pb2.EXEC_TYPE_TRADE
BUST = execution_pb2.EXEC_TYPE_TRADE_CANCEL
CORRECTION = execution_pb2.EXEC_TYPE_TRADE_CORRECT


@dataclass(slots=True)
class Background:
    """What the store knows of the fills and signals that some events are about."""

    known: set[str]
    opened: dict[str, Fill]  # What opening signals say of stop and targets, as fills of nothing.
    fills: dict[store.Key, list[Fill]]  # Of instruments with a bust or a correction.


class OrderEvents:
    """Takes in the events of orders."""

    def __init__(self, environment: Environment, roster: Roster) -> None:
        self.unknown_count = 0  # Events of no strategy, or of one that is not here.
        self._environment = environment
        self._roster = roster

    async def take(self, events: Sequence[event_pb2.OrderEvent]) -> int:
        """Take in events; return the last sequence that is durable.

        Raises StrategyRefused(EVENT_GAP) when one is missing before the first new one.
        """
        roster = self._roster
        async with roster.turn():
            fresh = _fresh(events, roster.events_sequence)
            if fresh:
                last = fresh[-1].header.sequence
                background = await self._background(fresh)
                changes = roster.changes()
                fills = _Fills(background)
                for event in fresh:
                    self._apply(changes, fills, event)

                def move(tx: Connection) -> None:
                    fills.write(tx)
                    store.set_cursor(tx, ORDER_EVENTS, last)

                await roster.commit(changes, move)
                roster.events_sequence = last
            self._environment.progress.has_read(ORDER_EVENTS, roster.events_sequence)
            return roster.events_sequence

    def _apply(self, changes: Changes, fills: "_Fills", event: event_pb2.OrderEvent) -> None:
        spec = event.order.spec
        present = self._roster.hosted.get(spec.strategy_id)
        if present is None or spec.instrument not in present.tracks:
            self.unknown_count += bool(spec.strategy_id)
            return
        track = changes.of(present).tracks[spec.instrument]
        after = fills.apply(present.strategy_id, track, event)
        if _has_come_to_nothing(event, after):
            after = replace(after, position=after.position.without_leaving())
        if after is not track:
            hosted = changes.of(present)
            changes.keep(hosted, after)
            hosted.settle_state(changes.now_ns)

    async def _background(self, events: Sequence[event_pb2.OrderEvent]) -> Background:
        ours = [event for event in events if event.order.spec.strategy_id in self._roster.hosted]
        traded = [event for event in ours if event.execution.exec_type == TRADE]
        ids = sorted({_fill_id(event) for event in traded})
        signals = sorted({e.order.spec.signal_id for e in traded if e.order.spec.signal_id})
        revised = {
            (event.order.spec.strategy_id, event.order.spec.instrument): None
            for event in ours
            if event.execution.exec_type in (BUST, CORRECTION)
        }

        def read(tx: Connection) -> Background:
            found = signal_store.signals_by_id(tx, signals) if signals else {}
            return Background(
                known=store.known_fills(tx, ids) if ids else set(),
                opened={sid: one for sid, body in found.items() if (one := opening_of(body))},
                fills={key: store.fills_of(tx, *key) for key in revised},
            )

        if not (ids or revised):
            return Background(set(), {}, {})
        return await self._environment.database.read(read)


class _Fills:
    """Applies executions to positions, and remembers what that does to the stored fills."""

    def __init__(self, background: Background) -> None:
        self._background = background
        self._added: list[signal_store.Values] = []
        self._revised: list[signal_store.Values] = []

    def apply(self, strategy_id: str, track: Track, event: event_pb2.OrderEvent) -> Track:
        """Return the track after an event."""
        kind = event.execution.exec_type
        if kind == TRADE:
            return self._traded(strategy_id, track, event)
        if kind in (BUST, CORRECTION):
            return self._corrected(strategy_id, track, event)
        return track

    def write(self, tx: Connection) -> None:
        """Store fills and what they were corrected to."""
        store.insert_fills(tx, self._added)
        store.set_fills(tx, self._revised)

    def _traded(self, strategy_id: str, track: Track, event: event_pb2.OrderEvent) -> Track:
        fill = _fill_of(event, self._background.opened)
        if fill.exec_id in self._background.known:
            return track
        self._background.known.add(fill.exec_id)
        self._background.fills.get((strategy_id, track.instrument), []).append(fill)
        self._added.append(
            {
                "fill_id": fill.exec_id,
                "strategy_id": strategy_id,
                "instrument": track.instrument,
                "quantity_atto": str(fill.quantity_atto),
                "price_atto": str(fill.price_atto),
                "time_ns": fill.time_ns,
                "signal_id": fill.signal_id,
            }
        )
        return replace(track, position=after_fill(track.position, fill))

    def _corrected(self, strategy_id: str, track: Track, event: event_pb2.OrderEvent) -> Track:
        """Return the track as if a fill had been as the venue says now; a bust never was."""
        report = event.execution
        fills = self._background.fills[strategy_id, track.instrument]
        referred = f"{report.venue}:{report.exec_ref_id}"
        at = next((n for n, fill in enumerate(fills) if fill.exec_id == referred), None)
        if at is None:
            return track  # Taken back before it was ever told: nothing to take back here.
        is_bust = report.exec_type == BUST
        quantity_atto = 0 if is_bust else _signed_quantity(report)
        price_atto = fills[at].price_atto if is_bust else to_atto(report.last_price.value)
        fills[at] = replace(fills[at], quantity_atto=quantity_atto, price_atto=price_atto)
        self._revised.append(
            {
                "k_fill": referred,
                "new_quantity": str(quantity_atto),
                "new_price": str(price_atto),
            }
        )
        held = [fill for fill in fills if fill.quantity_atto]
        return replace(track, position=after_fills(held, like=track.position))


def _fresh(events: Sequence[event_pb2.OrderEvent], taken: int) -> Sequence[event_pb2.OrderEvent]:
    """Return the events after `taken`; they must follow it without a gap."""
    fresh = [event for event in events if event.header.sequence > taken]
    for expected, event in enumerate(fresh, taken + 1):
        if event.header.sequence != expected:
            raise StrategyRefused(
                "EVENT_GAP",
                f"the next order event has sequence {event.header.sequence}, must have "
                f"{expected}: send again from there",
                expected=str(expected),
            )
    return fresh


def _has_come_to_nothing(event: event_pb2.OrderEvent, track: Track) -> bool:
    """Whether an order that was to leave the position is over, and the position still there."""
    leaving = track.position.leaving_signal_id
    is_over = event.order.status in OVER
    return bool(leaving) and is_over and event.order.spec.signal_id == leaving


def _fill_of(event: event_pb2.OrderEvent, opened: dict[str, Fill]) -> Fill:
    report, signal_id = event.execution, event.order.spec.signal_id
    return replace(
        opened.get(signal_id, Fill("", 0, 0, 0)),
        exec_id=_fill_id(event),
        quantity_atto=_signed_quantity(report),
        price_atto=to_atto(report.last_price.value),
        time_ns=to_ns(report.transact_time),
        signal_id=signal_id,
    )


def _fill_id(event: event_pb2.OrderEvent) -> str:
    return f"{event.execution.venue}:{event.execution.exec_id}"


def _signed_quantity(report: execution_pb2.ExecutionReport) -> int:
    quantity_atto = to_atto(report.last_quantity.value)
    return quantity_atto if report.side == order_pb2.SIDE_BUY else -quantity_atto
