"""From the state to an answer: the case, the decision, its hold, its token. Nothing waits here."""

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from google.type.decimal_pb2 import Decimal
from trading.risk.v1 import risk_pb2 as pb
from trading.types.v1.order_pb2 import OrderSpec
from trading.types.v1.risk_pb2 import RiskDecision

from runtime.approval import approval_token
from runtime.atto import from_atto
from runtime.clock import Clock
from runtime.digest import digest
from runtime.ids import Ids
from services.risk import showing, wire
from services.risk.account import Account
from services.risk.case import Case
from services.risk.decide import Decision, decide, decide_signal, held_by
from services.risk.desk import FIRST, State
from services.risk.facts import Facts, Named, facts_of
from services.risk.following import Key
from services.risk.orders import Open, Order
from services.risk.reasons import Verdict
from services.risk.refusals import RiskRefused
from services.risk.rules import NS_PER_S
from services.risk.signals import Signal, SignalCase, probe

APPROVAL_LIFE_NS = 5 * NS_PER_S
PREVIEW = "preview"
Holds = Mapping[Key, Open | None]


class Basis(NamedTuple):
    """What a decision was made of, as far as limits are compared with it."""

    facts: Facts
    named: Named


class Deciding:
    """Makes decisions and signs approvals with `approval_key`, which execution knows too (K3)."""

    def __init__(self, clock: Clock, ids: Ids, approval_key: bytes) -> None:
        self._clock = clock
        self._ids = ids
        self._approval_key = approval_key

    def signal(
        self, state: State, signal: Signal, strategy_state: str
    ) -> tuple[pb.ValidateSignalResponse, Basis]:
        """Decide about a signal; its slot is taken when it may become an order."""
        book, now_ns = state.book, self._clock.now_ns()
        account = book.account(signal.account)
        conditions = book.conditions(
            signal.account, signal.strategy_id, on=signal.instrument, now_ns=now_ns
        )
        case = probe(signal, account, conditions)
        before = book.slots.get(signal.slot, "")
        decision = decide_signal(SignalCase(signal, case, strategy_state, before))
        if decision.verdict is not Verdict.REJECTED:
            book.slots[signal.slot] = signal.signal_id
        answer = pb.ValidateSignalResponse(
            decision=self._message(state, case, decision, signal.signal_id),
            position=Decimal(value=from_atto(account.holding(signal.instrument).quantity_atto)),
            max_quantity=Decimal(value=from_atto(decision.max_atto)),
        )
        if case.equity_minor is not None:
            answer.equity.CopyFrom(wire.money(case.equity_minor, account.currency))
        if case.reference_atto:
            answer.sizing_price.value = from_atto(case.reference_atto)
        return answer, _basis(case, decision, is_signal=True)

    def order(
        self, state: State, order: Order, request: pb.ValidateOrderRequest
    ) -> tuple[pb.ValidateOrderResponse, Holds, Basis]:
        """Decide about an order and hold its worst case; return the holds that changed.

        Raises RiskRefused when the order is over: nothing would ever give its hold back.
        """
        name, account = order.client_order_id, state.book.account(order.account)
        if name in account.over:
            raise RiskRefused(
                pb.RISK_REFUSAL_REASON_ORDER_RELEASED,
                f"order {name} is over or was released: it can hold nothing, take a new id",
            )
        case = self._case(state, account, order, request)
        decision = decide(case)
        basis = _basis(case, decision)
        if request.validation_id.endswith(FIRST):  # A later version is the same order.
            account.count(order.strategy_id, case.now_ns)
        message = self._message(state, case, decision, name)
        message.order_digest = digest(request.order)
        answer = pb.ValidateOrderResponse(decision=message)
        if decision.verdict is Verdict.REJECTED:
            return answer, {}, basis
        self._sign(answer.decision, request.order, case.now_ns + APPROVAL_LIFE_NS)
        if not case.conditions.is_again:  # It was sent when it was first sent.
            account.remember(order.fingerprint, case.now_ns, name)
        prior_atto = wire.attos(request.prior_leaves) if request.is_replace else None
        return answer, hold_for(state, case, prior_atto), basis

    def preview(
        self, state: State, order: Order, request: pb.ValidateOrderRequest
    ) -> pb.ValidateOrderResponse:
        """Return what would be decided, and change nothing."""
        account = state.book.accounts.get(order.account) or Account(order.account)
        case = self._case(state, account, order, request)
        message = self._message(state, case, decide(case), order.client_order_id)
        message.decision_id = PREVIEW
        return pb.ValidateOrderResponse(decision=message)

    def _case(
        self, state: State, account: Account, order: Order, request: pb.ValidateOrderRequest
    ) -> Case:
        state.begin_day(order.account, self._clock.now_ns())
        conditions = state.book.conditions(
            order.account, order.strategy_id, on=order.instrument, now_ns=self._clock.now_ns()
        )
        if request.limits_version:
            conditions = conditions._replace(decided_by=request.limits_version)
        prior = account.open.get(order.client_order_id)
        if request.is_replace and prior is not None:  # Only what is not filled yet is at risk.
            left = max(0, order.quantity_atto - prior.filled_atto)
            order = replace(order, quantity_atto=left)
        elif prior is not None:
            conditions = conditions._replace(is_again=True)
        return Case(order, account, conditions)

    def _sign(self, message: RiskDecision, spec: OrderSpec, expires_ns: int) -> None:
        message.approved_quantity.value = spec.quantity.value
        message.token = approval_token(
            self._approval_key,
            message.decision_id,
            message.order_digest,
            message.limits_version,
            expires_ns,
        )

    def _message(
        self, state: State, case: Case, decision: Decision, subject_id: str
    ) -> RiskDecision:
        expires_ns = case.now_ns + APPROVAL_LIFE_NS
        message = showing.decision_message(
            decision, case.currency, decided_ns=case.now_ns, expires_ns=expires_ns
        )
        message.decision_id = self._ids.new()
        message.subject_id = subject_id
        message.limits_version = case.limits.version
        message.state_sequence = state.book.sequence
        return message


def _basis(case: Case, decision: Decision, *, is_signal: bool = False) -> Basis:
    order = case.order
    named = Named(case.currency, order.instrument, order.trader)
    return Basis(facts_of(case, decision, is_signal=is_signal), named)


def hold_for(state: State, case: Case, prior_leaves_atto: int | None = None) -> Holds:
    """Hold what was approved; a replaced order keeps the larger of both until that is over.

    `prior_leaves_atto` is what is left of the order to be replaced, None when none is.
    """
    account, prior, book = case.account, case.prior, state.book
    held = held_by(case)
    if prior is None:
        book.approvals += 1
        held = held._replace(approved=book.approvals)
    else:
        held = held._replace(approved=prior.approved, filled_atto=prior.filled_atto)
    if prior is not None and prior_leaves_atto is not None:
        held = held._replace(
            leaves_atto=max(held.leaves_atto, prior.leaves_atto, prior_leaves_atto),
            price_atto=max(held.price_atto, prior.price_atto),
            worst_atto=max(held.worst_atto, prior.worst_atto),
            replaced_leaves_atto=held.leaves_atto,
            is_confirmed=prior.is_confirmed,
        )
    account.put(held)
    if not held.is_confirmed:
        state.await_event((account.name, held.client_order_id), held.since_ns)
    return {(account.name, held.client_order_id): held} | split(state, account, held.instrument)


def release(state: State, account: Account, name: str, now_ns: int) -> tuple[Open | None, Holds]:
    """Take the hold of an order away for good; return it, and the holds that changed."""
    held = account.end(name, now_ns)
    state.unconfirmed.pop((account.name, name), None)
    holds: dict[Key, Open | None] = {(account.name, name): None}
    if held is not None:
        holds |= split(state, account, held.instrument)
    return held, holds


def split(state: State, account: Account, instrument: str) -> dict[Key, Open | None]:
    """Tell anew what open orders close and open; return the holds that changed."""
    currency = state.book.currency_of(instrument, account)
    return {(account.name, o.client_order_id): o for o in account.split(instrument, currency)}
