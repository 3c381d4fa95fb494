"""Replaces orders: risk looks at the increase, the wish is committed, then sent under one name.

Rows 20 to 23. Until the venue has answered the old values hold: what trades meanwhile carries
them. A replacement without an answer is in doubt; it is looked up and repeated, never resent
under another name.
"""

import asyncio
import logging
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from google.type.decimal_pb2 import Decimal
from grpc import StatusCode
from trading.orders.v1.orders_pb2 import OrderRefusalReason as Reason
from trading.risk.v1 import risk_pb2 as risk_pb
from trading.types.v1 import order_pb2, risk_pb2

from runtime.atto import from_atto
from runtime.errors import ServiceError
from runtime.rpc import Call
from runtime.stores import StoreError
from services.orders import wire
from services.orders.desk import RISK_TIMEOUT_S, Desk
from services.orders.doubt import Doubts
from services.orders.events import Event, Kind
from services.orders.limits import Limit
from services.orders.patience import patiently
from services.orders.refusals import OrderRefused
from services.orders.reports import ask_due_cancel
from services.orders.states import PENDING, SHOWN, WORKING, Amendment, Order, Place
from services.orders.store import Key, Stored
from services.orders.unit import Unit
from services.orders.waiting import is_replace_decided
from services.orders.wishes import replace_request_id, replacement_of

TIMEOUT_S = 1.0
REFUSALS = (StatusCode.NOT_FOUND, StatusCode.FAILED_PRECONDITION)
log = logging.getLogger(__name__)


class NewValues(NamedTuple):
    """What an order shall become; None keeps what it has. `etag` 0: as it stands now."""

    etag: int = 0
    quantity_atto: int | None = None
    limit_price_atto: int | None = None
    stop_price_atto: int | None = None


class Replaces:
    """Sends replacements, one at a time for each order."""

    def __init__(self, desk: Desk, doubts: Doubts) -> None:
        self._desk = desk
        self._doubts = doubts
        self._sending: dict[Key, asyncio.Task[None]] = {}

    async def replace(self, key: Key, values: NewValues, limit: Limit) -> Stored:
        """Ask for new values; returns the order with them, as it was, or in doubt.

        Raises OrderRefused, before the venue hears of it, when the order cannot be changed so.
        """
        validation, before = await self._desk.recorder.write(
            lambda unit: _reserve(unit, key, values)
        )
        amendment = _amendment(before, values)
        await self._ask_risk(before, amendment, validation)
        await self._desk.recorder.write(lambda unit: _begin(unit, key, amendment))
        await asyncio.wait([self.send(key)], timeout=limit.left_s(self._desk.environment.clock))
        after = await self._desk.recorder.load(key)
        assert after is not None
        return after

    def send(self, key: Key) -> "asyncio.Task[None]":
        """Return the work that sends a replacement that is committed, until it is decided."""
        if key not in self._sending:
            task = self._desk.environment.tasks.spawn(self._send(key), name=f"replace {key[1]}")
            self._sending[key] = task
            task.add_done_callback(lambda _: self._sending.pop(key))
        return self._sending[key]

    async def _ask_risk(self, stored: Stored, amendment: Amendment, validation: int) -> None:
        """Have risk look at the order as it would become; raises OrderRefused on its denial."""
        request = risk_pb.ValidateOrderRequest(
            validation_id=f"{stored.client_order_id}:{validation}",
            order=_amended(stored, amendment),
            epoch=self._desk.recorder.epoch,
            is_replace=True,
            prior_leaves=Decimal(value=from_atto(stored.order.leaves_atto)),
        )
        answer = await self._desk.risk.validate_order(request, Call(RISK_TIMEOUT_S))
        if answer.decision.verdict == risk_pb2.RISK_VERDICT_APPROVED:
            return
        codes = ",".join(wire.failed_codes(answer.decision))
        raise OrderRefused(
            Reason.ORDER_REFUSAL_REASON_RISK_REJECTED,
            f"risk refuses the new values of {stored.client_order_id!r} ({codes}): "
            "the order stays as it was",
            codes=codes,
        )

    async def _send(self, key: Key) -> None:
        with self._desk.environment.progress.working("replace"):
            rng = self._desk.environment.rng
            load = partial(self._desk.recorder.load, key)
            stored = await patiently(load, key, rng)
            if stored is None or stored.order.place is not Place.PENDING_REPLACE:
                return
            try:
                await self._call(stored)
            except StoreError as error:  # What is not recorded is found out by asking.
                log.warning("the replacement of %s waits for the store: %s", key, error)
                await asyncio.sleep(TIMEOUT_S)
                await patiently(partial(self._unanswered, key), key, rng)

    async def _call(self, stored: Stored) -> None:
        desk, amendment = self._desk, stored.order.amendment
        assert amendment is not None, "a pending replacement has its new values"
        request = replacement_of(stored, amendment, desk.recorder.epoch)
        with desk.waiting.expect(stored.key, is_replace_decided) as decided:
            try:
                await desk.execution.replace_execution(request, Call(TIMEOUT_S))
            except StoreError:
                raise
            except ServiceError as error:
                if is_refused(error):
                    await settle(desk, stored.key, Kind.REPLACE_REJECTED)
                else:
                    await self._unanswered(stored.key)
                return
            if not await decided.within(TIMEOUT_S):  # The reports say what came of it.
                await self._unanswered(stored.key)

    async def _unanswered(self, key: Key) -> None:
        if (await settle(self._desk, key, Kind.REPLACE_UNANSWERED)).order.is_in_doubt:
            self._doubts.watch(key)


async def replace_again(desk: Desk, stored: Stored) -> Stored:
    """Repeat a replacement whose answer is missing, under its own name (row 23).

    What came of it is in the venue's report; the next question brings it.
    """
    amendment = stored.order.amendment
    assert amendment is not None
    request = replacement_of(stored, amendment, desk.recorder.epoch)
    try:
        await desk.execution.replace_execution(request, Call(TIMEOUT_S))
    except StoreError:
        raise
    except ServiceError as error:
        if not is_refused(error):
            raise
        return await settle(desk, stored.key, Kind.REPLACE_REJECTED)
    return stored


def is_refused(error: ServiceError) -> bool:
    """Whether execution definitely changed nothing and will not."""
    return error.code in REFUSALS and error.reason != "CHILD_IN_DOUBT"


async def settle(desk: Desk, key: Key, kind: Kind) -> Stored:
    """Let what execution said about a replacement take effect, unless a report came first."""

    def work(unit: Unit) -> Stored:
        now = unit.order(key)
        assert now is not None
        is_pending = now.order.place in {Place.PENDING_REPLACE, Place.DOUBT_REPLACE}
        if is_pending and not (kind is Kind.REPLACE_UNANSWERED and now.order.is_in_doubt):
            unit.apply(now, Event(kind, unit.now_ns))
            ask_due_cancel(unit, key)
        after = unit.order(key)
        assert after is not None
        return after

    return await desk.recorder.write(work)


def _reserve(unit: Unit, key: Key, values: NewValues) -> tuple[int, Stored]:
    """Check the wish against the order, and take the number that risk is asked under.

    The number is committed before risk is asked: it must never name two questions.
    """
    stored = unit.order(key)
    assert stored is not None, "the order was found before"
    _check(stored, values)
    order = stored.order.changed({"validation": stored.order.validation + 1})
    unit.keep(replace(stored, order=order))
    return order.validation, stored


def _begin(unit: Unit, key: Key, amendment: Amendment) -> Stored:
    """Commit the wish (row 20); fills may have come since risk was asked."""
    stored = unit.order(key)
    assert stored is not None
    _check(stored, NewValues(quantity_atto=amendment.quantity_atto))
    named = amendment._replace(request_id=replace_request_id(stored))
    return unit.apply(stored, Event(Kind.REPLACE_REQUESTED, unit.now_ns, amendment=named))


def _check(stored: Stored, values: NewValues) -> None:
    order, name = stored.order, stored.client_order_id
    status = SHOWN[order.place].status.name
    if order.is_terminal:
        raise OrderRefused(
            Reason.ORDER_REFUSAL_REASON_ORDER_ENDED,
            f"order {name!r} is {status}: there is nothing left to replace",
            status=status,
        )
    if values.etag and values.etag != order.version:
        raise OrderRefused(
            Reason.ORDER_REFUSAL_REASON_ETAG_STALE,
            f"etag is {values.etag}, the order's version is {order.version}: read it again",
            version=str(order.version),
        )
    if order.place not in WORKING or order.is_cancel_wanted:
        what = "wait for its answer" if order.place in PENDING else "wait until it works"
        raise OrderRefused(
            Reason.ORDER_REFUSAL_REASON_ORDER_NOT_WORKING,
            f"order {name!r} is {status}, must be NEW or PARTIALLY_FILLED: {what}",
            status=status,
        )
    _check_quantity(order, values.quantity_atto)


def _check_quantity(order: Order, quantity_atto: int | None) -> None:
    if quantity_atto is not None and quantity_atto < order.cum_atto:
        filled = from_atto(order.cum_atto)
        raise OrderRefused(
            Reason.ORDER_REFUSAL_REASON_BELOW_FILLED,
            f"quantity is {from_atto(quantity_atto)}, must be at least {filled}: "
            "so much has traded",
            cum_quantity=filled,
        )


def _amendment(stored: Stored, values: NewValues) -> Amendment:
    quantity_atto = values.quantity_atto
    if quantity_atto is None:
        quantity_atto = stored.order.quantity_atto
    return Amendment(quantity_atto, values.limit_price_atto, values.stop_price_atto)


def _amended(stored: Stored, amendment: Amendment) -> order_pb2.OrderSpec:
    before = stored.order.changed({"amendment": amendment})
    return order_pb2.OrderSpec.FromString(wire.amended_spec(stored.spec, before))
