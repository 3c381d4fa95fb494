"""Orders as the store keeps them."""

from typing import Any

from services.orders.states import Amendment, Order, Place, Reject, RejectSource
from services.orders.store import Stored
from services.orders.tests.mothers import ACCOUNT, INSTRUMENT, STRATEGY, limit_order

ATTO = 10**18
HUGE_ATTO = 10**18 * ATTO  # Outgrows 64 bits; its square outgrows 128.


def order(**changes: Any) -> Order:
    """Return the state of an order of 10 that the venue works."""
    values: dict[str, Any] = {
        "quantity_atto": 10 * ATTO,
        "place": Place.NEW,
        "working": Place.NEW,
        "version": 4,
        "validation": 1,
        "attempt": 1,
        "decision_id": "decision-1",
        "venue_order_id": "V-1",
        "created_ns": 1_700_000_000_123_456_789,
        "updated_ns": 1_700_000_000_123_456_790,
    }
    return Order(**(values | changes))


def stored(client_order_id: str = "ana-1", *, place: Place = Place.NEW, **changes: Any) -> Stored:
    """Return an order that is new to the store."""
    spec = limit_order(client_order_id, account=changes.get("account", ACCOUNT))
    values: dict[str, Any] = {
        "account": ACCOUNT,
        "client_order_id": client_order_id,
        "order_id": f"{changes.get('account', ACCOUNT)}:{client_order_id}",
        "strategy_id": STRATEGY,
        "instrument": INSTRUMENT,
        "spec": spec.SerializeToString(),
        "digest": bytes(range(32)),
        "order": order(place=place),
    }
    return Stored(**(values | changes))


def full(client_order_id: str) -> Stored:
    """Return an order of which every field says something, at its limits."""
    state = order(
        place=Place.REJECTED,
        working=Place.PARTIALLY_FILLED,
        quantity_atto=HUGE_ATTO - 1,
        cum_atto=HUGE_ATTO - 2,
        cost=HUGE_ATTO * HUGE_ATTO - 3,
        fees_atto=-12_345_678_901_234_567,
        reject=Reject(RejectSource.VENUE, ("A", "B"), "»zu groß« 🚢\n"),
        amendment=Amendment(HUGE_ATTO, 1, 2),
        is_cancel_wanted=True,
        is_triggered=True,
        doubt_since_ns=2**62,
    )
    return stored(
        client_order_id,
        order=state,
        spec=bytes(range(256)) * 300,  # 75 KB: more than MySQL's plain BLOB holds.
        decision=b"\x00\xff",
        currency="USD",
        pending_request_id="r" * 64,
        deadline_ns=2**63 - 1,
        strategy_id="ÿ" * 64,
    )
