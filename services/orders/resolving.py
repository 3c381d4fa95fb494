"""Finds the order a request means, and ends doubts by a person's word (row 31)."""

from dataclasses import dataclass

from sqlalchemy import Connection, insert
from trading.orders.v1.orders_pb2 import OrderRefusalReason as Reason

from services.orders import machine, store
from services.orders import tables as t
from services.orders.events import Event, Kind
from services.orders.refusals import OrderRefused
from services.orders.states import Place, Reject, RejectSource
from services.orders.store import Key, Stored
from services.orders.unit import Unit

_INSERT = insert(t.resolutions)


def find(tx: Connection, *, client_order_id: str, order_id: str = "", account: str = "") -> Stored:
    """Return the order that a request names; raises OrderRefused when that is none or several."""
    if order_id:
        found = store.load_by_order_id(tx, order_id)
        matches = [found] if found else []
    else:
        matches = store.load_many(tx, [client_order_id])
    matches = [m for m in matches if account in {"", m.account}]
    if len(matches) == 1:
        return matches[0]
    name = order_id or client_order_id
    if not matches:
        raise OrderRefused(
            Reason.ORDER_REFUSAL_REASON_ORDER_UNKNOWN,
            f"no order is named {name!r}: look for it with ListOrders",
        )
    raise OrderRefused(
        Reason.ORDER_REFUSAL_REASON_ORDER_AMBIGUOUS,
        f"{len(matches)} accounts have an order {name!r}: name the account",
    )


@dataclass(frozen=True, slots=True)
class Resolution:
    """What a person says became of an order in doubt, and how they know."""

    key: Key
    etag: int
    place: Place
    person: str
    evidence: str


def resolve(unit: Unit, resolution: Resolution) -> Stored:
    """Move an order out of doubt to the state named; raises OrderRefused when that cannot be."""
    stored = unit.order(resolution.key)
    assert stored is not None, "the order was found before"
    _check(stored, resolution)
    reject = None
    if resolution.place is Place.REJECTED:
        reject = Reject(RejectSource.ROUTER, ("NOT_ACCEPTED",), resolution.evidence[:1000])
    event = Event(Kind.RESOLVED, unit.now_ns, named=resolution.place, reject=reject)
    after = unit.apply(stored, event)
    row = {
        "account": stored.account,
        "client_order_id": stored.client_order_id,
        "version": after.order.version,
        "person": resolution.person,
        "evidence": resolution.evidence,
        "resolved_ns": unit.now_ns,
    }
    unit.tx.execute(_INSERT, row)
    return after


def _check(stored: Stored, resolution: Resolution) -> None:
    order = stored.order
    if order.version != resolution.etag:
        raise OrderRefused(
            Reason.ORDER_REFUSAL_REASON_ETAG_STALE,
            f"etag is {resolution.etag}, the order's version is {order.version}: read it again",
            version=str(order.version),
        )
    if not order.is_in_doubt:
        raise OrderRefused(
            Reason.ORDER_REFUSAL_REASON_NOT_IN_DOUBT,
            f"order {stored.client_order_id!r} is {machine.shown(order).name}, must be IN_DOUBT: "
            "there is nothing to resolve",
        )
    if not machine.is_consistent(order, resolution.place):
        raise OrderRefused(
            Reason.ORDER_REFUSAL_REASON_OUTCOME_INCONSISTENT,
            f"outcome {resolution.place.name} does not agree with what has traded: "
            "only executions change that",
        )
