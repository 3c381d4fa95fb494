"""Ends doubts: asks the venue, applies what it says, and only then sends again (X5, X6).

The venue is asked 0.1, 0.2, 0.4 … at most 5 s apart, without end, until the order is known.
"""

import asyncio
import itertools
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import NamedTuple

from trading.execution.v1 import execution_pb2 as execution_pb
from trading.types.v1 import risk_pb2

from runtime.errors import ServiceError
from runtime.rpc import Call
from runtime.times import NS_PER_S, to_ns
from services.orders import wire
from services.orders.alarms import CRITICAL, Alarm, of_account
from services.orders.desk import Desk, ask_risk
from services.orders.events import Event, Kind
from services.orders.limits import Limit
from services.orders.pauses import pause
from services.orders.reports import ask_due_cancel, take_report
from services.orders.states import Order, Place
from services.orders.store import Key, Stored
from services.orders.submission import SEND_TIMEOUT_S, Submissions, dispatched
from services.orders.unit import Unit
from services.orders.wishes import cancel_of

QUERY_TIMEOUT_S = 1.0
SEND_TIMEOUT_NS = round(SEND_TIMEOUT_S * NS_PER_S)
ATTEMPTS_MAX = 2  # The first send and one resend (X6).
ALARM_NS = 5 * NS_PER_S
MARGIN_NS = NS_PER_S // 10  # For a call that was let in at the last moment.
log = logging.getLogger(__name__)

Answer = execution_pb.QueryOrderResponse
Again = Callable[[Desk, Stored], Awaitable[Stored]]


class Doubts:
    """Follows each order in doubt until it is in none."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._submissions: Submissions
        self._again: dict[Place, Again] = {Place.DOUBT_CANCEL: cancel_again}
        self._followed: dict[Key, asyncio.Task[None]] = {}
        self._alarmed: dict[Key, int] = {}  # Since when the doubt was that has been told of.

    def send_with(self, submissions: Submissions, replace_again: "Again") -> None:
        """Resend through `submissions`, and repeat replacements with `replace_again`."""
        self._submissions = submissions
        self._again[Place.DOUBT_REPLACE] = replace_again

    def watch(self, key: Key) -> None:
        """Follow an order until its doubt has ended; once for each order."""
        if key not in self._followed:
            work = self._follow(key)
            task = self._desk.environment.tasks.spawn(work, name=f"doubt {key[1]}")
            self._followed[key] = task
            task.add_done_callback(lambda _: self._forget(key))

    def _forget(self, key: Key) -> None:
        del self._followed[key]
        self._alarmed.pop(key, None)

    async def _follow(self, key: Key) -> None:
        with self._desk.environment.progress.working("doubt"):
            for attempt in itertools.count():
                await pause(attempt, self._desk.environment.rng)
                if not await self._is_still_in_doubt(key):
                    return

    async def _is_still_in_doubt(self, key: Key) -> bool:
        try:
            return await self._step(key)
        except ServiceError as error:
            log.info("order %s stays in doubt: %s", key, error)
            return True

    async def _step(self, key: Key) -> bool:
        """Ask once and act on it; returns whether the order is still in doubt."""
        stored = await self._desk.recorder.load(key)
        assert stored is not None, "only kept orders are in doubt"
        if not stored.order.is_in_doubt:
            return False
        await self._alarm(stored)
        answer = await self._ask(stored)
        if answer.found:
            stored = await self._desk.recorder.write(lambda unit: _adopted(unit, key, answer))
            if again := self._again.get(stored.order.place):
                stored = await again(self._desk, stored)
        elif stored.order.place is Place.DOUBT_NEW and self._is_absent(stored, answer):
            stored = await self._send_again(stored)
        return stored.order.is_in_doubt

    async def _ask(self, stored: Stored) -> Answer:
        request = execution_pb.QueryOrderRequest(
            venue=stored.instrument.rpartition(".")[2],
            account=stored.account,
            client_order_id=stored.client_order_id,
        )
        return await self._desk.execution.query_order(request, Call(QUERY_TIMEOUT_S))

    def _is_absent(self, stored: Stored, answer: Answer) -> bool:
        """Whether neither hop can still bring the order to the venue (X6).

        Execution answers for the hop to the venue; its own "never sent" is definite once our
        call to it is past its deadline, because it refuses expired calls. The doubt began after
        the send, so counting from it is never too early.
        """
        late_ns = stored.order.doubt_since_ns + SEND_TIMEOUT_NS + MARGIN_NS
        return answer.is_absence_certain and self._desk.environment.clock.now_ns() >= late_ns

    async def _send_again(self, stored: Stored) -> Stored:
        """Resend once under the same id and a new approval, or close the order (row 26)."""
        limit = Limit(stored.deadline_ns)
        is_wanted = (
            stored.order.attempt < ATTEMPTS_MAX
            and not stored.order.is_cancel_wanted
            and not limit.is_over(self._desk.environment.clock)
        )
        if not is_wanted:
            return await self._close(stored)
        decision = await self._approval(stored, limit)
        if decision.verdict != risk_pb2.RISK_VERDICT_APPROVED:
            return await self._close(stored)
        key = stored.key

        def begin(unit: Unit) -> tuple[Stored, bool]:
            now = unit.order(key)
            assert now is not None
            if now.order.place is not Place.DOUBT_NEW:
                return now, False  # A report came first.
            kept = replace(now, decision=decision.SerializeToString())
            after = dispatched(unit, kept, Kind.RESENT)
            return after, after.order.place is Place.SENT

        stored, is_ours = await self._desk.recorder.write(begin)
        if not is_ours:
            return stored
        return await self._submissions.send(stored, Limit.within(SEND_TIMEOUT_S))

    async def _approval(self, stored: Stored, limit: Limit) -> risk_pb2.RiskDecision:
        """Return a decision that still holds: a try that failed here may have left an old one."""
        for validation in itertools.count(stored.order.validation + 1):
            decision = await ask_risk(self._desk, stored, validation, limit)
            is_approved = decision.verdict == risk_pb2.RISK_VERDICT_APPROVED
            now_ns = self._desk.environment.clock.now_ns()
            if not is_approved or now_ns < to_ns(decision.expires_at):
                break
        return decision

    async def _close(self, stored: Stored) -> Stored:
        def close(unit: Unit) -> Stored:
            now = unit.order(stored.key)
            assert now is not None
            if now.order.place is not Place.DOUBT_NEW:
                return now
            unit.close_dispatch(stored.key, Kind.NOT_FOUND.name)
            return unit.apply(now, Event(Kind.NOT_FOUND, unit.now_ns))

        return await self._desk.recorder.write(close)

    async def _alarm(self, stored: Stored) -> None:
        """Say once for each doubt that it lasts; without a store it stays with the log."""
        since_ns = stored.order.doubt_since_ns
        age_ns = self._desk.environment.clock.now_ns() - since_ns
        if age_ns < ALARM_NS or self._alarmed.get(stored.key) == since_ns:
            return
        self._alarmed[stored.key] = since_ns
        text = f"order {stored.client_order_id} is in doubt for {age_ns / NS_PER_S:.1f} s"
        log.error(text)
        scope, code = of_account(stored.account), risk_pb2.RISK_REASON_IN_DOUBT_BLOCK
        await self._desk.recorder.alarm(Alarm(scope, text, "5 s", CRITICAL, code=code))


async def cancel_again(desk: Desk, stored: Stored) -> Stored:
    """Repeat a cancel whose answer is missing, under its own name (row 19)."""
    request = cancel_of(stored, desk.recorder.epoch)
    answer = await desk.execution.cancel_execution(request, Call(SEND_TIMEOUT_S))
    if answer.state != execution_pb.EXECUTION_STATE_WORKING:
        return stored  # It has ended: its reports say how.
    key = stored.key

    def refuse(unit: Unit) -> Stored:
        now = unit.order(key)
        assert now is not None
        if now.order.place is not Place.DOUBT_CANCEL:
            return now
        return unit.apply(now, Event(Kind.CANCEL_REJECTED, unit.now_ns))

    return await desk.recorder.write(refuse)


class Adopted(NamedTuple):
    """An order after an answer about it; None when nobody here or there knows it."""

    stored: Stored | None
    is_news: bool  # Whether executions were missing here.


def adopt(unit: Unit, key: Key, answer: Answer) -> Adopted:
    """Apply the executions that are missing here, then the state that the venue names (row 30)."""
    news = [take_report(unit, report) for report in answer.executions]
    now = unit.order(key)
    if now is None:
        return Adopted(None, any(news))
    if now.order.is_in_doubt and (named := wire.PLACES.get(answer.order.status)):
        event = Event(
            Kind.STATE_KNOWN,
            unit.now_ns,
            named=named,
            venue_order_id=answer.order.venue_order_id,
            is_amendment_done=_is_amended(now.order, answer.order),
        )
        unit.apply(now, event)
        ask_due_cancel(unit, key)
    after = unit.order(key)
    assert after is not None
    if now.order.place is Place.DOUBT_NEW and not after.order.is_in_doubt:
        unit.close_dispatch(key, Kind.STATE_KNOWN.name)
    return Adopted(after, any(news))


def _adopted(unit: Unit, key: Key, answer: Answer) -> Stored:
    stored = adopt(unit, key, answer).stored
    assert stored is not None, "only kept orders are in doubt"
    return stored


def _is_amended(order: Order, queried: execution_pb.QueriedOrder) -> bool:
    """Whether the venue works every new value; a REPLACED report would say it as well."""
    wanted = order.amendment
    if wanted is None:
        return False
    pairs = (
        (wanted.quantity_atto, wire.attos(queried.quantity)),
        (wanted.limit_price_atto, wire.attos(queried.limit_price)),
        (wanted.stop_price_atto, wire.attos(queried.stop_price)),
    )
    return all(want is None or want == has for want, has in pairs)
