"""What each row of the transition table does to an order besides moving it.

An effect returns the fields that change; the caller replaces them all at once.
"""

from typing import Any

from services.orders.events import Event
from services.orders.states import Fill, Order, Reject, RejectSource

Changes = dict[str, Any]
NOT_ACCEPTED = Reject(RejectSource.ROUTER, ("NOT_ACCEPTED",))
RISK_UNAVAILABLE = Reject(RejectSource.RISK, ("RISK_UNAVAILABLE",))


def nothing(order: Order, event: Event) -> Changes:
    """Move the order only."""
    return {}


def create(order: Order, event: Event) -> Changes:
    """Note when the order came to be."""
    return {"created_ns": event.at_ns}


def approve(order: Order, event: Event) -> Changes:
    """Keep the decision that let the order pass."""
    return {"decision_id": event.decision_id}


def reject(order: Order, event: Event) -> Changes:
    """Keep who refused the order and why."""
    return {"reject": event.reject, "decision_id": event.decision_id or order.decision_id}


def reject_without_risk(order: Order, event: Event) -> Changes:
    """Refuse an order that risk never answered for."""
    return {"reject": event.reject or RISK_UNAVAILABLE}


def validate_again(order: Order, event: Event) -> Changes:
    """Ask risk under the next validation number: the former approval is spent."""
    return {"validation": order.validation + 1, "decision_id": ""}


def send(order: Order, event: Event) -> Changes:
    """Count the attempt."""
    return {"attempt": order.attempt + 1}


def resend(order: Order, event: Event) -> Changes:
    """Count the attempt, made under an approval of its own (X6)."""
    return {
        "attempt": order.attempt + 1,
        "validation": order.validation + 1,
        "decision_id": event.decision_id,
    }


def give_up(order: Order, event: Event) -> Changes:
    """Close an order that never reached the venue."""
    return {} if order.is_cancel_wanted else {"reject": event.reject or NOT_ACCEPTED}


def doubt(order: Order, event: Event) -> Changes:
    """Note since when the outcome is unknown."""
    return {"doubt_since_ns": event.at_ns}


def book(order: Order, event: Event) -> Changes:
    """Add an execution to what is filled."""
    assert event.fill is not None, "a trade carries its fill"
    return _booked(order, event.fill, sign=1)


def take_back(order: Order, event: Event) -> Changes:
    """Remove a busted execution."""
    assert event.former is not None, "a bust of an unknown fill is an anomaly"
    return _booked(order, event.former, sign=-1)


def correct(order: Order, event: Event) -> Changes:
    """Replace price, quantity and fee of an execution."""
    assert event.former is not None
    assert event.fill is not None
    without = order.changed(_booked(order, event.former, sign=-1))
    return _booked(without, event.fill, sign=1)


def _booked(order: Order, fill: Fill, *, sign: int) -> Changes:
    return {
        "cum_atto": order.cum_atto + sign * fill.quantity_atto,
        "cost": order.cost + sign * fill.quantity_atto * fill.price_atto,
        "fees_atto": order.fees_atto + sign * fill.fee_atto,
    }


def want_cancel(order: Order, event: Event) -> Changes:
    """Remember the cancel until the doubt is gone."""
    return {"is_cancel_wanted": True}


def begin_cancel(order: Order, event: Event) -> Changes:
    """Send the cancel now; nobody has to remember it."""
    return {"is_cancel_wanted": False}


def amend(order: Order, event: Event) -> Changes:
    """Keep the new values beside the old ones until the venue answers."""
    assert event.amendment is not None, "a replace request carries its new values"
    return {"amendment": event.amendment}


def replace(order: Order, event: Event) -> Changes:
    """Take over the new quantity, never less than what has been filled meanwhile."""
    assert order.amendment is not None, "only a pending replace can be confirmed"
    quantity_atto = max(order.amendment.quantity_atto, order.cum_atto)
    return {"quantity_atto": quantity_atto, "amendment": None}


def drop_amendment(order: Order, event: Event) -> Changes:
    """Keep the old values."""
    return {"amendment": None}


def trigger(order: Order, event: Event) -> Changes:
    """Work as a market or limit order from now on."""
    return {"is_triggered": True}
