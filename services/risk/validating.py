"""Each signal and each validation gets one decision: durable before the answer, for ever."""

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, TypeVar

from sqlalchemy import Connection
from trading.risk.v1 import risk_pb2 as pb
from trading.types.v1 import risk_pb2 as types

from runtime.identity import principal_of
from runtime.rpc import Call
from services.risk import records, store, wire
from services.risk.deciding import Basis, Deciding, Holds, release
from services.risk.desk import Desk, State
from services.risk.following import Key
from services.risk.orders import Order
from services.risk.peers import Peers
from services.risk.records import Recorded
from services.risk.refusals import RiskRefused

Answer = pb.ValidateSignalResponse | pb.ValidateOrderResponse
A = TypeVar("A", pb.ValidateSignalResponse, pb.ValidateOrderResponse)


@dataclass(frozen=True, slots=True)
class Pending:
    """A decision on its way to the store."""

    digest: bytes
    answer: Answer
    writing: "asyncio.Future[None]"


class Asked(NamedTuple):
    """What is asked: whose, under which key, and what makes a repeat the same."""

    account: str
    key: str  # The signal_id or the validation_id.
    digest: bytes
    strategy_id: str


class Made(NamedTuple):
    """A decision that was just made."""

    answer: Answer
    basis: Basis
    holds: Holds  # That changed.
    slot: str  # Of a signal that may become an order.


class Validating:
    """Answers ValidateSignal, ValidateOrder and ReleaseOrder."""

    def __init__(self, desk: Desk, peers: Peers, deciding: Deciding) -> None:
        self._desk = desk
        self._peers = peers
        self._deciding = deciding
        self._pending: dict[Key, Pending] = {}
        self._epoch = 0

    async def signal(
        self, request: pb.ValidateSignalRequest, call: Call
    ) -> pb.ValidateSignalResponse:
        """Decide about a signal, or find its decision."""
        message = request.signal
        digest = wire.content_digest(message)
        asked = Asked(message.account, message.signal_id, digest, message.strategy_id)
        signal = wire.signal_of(message)
        while True:
            earlier = await self._earlier(asked, pb.ValidateSignalResponse)
            if earlier is not None:
                return earlier
            strategy_state = await self._peers.strategy_state(signal.strategy_id, call)
            await self._peers.complete(signal.account, signal.instrument, call)
            state = await self._desk.ready()
            if self._is_new(state, asked):  # A repeat may have been faster meanwhile.
                break
        answer, basis = self._deciding.signal(state, signal, strategy_state)
        slot = signal.slot if answer.decision.verdict != types.RISK_VERDICT_REJECTED else ""
        await self._keep(state, asked, Made(answer, basis, {}, slot))
        return answer

    async def order(self, request: pb.ValidateOrderRequest, call: Call) -> pb.ValidateOrderResponse:
        """Decide about an order and hold its worst case, or find its decision."""
        spec = request.order
        order = wire.order_of(spec, _person(call))
        if request.validate_only:
            await self._complete(order, call)
            return self._deciding.preview(await self._desk.ready(), order, request)
        self._check_epoch(request.epoch)
        asked = Asked(spec.account, request.validation_id, _digest(request), spec.strategy_id)
        while True:
            earlier = await self._earlier(asked, pb.ValidateOrderResponse)
            if earlier is not None:
                return earlier
            await self._complete(order, call)
            state = await self._desk.ready()
            if self._is_new(state, asked):
                break
        answer, holds, basis = self._deciding.order(state, order, request)
        await self._keep(state, asked, Made(answer, basis, holds, ""))
        return answer

    async def release(self, request: pb.ReleaseOrderRequest) -> pb.ReleaseOrderResponse:
        """Give back what an order holds, and refuse to hold for it from now on."""
        state = await self._desk.ready()
        now_ns = self._desk.environment.clock.now_ns()
        account = state.book.account(request.account)
        held, holds = release(state, account, request.client_order_id, now_ns)
        writing = self._desk.commit(lambda tx: store.put_holds(tx, holds, now_ns))
        await asyncio.shield(writing)
        if held is None:
            return pb.ReleaseOrderResponse()
        currency = state.book.currency_of(held.instrument, account)
        return pb.ReleaseOrderResponse(released=wire.money(held.hold_minor, currency))

    async def _complete(self, order: Order, call: Call) -> None:
        account, instrument, is_post_only = order.account, order.instrument, order.is_post_only
        await self._peers.complete(account, instrument, call, needs_quote=is_post_only)

    def _is_new(self, state: State, asked: Asked) -> bool:
        name = (asked.account, asked.key)
        return name not in self._pending and not state.has_decided(*name)

    async def _earlier(self, asked: Asked, kind: type[A]) -> A | None:
        """Return the answer given to this request before, once it is durable."""
        pending = self._pending.get((asked.account, asked.key))
        if pending is not None:
            _check_same(asked, pending.digest)
            await asyncio.shield(pending.writing)
            assert isinstance(pending.answer, kind), "signals and validations have other keys"
            return pending.answer
        state = await self._desk.ready()
        if state.has_decided(asked.account, asked.key) is False:
            return None
        found = await self._desk.environment.database.read(
            lambda tx: records.find(tx, asked.account, asked.key)
        )
        if found is None:
            if state.has_decided(asked.account, asked.key):
                self._desk.distrust()  # What is remembered was never committed.
            return None
        _check_same(asked, found.digest)
        return kind.FromString(found.answer)

    async def _keep(self, state: State, asked: Asked, new: Made) -> None:
        """Commit a decision with its holds; whoever repeats the request waits for that."""
        state.decisions += 1
        now_ns = self._desk.environment.clock.now_ns()
        made = Recorded(
            sequence=state.decisions,
            account=asked.account,
            key=asked.key,
            digest=asked.digest,
            strategy_id=asked.strategy_id,
            slot=new.slot,
            decided_ns=now_ns,
            decision=new.answer.decision,
            answer=new.answer,
            facts=new.basis.facts,
            named=new.basis.named,
        )

        def work(tx: Connection) -> None:
            records.add_decision(tx, made)
            store.put_holds(tx, new.holds, now_ns)

        name = (asked.account, asked.key)
        state.note_decided(*name)
        writing = self._desk.commit(work)
        self._pending[name] = Pending(asked.digest, new.answer, writing)
        writing.add_done_callback(partial(self._kept, name))
        await asyncio.shield(writing)

    def _kept(self, name: Key, writing: "asyncio.Future[None]") -> None:
        del self._pending[name]

    def _check_epoch(self, epoch: int) -> None:
        if epoch < self._epoch:
            raise RiskRefused(
                pb.RISK_REFUSAL_REASON_EPOCH_PASSED,
                f"epoch is {epoch}, must be at least {self._epoch}: another instance of orders "
                "has taken over, stop this one",
                epoch=str(self._epoch),
            )
        self._epoch = epoch


def _digest(request: pb.ValidateOrderRequest) -> bytes:
    """Return what must be equal in a repeat: all but who asks, which a restart changes."""
    content = pb.ValidateOrderRequest()
    content.CopyFrom(request)
    content.ClearField("epoch")
    return wire.content_digest(content)


def _person(call: Call) -> str:
    """Return the name of the person behind a call, or nothing."""
    principal = principal_of(call)
    if principal is None or principal.name == principal.service:
        return ""
    return principal.name


def _check_same(asked: Asked, first: bytes) -> None:
    if asked.digest == first:
        return
    raise RiskRefused(
        pb.RISK_REFUSAL_REASON_BODY_DIFFERS,
        f"{asked.key} was decided with another body: repeat that one unchanged, or take a new key",
        first_digest=first.hex(),
        this_digest=asked.digest.hex(),
    )
