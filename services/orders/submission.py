"""Takes an order from its intent to an answer: validated, sent once, and never forgotten.

What is to be done next follows from the stored state alone, so a restart goes on where the
commits ended. Source: specification of the pipeline, section 3.1 (X1 to X6).
"""

import asyncio
import itertools
import logging
from collections.abc import Callable
from dataclasses import replace

from grpc import StatusCode
from trading.execution.v1 import execution_pb2 as execution_pb
from trading.types.v1 import order_pb2, risk_pb2
from trading.types.v1.execution_pb2 import ExecutionReport

from runtime.errors import ServiceError
from runtime.rpc import Call
from runtime.stores import CommitUnknown, StoreError
from runtime.times import to_ns
from services.orders import wire
from services.orders.desk import Desk, ask_risk
from services.orders.events import Event, Kind
from services.orders.keeping import Keeping
from services.orders.limits import Limit
from services.orders.pauses import pause
from services.orders.refusals import id_reused
from services.orders.reports import take_report
from services.orders.states import Place, Reject, RejectSource
from services.orders.store import Key, Stored
from services.orders.unit import Unit
from services.orders.waiting import is_answered

SEND_TIMEOUT_S = 1.0  # Execution refuses a call that is older: then its "not found" is definite.
REPEATABLE = (StatusCode.RESOURCE_EXHAUSTED, StatusCode.ABORTED)
UNAVAILABLE, EXPIRED = "RISK_UNAVAILABLE", "APPROVAL_EXPIRED"
log = logging.getLogger(__name__)


class Submissions:
    """Drives orders that the venue has not answered yet; one driver for each order."""

    def __init__(self, desk: Desk, watch_doubt: Callable[[Key], None]) -> None:
        self._desk = desk
        self._watch_doubt = watch_doubt
        self._driving: dict[Key, asyncio.Task[Stored]] = {}
        self._answering: dict[Key, Keeping] = {}

    async def create(self, new: Stored) -> Stored:
        """Keep the intent, or find it kept.

        Raises ALREADY_EXISTS when the id was used for another order.
        """
        stored, _ = await self.find_or_create(new)
        check_same(stored, new)
        return stored

    async def find_or_create(self, new: Stored) -> tuple[Stored, bool]:
        """Keep the intent: the commit before anything else happens (X1).

        Returns the order as it is kept, whatever has its name, and whether it is new here.
        """

        def keep(unit: Unit) -> tuple[Stored, bool]:
            if stored := unit.add(new):
                return stored, True
            found = unit.order(new.key)
            assert found is not None, "orders are never removed"
            return found, False

        try:
            return await self._desk.recorder.write(keep)
        except CommitUnknown:
            return await self._desk.recorder.write(keep)  # It finds what was committed.

    def drive(
        self, stored: Stored, limit: Limit, answer: Keeping | None = None
    ) -> "asyncio.Task[Stored]":
        """Return the work that ends when an order, as it is kept, is answered or in doubt.

        `answer` is kept in the transaction that the venue's first report takes effect in, unless
        the order is driven already.
        """
        key = stored.key
        if answer is not None:
            self._answering.setdefault(key, answer)
        if key not in self._driving:
            work = self._drive(stored, limit)
            task = self._desk.environment.tasks.spawn(work, name=f"order {key[1]}")
            self._driving[key] = task
            task.add_done_callback(lambda _: self._forget(key))
        return self._driving[key]

    def _forget(self, key: Key) -> None:
        del self._driving[key]
        self._answering.pop(key, None)

    async def _drive(self, stored: Stored, limit: Limit) -> Stored:
        with self._desk.environment.progress.working("submit"):
            for attempt in itertools.count():
                try:
                    now = await self.reloaded(stored.key) if attempt else stored
                    return await self._to_an_answer(now, limit)
                except StoreError as error:
                    log.warning("order %s waits for the store: %s", stored.key, error)
                    self._answer_came_to_nothing(stored.key, error)
                await pause(attempt, self._desk.environment.rng)
        raise AssertionError("unreachable: the count has no end")

    def _answer_came_to_nothing(self, key: Key, error: StoreError) -> None:
        if (answer := self._answering.get(key)) and not isinstance(error, CommitUnknown):
            answer.come_to_nothing()

    async def reloaded(self, key: Key) -> Stored:
        """Return an order that is kept as it is committed."""
        stored = await self._desk.recorder.load(key)
        assert stored is not None, "only kept orders are driven"
        return stored

    async def _to_an_answer(self, stored: Stored, limit: Limit) -> Stored:
        while True:
            place = stored.order.place
            if place is Place.RECEIVED:
                stored = await self._validate(stored, limit)
            elif place is Place.APPROVED:
                stored = await self._dispatch(stored, limit)
            elif place is Place.SENT:  # Somebody sent it and did not see the answer.
                stored = await self._unanswered(stored.key)
            else:
                if stored.order.is_in_doubt:
                    self._watch_doubt(stored.key)
                return stored

    async def _validate(self, stored: Stored, limit: Limit) -> Stored:
        decision = await self._decision(stored, limit)
        if isinstance(decision, Reject):
            return await self._move(stored, Place.RECEIVED, Kind.RISK_UNAVAILABLE, decision)
        if decision.verdict != risk_pb2.RISK_VERDICT_APPROVED:
            return await self._reject_by_risk(stored, decision)
        key = stored.key

        def approve(unit: Unit) -> tuple[Stored, bool]:
            """Keep approval and dispatch in one commit: both must be there before the send.

            Both are one event, too: each is told to three services and to the stream.
            """
            now = unit.order(key)
            assert now is not None
            if now.order.place is not Place.RECEIVED:
                return now, False
            now = replace(now, decision=decision.SerializeToString())
            named = Event(Kind.RISK_APPROVED, unit.now_ns, decision_id=decision.decision_id)
            if self._is_too_late(unit, now, limit):
                return unit.apply(now, named), False
            return dispatched(unit, unit.pass_through(now, named)), True

        stored, is_ours = await self._desk.recorder.write(approve)
        return await self.send(stored, limit) if is_ours else stored

    async def _dispatch(self, stored: Stored, limit: Limit) -> Stored:
        """Send what was approved before, if the approval still holds."""
        key = stored.key

        def begin(unit: Unit) -> tuple[Stored, bool]:
            now = unit.order(key)
            assert now is not None
            if now.order.place is not Place.APPROVED:
                return now, False
            if self._is_too_late(unit, now, limit):
                return unit.apply(now, Event(Kind.APPROVAL_EXPIRED, unit.now_ns)), False
            return dispatched(unit, now), True

        stored, is_ours = await self._desk.recorder.write(begin)
        if is_ours:
            return await self.send(stored, limit)
        await pause(0, self._desk.environment.rng, limit.left_s(self._desk.environment.clock))
        return stored

    def _is_too_late(self, unit: Unit, stored: Stored, limit: Limit) -> bool:
        """Whether the approval, or the order's own time, has run out."""
        expires_at = risk_pb2.RiskDecision.FromString(stored.decision).expires_at
        return unit.now_ns >= to_ns(expires_at) or limit.is_over(self._desk.environment.clock)

    async def send(self, stored: Stored, limit: Limit) -> Stored:
        """Send an order whose dispatch is committed; returns it answered or in doubt."""
        desk = self._desk
        timeout_s = min(SEND_TIMEOUT_S, max(limit.left_s(desk.environment.clock), 0.001))
        request = execution_pb.StartExecutionRequest(
            order=order_pb2.OrderSpec.FromString(stored.spec),
            decision=risk_pb2.RiskDecision.FromString(stored.decision),
            epoch=desk.recorder.epoch,
        )
        loop = asyncio.get_running_loop()
        until_s = loop.time() + timeout_s
        with desk.waiting.expect(stored.key, is_answered) as answer:
            try:
                started = await desk.execution.start_execution(request, Call(timeout_s))
            except ServiceError as error:
                return await self._not_started(stored, error)
            if started.HasField("first_report"):
                return await self._acknowledged(stored.key, started.first_report)
            await answer.within(until_s - loop.time())
        return await self._unanswered(stored.key)

    async def _acknowledged(self, key: Key, report: ExecutionReport) -> Stored:
        """Let the venue's first report take effect, unless the stream was faster.

        The caller's answer is kept with it: one commit less for each order.
        """

        def book(unit: Unit) -> Stored:
            if not self._desk.recorder.has_taken(report):
                take_report(unit, report)
            now = unit.order(key)
            assert now is not None
            if (answer := self._answering.get(key)) and now.order.place is not Place.SENT:
                answer.keep(unit.tx, now)
            return now

        return await self._desk.recorder.write(book)

    async def _not_started(self, stored: Stored, error: ServiceError) -> Stored:
        """Reject what was definitely not sent; anything else is in doubt (X4)."""
        if not error.definite or error.code is StatusCode.ALREADY_EXISTS:
            return await self._unanswered(stored.key)
        codes = (error.reason or error.code.name,)
        reject = Reject(RejectSource.ROUTER, codes, error.message[:1000])
        return await self._move(stored, Place.SENT, Kind.REFUSED, reject)

    async def _unanswered(self, key: Key) -> Stored:
        """Put an order in doubt, unless its answer has come by now."""

        def doubt(unit: Unit) -> Stored:
            now = unit.order(key)
            assert now is not None
            if now.order.place is not Place.SENT:
                return now
            return unit.apply(now, Event(Kind.UNANSWERED, unit.now_ns))

        return await self._desk.recorder.write(doubt)

    async def _reject_by_risk(self, stored: Stored, decision: risk_pb2.RiskDecision) -> Stored:
        kept = replace(stored, decision=decision.SerializeToString())
        reject = Reject(RejectSource.RISK, wire.failed_codes(decision))
        return await self._move(kept, Place.RECEIVED, Kind.RISK_REJECTED, reject)

    async def _move(
        self, stored: Stored, origin: Place, kind: Kind, reject: Reject | None = None
    ) -> Stored:
        """Apply an event to the order if it still is where it was."""

        def move(unit: Unit) -> Stored:
            now = unit.order(stored.key)
            assert now is not None
            if now.order.place is not origin:
                return now
            if kind is Kind.REFUSED:
                unit.close_dispatch(stored.key, kind.name)
            kept = replace(now, decision=stored.decision)
            return unit.apply(kept, Event(kind, unit.now_ns, reject=reject))

        return await self._desk.recorder.write(move)

    async def _decision(self, stored: Stored, limit: Limit) -> risk_pb2.RiskDecision | Reject:
        """Ask risk until it answers; a Reject when it never will in the order's time (row 4)."""
        attempt = 0
        while not limit.is_over(self._desk.environment.clock):
            try:
                return await ask_risk(self._desk, stored, stored.order.validation, limit)
            except ServiceError as error:
                if error.definite and error.code not in REPEATABLE:
                    log.error("risk refuses to decide about %s: %s", stored.key, error)
                    codes = (error.reason or error.code.name,)
                    return Reject(RejectSource.RISK, codes, error.message[:1000])
            left_s = limit.left_s(self._desk.environment.clock)
            await pause(attempt, self._desk.environment.rng, left_s)
            attempt += 1
        was_approved = stored.order.validation > 1
        return Reject(RejectSource.RISK, (EXPIRED if was_approved else UNAVAILABLE,))


def check_same(stored: Stored, new: Stored) -> None:
    """Raise ALREADY_EXISTS when the name of `new` was used for another order."""
    if stored.digest != new.digest:
        raise id_reused(new.client_order_id, stored.digest, new.digest)


def dispatched(unit: Unit, stored: Stored, kind: Kind = Kind.DISPATCHED) -> Stored:
    """Note that an order is about to be sent: row and state in one transaction (X3)."""
    decision_id = risk_pb2.RiskDecision.FromString(stored.decision).decision_id
    after = unit.apply(stored, Event(kind, unit.now_ns, decision_id=decision_id))
    if after.order.place is Place.SENT:
        attempt = after.order.attempt
        unit.open_dispatch(stored.key, attempt)
    return after
