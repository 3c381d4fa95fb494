"""Decides each published signal once: into an order, or into a reason why there is none."""

from collections.abc import Sequence
from dataclasses import dataclass

from google.protobuf.message import DecodeError
from google.type.decimal_pb2 import Decimal
from trading.risk.v1.risk_pb2 import ValidateSignalRequest, ValidateSignalResponse
from trading.risk.v1.risk_port import RiskService
from trading.types.v1 import order_pb2, risk_pb2, signal_pb2
from trading.types.v1.signal_pb2 import Signal

from runtime.atto import from_atto, to_atto
from runtime.digest import digest
from runtime.environment import Environment
from runtime.errors import ServiceError
from runtime.stores import Entry, Inbox
from runtime.times import to_ns
from services.orders import bookkeeping, sizing
from services.orders import tables as t
from services.orders.bookkeeping import DeadLetter, Decision, Outcome
from services.orders.instruments import Grid, Instruments
from services.orders.limits import Limit
from services.orders.recorder import Recorder, Unit
from services.orders.sizing import Basis, Way, Wish
from services.orders.states import Order, Place
from services.orders.store import Stored
from services.orders.submission import Submissions
from services.orders.wire import attos, failed_codes, order_id

STREAM = "signals"
CONSUMER = "signals"
WAYS = {
    "quantity": Way.QUANTITY,
    "notional": Way.NOTIONAL,
    "risk_share": Way.RISK_SHARE,
    "target_position": Way.TARGET_POSITION,
}


class Unreadable(ValueError):
    """An entry of the stream that is no signal: it goes to the dead letters."""


@dataclass(frozen=True)
class SignalPeers:
    """Whom the worker asks."""

    risk: RiskService
    instruments: Instruments
    submissions: Submissions


class SignalWorker:
    """The consumer of the stream `signals`: a failure before the commit leaves it undecided."""

    def __init__(self, environment: Environment, recorder: Recorder, peers: SignalPeers) -> None:
        self._environment = environment
        self._recorder = recorder
        self._peers = peers
        self._inbox = Inbox(t.inbox)
        self._settled = Settled()

    async def begin(self) -> None:
        """Find out which signals are decided."""
        found = await self._environment.database.read(bookkeeping.settled_sequences)
        for sequence in found:
            self._settled.add(sequence)
        self._environment.progress.has_read(STREAM, self._settled.until)

    async def handle(self, entries: Sequence[Entry]) -> None:
        """Decide the entries of one lane, in order; returns once each is decided."""
        for entry in entries:
            if entry.sequence in self._settled:
                continue  # Delivered again.
            await self._decide(_signal(entry), entry)
            self._mark(entry.sequence)

    async def bury(self, entry: Entry, error: Exception) -> None:
        """Keep an entry that cannot be handled, so that those behind it can be."""
        letter = DeadLetter(
            event_id=entry.event_id,
            sequence=entry.sequence,
            error=repr(error),
            payload=entry.payload,
            buried_ns=self._environment.clock.now_ns(),
        )
        await self._environment.database.write(lambda tx: bookkeeping.bury(tx, letter))
        self._mark(entry.sequence)

    def _mark(self, sequence: int) -> None:
        self._settled.add(sequence)
        self._environment.progress.has_read(STREAM, self._settled.until)

    async def _decide(self, signal: Signal, entry: Entry) -> None:
        now_ns = self._environment.clock.now_ns()
        if now_ns > to_ns(signal.valid_until):
            await self._without_order(signal, entry, Outcome.EXPIRED, "SIGNAL_EXPIRED")
            return
        if signal.action == signal_pb2.SIGNAL_ACTION_ADJUST_STOP:
            await self._without_order(signal, entry, Outcome.RECORDED)
            return
        try:
            answer = await self._peers.risk.validate_signal(ValidateSignalRequest(signal=signal))
        except ServiceError as error:
            # Until the signal expires the stream redelivers it; nothing is decided before.
            if error.definite or not self._is_last_try(signal):
                raise
            await self._without_order(signal, entry, Outcome.EXPIRED, "RISK_UNAVAILABLE")
            return
        await self._act(signal, entry, answer)

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
        return Stored(
            account=signal.account,
            client_order_id=spec.client_order_id,
            order_id=order_id(signal.account, spec.client_order_id),
            strategy_id=signal.strategy_id,
            instrument=signal.instrument,
            spec=spec.SerializeToString(),
            digest=digest(spec),
            order=Order(attos(spec.quantity)),
            deadline_ns=to_ns(signal.valid_until),
        )

    def _order(self, unit: Unit, signal: Signal, entry: Entry, new: Stored) -> Stored | None:
        """Keep order, event, decision and inbox row together (step 5).

        A signal that was decided before keeps its decision; returns its order, if it has one.
        """
        is_first = self._inbox.first_time(unit.tx, CONSUMER, entry.event_id)
        decision = self._decision(signal, entry, Outcome.ORDERED, (), new)
        if is_first and bookkeeping.decide(unit.tx, decision):
            return unit.add(new)
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
        return Decision(
            signal_id=signal.signal_id,
            sequence=entry.sequence,
            strategy_id=signal.strategy_id,
            outcome=outcome,
            decided_ns=self._environment.clock.now_ns(),
            client_order_id=order.client_order_id if order else "",
            order_id=order.order_id if order else "",
            codes=codes,
        )


class Settled:
    """Which signals are settled, and how far without a gap: lanes settle them out of order."""

    def __init__(self) -> None:
        self.until = 0
        self._beyond: dict[int, None] = {}

    def __contains__(self, sequence: int) -> bool:
        return sequence <= self.until or sequence in self._beyond

    def add(self, sequence: int) -> None:
        """Note a settled signal."""
        if sequence <= self.until:
            return
        self._beyond[sequence] = None
        while self.until + 1 in self._beyond:
            self.until += 1
            del self._beyond[self.until]


def signed_size(signal: Signal, answer: ValidateSignalResponse, grid: Grid) -> int:
    """Return the quantity to trade in attos: above zero buys, 0 when there is nothing to do."""
    position_atto = attos(answer.position)
    if signal.action == signal_pb2.SIGNAL_ACTION_CLOSE:
        is_part = signal.sizing.HasField("quantity")
        part_atto = attos(signal.sizing.quantity) if is_part else None
        return sizing.close_size(position_atto, grid.lot_atto, part_atto)
    wish = _wish(signal)
    if wish is None:
        return 0
    entry_atto = attos(signal.entry_price)
    basis = Basis(
        equity_atto=attos(answer.equity.amount),
        position_atto=position_atto,
        price_atto=attos(answer.sizing_price) or entry_atto,
        entry_atto=entry_atto,
        stop_atto=attos(signal.stop_price) if signal.HasField("stop_price") else None,
        lot_atto=grid.lot_atto,
        cap_atto=attos(answer.max_quantity),
        minimum_atto=grid.minimum_atto,
    )
    sign = -1 if signal.direction == signal_pb2.DIRECTION_SHORT else 1
    return sizing.open_size(wish, sign=sign, basis=basis)


def client_order_id(signal: Signal) -> str:
    """Return the name of a signal's order: two workers on one signal cannot make two orders."""
    return f"sg-{signal.signal_id.replace('-', '')}"


def order_spec(
    signal: Signal, size_atto: int, position_atto: int, grid: Grid
) -> order_pb2.OrderSpec:
    """Return the order that a signal becomes; its id follows from the signal's."""
    spec = order_pb2.OrderSpec(
        client_order_id=client_order_id(signal),
        account=signal.account,
        strategy_id=signal.strategy_id,
        signal_id=signal.signal_id,
        instrument=signal.instrument,
        side=_side(size_atto, position_atto),
        type=order_pb2.ORDER_TYPE_MARKET,
        time_in_force=order_pb2.TIME_IN_FORCE_DAY,
        quantity=Decimal(value=from_atto(abs(size_atto))),
        reduce_only=signal.action == signal_pb2.SIGNAL_ACTION_CLOSE,
    )
    if not spec.reduce_only and (signal.HasField("stop_price") or signal.targets):
        _protect(spec, signal, grid)
    return spec


def _protect(spec: order_pb2.OrderSpec, signal: Signal, grid: Grid) -> None:
    """Add stop and nearest target, on tick; the strategy itself watches them."""
    is_long = spec.side == order_pb2.SIDE_BUY
    spec.protection.mode = order_pb2.PROTECTION_MODE_SUPERVISED
    if signal.HasField("stop_price"):
        stop_atto = sizing.stop_on_tick(attos(signal.stop_price), grid.tick_atto, is_long=is_long)
        spec.protection.stop_price.value = from_atto(stop_atto)
    nearest = next((target for target in signal.targets if target.share), None)
    if nearest is not None:
        nearest_atto = attos(nearest.price)
        target_atto = sizing.target_on_tick(nearest_atto, grid.tick_atto, is_long=is_long)
        spec.protection.target_price.value = from_atto(target_atto)


def _side(size_atto: int, position_atto: int) -> "order_pb2.Side.ValueType":
    if size_atto > 0:
        return order_pb2.SIDE_BUY
    ends_short = position_atto + size_atto < 0
    return order_pb2.SIDE_SELL_SHORT if ends_short else order_pb2.SIDE_SELL


def _wish(signal: Signal) -> Wish | None:
    field = signal.sizing.WhichOneof("size")
    if field is None:
        return None
    value = getattr(signal.sizing, field)
    text = value.amount.value if field == "notional" else value.value
    return Wish(WAYS[field], to_atto(text))


def _signal(entry: Entry) -> Signal:
    try:
        return Signal.FromString(entry.payload)
    except DecodeError as error:
        raise Unreadable(f"{entry.event_id} is no Signal: {error}") from error
