"""Decides each published signal once: into an order, or into a reason why there is none."""

from collections.abc import Sequence
from dataclasses import dataclass

from google.protobuf.message import DecodeError
from trading.risk.v1.risk_pb2 import ValidateSignalRequest, ValidateSignalResponse
from trading.risk.v1.risk_port import RiskService
from trading.types.v1 import order_pb2, risk_pb2, signal_pb2
from trading.types.v1.signal_pb2 import Signal

from runtime.environment import Environment
from runtime.errors import ServiceError
from runtime.stores import Entry, Inbox
from runtime.times import to_ns
from services.orders import alarms, bookkeeping, protections
from services.orders import tables as t
from services.orders.alarms import Alarm
from services.orders.bookkeeping import DeadLetter, Decision, Outcome
from services.orders.instruments import Instruments
from services.orders.intent import received
from services.orders.limits import Limit
from services.orders.protection import Protection
from services.orders.recorder import Recorder
from services.orders.settled import Settled
from services.orders.signal_orders import order_spec, signed_size
from services.orders.states import Place
from services.orders.store import Stored
from services.orders.submission import Submissions
from services.orders.sweeping import Sweep
from services.orders.unit import Unit
from services.orders.wire import attos, failed_codes

STREAM = "signals"
CONSUMER = "signals"


class Unreadable(ValueError):
    """An entry of the stream that is no signal: it goes to the dead letters."""


@dataclass(frozen=True)
class SignalPeers:
    """Whom the worker asks."""

    risk: RiskService
    instruments: Instruments
    submissions: Submissions
    protection: Protection


class SignalWorker:
    """The consumer of the stream `signals`: a failure before the commit leaves it undecided."""

    def __init__(self, environment: Environment, recorder: Recorder, peers: SignalPeers) -> None:
        self._environment = environment
        self._recorder = recorder
        self._peers = peers
        self._inbox = Inbox(t.inbox)
        self._settled = Settled()
        self._unanswered: dict[str, bool] = {}  # Signals that risk was asked about in vain.

    async def begin(self) -> None:
        """Find out which signals are decided."""
        found = await self._environment.database.read(bookkeeping.settled_sequences)
        for sequence in found:
            self._settled.add(sequence)
        self._environment.progress.has_read(STREAM, self._settled.until)

    async def handle(self, entries: Sequence[Entry]) -> None:
        """Decide entries of one key, in order; return once each is decided."""
        for entry in entries:
            if entry.sequence in self._settled:
                continue  # Delivered again.
            await self._decide(_signal(entry), entry)
            self._mark(entry.sequence)

    async def find_lost(self, sweep: Sweep) -> None:
        """Find signals that the stream lost, until cancelled."""
        await sweep.run(self._settled, self.handle)

    async def bury(self, entry: Entry, error: Exception) -> None:
        """Keep an entry that cannot be handled, so that those behind it can be."""
        letter = DeadLetter(
            event_id=entry.event_id,
            sequence=entry.sequence,
            error=repr(error),
            payload=entry.payload,
            buried_ns=self._environment.clock.now_ns(),
        )
        text = f"signal {entry.event_id} cannot be read, and is a dead letter: {letter.error}"

        def keep(unit: Unit) -> None:
            bookkeeping.bury(unit.tx, letter)
            unit.alarms.append(Alarm(alarms.FIRM, text))

        await self._recorder.write(keep)
        self._mark(entry.sequence)

    def _mark(self, sequence: int) -> None:
        self._settled.add(sequence)
        self._environment.progress.has_read(STREAM, self._settled.until)

    async def _decide(self, signal: Signal, entry: Entry) -> None:
        now_ns = self._environment.clock.now_ns()
        if now_ns > to_ns(signal.valid_until):
            was_asked = self._unanswered.pop(signal.signal_id, False)
            code = "RISK_UNAVAILABLE" if was_asked else "SIGNAL_EXPIRED"
            await self._without_order(signal, entry, Outcome.EXPIRED, code)
            return
        if signal.action == signal_pb2.SIGNAL_ACTION_ADJUST_STOP:
            await self._adjust_stop(signal, entry)
            return
        try:
            answer = await self._peers.risk.validate_signal(ValidateSignalRequest(signal=signal))
        except ServiceError as error:
            # Until the signal expires the stream redelivers it; nothing is decided before.
            if error.definite or not self._is_last_try(signal):
                self._unanswered[signal.signal_id] = not error.definite
                raise
            await self._without_order(signal, entry, Outcome.EXPIRED, "RISK_UNAVAILABLE")
            return
        self._unanswered.pop(signal.signal_id, None)
        await self._act(signal, entry, answer)

    async def _adjust_stop(self, signal: Signal, entry: Entry) -> None:
        """Move the stops that the venue watches; one that the strategy watches is only noted."""
        tick_atto = (await self._peers.instruments.grid(signal.instrument)).tick_atto
        decision = self._decision(signal, entry, Outcome.RECORDED, ())

        def keep(unit: Unit) -> bool:
            is_first = self._inbox.first_time(unit.tx, CONSUMER, entry.event_id)
            if not is_first or not bookkeeping.decide(unit.tx, decision):
                return False
            return protections.tighten(unit.tx, signal, tick_atto)

        if await self._recorder.write(keep):
            self._peers.protection.look_at((signal.account, signal.instrument))

    def _is_last_try(self, signal: Signal) -> bool:
        return self._environment.clock.now_ns() >= to_ns(signal.valid_until)

    async def _act(self, signal: Signal, entry: Entry, answer: ValidateSignalResponse) -> None:
        if answer.decision.verdict == risk_pb2.RISK_VERDICT_REJECTED:
            codes = failed_codes(answer.decision)
            await self._without_order(signal, entry, Outcome.REJECTED, *codes)
            return
        grid = await self._peers.instruments.grid(signal.instrument)
        size_atto = signed_size(signal, answer, grid)
        if size_atto == 0:
            await self._without_order(signal, entry, Outcome.IGNORED, "SIZE_BELOW_MINIMUM")
            return
        spec = order_spec(signal, size_atto, attos(answer.position), grid)
        new = self._new_order(signal, spec)
        stored = await self._recorder.write(lambda unit: self._order(unit, signal, entry, new))
        if stored and stored.order.place in {Place.RECEIVED, Place.APPROVED}:
            await self._peers.submissions.drive(stored, Limit(new.deadline_ns))

    def _new_order(self, signal: Signal, spec: order_pb2.OrderSpec) -> Stored:
        return received(spec, deadline_ns=to_ns(signal.valid_until))

    def _order(self, unit: Unit, signal: Signal, entry: Entry, new: Stored) -> Stored | None:
        """Keep order, event, decision and inbox row together (step 5).

        A signal that was decided before keeps its decision; returns its order, if it has one.
        """
        is_first = self._inbox.first_time(unit.tx, CONSUMER, entry.event_id)
        decision = self._decision(signal, entry, Outcome.ORDERED, (), new)
        if is_first and bookkeeping.decide(unit.tx, decision) and (stored := unit.add(new)):
            return stored
        return unit.order(new.key)

    async def _without_order(
        self, signal: Signal, entry: Entry, outcome: Outcome, *codes: str
    ) -> None:
        decision = self._decision(signal, entry, outcome, codes)

        def keep(unit: Unit) -> None:
            if self._inbox.first_time(unit.tx, CONSUMER, entry.event_id):
                bookkeeping.decide(unit.tx, decision)

        await self._recorder.write(keep)

    def _decision(
        self,
        signal: Signal,
        entry: Entry,
        outcome: Outcome,
        codes: tuple[str, ...],
        order: Stored | None = None,
    ) -> Decision:
        made_ns = to_ns(signal.header.occurred_at)  # By another device's clock, perhaps ahead.
        return Decision(
            signal_id=signal.signal_id,
            sequence=entry.sequence,
            strategy_id=signal.strategy_id,
            outcome=outcome,
            decided_ns=max(made_ns, self._environment.clock.now_ns()),
            client_order_id=order.client_order_id if order else "",
            order_id=order.order_id if order else "",
            codes=codes,
        )


def _signal(entry: Entry) -> Signal:
    try:
        return Signal.FromString(entry.payload)
    except DecodeError as error:
        raise Unreadable(f"{entry.event_id} is no Signal: {error}") from error
