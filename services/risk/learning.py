"""Learns from order events: each once, in sequence, a whole batch in one transaction (G2)."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from sqlalchemy import Connection
from trading.risk.v1 import risk_pb2 as pb
from trading.types.v1 import risk_pb2 as types
from trading.types.v1.event_pb2 import OrderEvent
from trading.types.v1.risk_pb2 import RiskEvent

from runtime.errors import ServiceError
from runtime.rpc import Call
from services.risk import store, wire
from services.risk.desk import Desk, State
from services.risk.following import Anomaly, Following, Kept, Key, ReportKind, Step
from services.risk.peers import Peers
from services.risk.refusals import RiskRefused


class Learning:
    """Takes batches of order events into the book."""

    def __init__(self, desk: Desk, peers: Peers) -> None:
        self._desk = desk
        self._peers = peers
        self._one_at_a_time = asyncio.Lock()
        self._missing_from = 0  # The first event of a gap, until it comes; 0 when none is missing.

    def check_caught_up(self) -> None:
        """Raise RiskRefused while events are known to be missing."""
        if self._missing_from:
            raise RiskRefused(
                pb.RISK_REFUSAL_REASON_CATCHING_UP,
                f"order events from {self._missing_from} on have not come: positions and holds "
                "are not known, ask again",
                expected=str(self._missing_from),
            )

    async def learn(self, events: Sequence[OrderEvent], call: Call) -> int:
        """Apply what is new of `events`; return the last sequence that is durable.

        Raises RiskRefused when events are missing in between.
        """
        async with self._one_at_a_time:
            state = await self._desk.ready()
            last = state.book.sequence
            fresh = [event for event in events if event.header.sequence > last]
            self._check_no_gap(fresh, last)
            digests = {e.header.sequence: wire.content_digest(e) for e in events}
            anomalies = await self._conflicts(events[: len(events) - len(fresh)], digests)
            if fresh or anomalies:
                steps = [await self._step(event, call) for event in fresh]
                former = await self._former(steps)
                state = await self._desk.ready()
                following = Following(state.book, *former)
                following.anomalies += anomalies
                self._apply(following, steps)
                new = {e.header.sequence: digests[e.header.sequence] for e in fresh}
                await self._commit(state, following, new)
            sequence = state.book.sequence
        self._desk.environment.progress.has_read(store.ORDER_EVENTS, sequence)
        return sequence

    def _apply(self, following: Following, steps: Sequence[Step]) -> None:
        try:
            for step in steps:
                following.apply(step)
        except BaseException:
            self._desk.distrust()  # Half a batch is not a state.
            raise

    async def _step(self, event: OrderEvent, call: Call) -> Step:
        spec = event.order.spec
        book = self._desk.state.book
        if spec.instrument not in book.instruments or spec.instrument not in book.references:
            with suppress(ServiceError):  # What happened counts all the same.
                await self._peers.complete(spec.account, spec.instrument, call)
        book = self._desk.state.book
        return wire.step_of(event, book.currency_of(spec.instrument, book.account(spec.account)))

    async def _former(
        self, steps: Sequence[Step]
    ) -> tuple[dict[Key, bytes], dict[str, list[Kept]]]:
        """Return which reports took effect, and the fills of accounts with amended ones."""
        reports = [step.report for step in steps if step.report is not None]
        if not reports:
            return {}, {}
        names = [(report.fill.account, report.fill.exec_id) for report in reports]
        amended = dict.fromkeys(
            report.fill.account for report in reports if report.kind is not ReportKind.TRADE
        )

        def read(tx: Connection) -> tuple[dict[Key, bytes], dict[str, list[Kept]]]:
            return store.reports(tx, names), {name: store.log(tx, name) for name in amended}

        return await self._desk.environment.database.read(read)

    async def _conflicts(
        self, repeated: Sequence[OrderEvent], digests: dict[int, bytes]
    ) -> list[Anomaly]:
        if not repeated:
            return []
        wanted = [event.header.sequence for event in repeated]
        kept = await self._desk.environment.database.read(lambda tx: store.digests(tx, wanted))
        return [
            Anomaly(
                event.order.spec.account,
                event.order.spec.client_order_id,
                f"order event {event.header.sequence} came before with other content",
            )
            for event in repeated
            if kept.get(event.header.sequence) != digests[event.header.sequence]
        ]

    async def _commit(self, state: State, following: Following, events: dict[int, bytes]) -> None:
        book, now_ns = state.book, self._desk.environment.clock.now_ns()
        book.sequence = max([book.sequence, *events])
        for name, order in following.changed.items():
            if order is None or order.is_confirmed:
                state.unconfirmed.pop(name, None)
        moved = {account.name: account for account in following.moved.values()}
        for account in moved.values():
            book.observe(account, now_ns)
        risk_events = [self._desk.event(_anomaly(a)) for a in following.anomalies]

        def work(tx: Connection) -> None:
            store.put_holds(tx, following.changed, now_ns)
            store.put_positions(tx, following.moved)
            store.put_fills(tx, following.kept, following.seen)
            store.put_states(tx, moved.values())
            store.add_events(tx, events)

        await asyncio.shield(self._desk.commit(work, risk_events))

    def _check_no_gap(self, fresh: Sequence[OrderEvent], last: int) -> None:
        for expected, event in enumerate(fresh, last + 1):
            if event.header.sequence == expected:
                continue
            if expected == last + 1:
                self._missing_from = expected
            raise RiskRefused(
                pb.RISK_REFUSAL_REASON_EVENT_GAP,
                f"order event {event.header.sequence} came, must be {expected}: send again "
                f"from {last + 1}",
                expected=str(last + 1),
            )
        if fresh:
            self._missing_from = 0


def _anomaly(anomaly: Anomaly) -> RiskEvent:
    return RiskEvent(
        kind=types.RISK_EVENT_KIND_ANOMALY,
        scope=f"account:{anomaly.account}",
        observed=anomaly.text[:1000],
        severity=types.SEVERITY_CRITICAL,
    )
