"""Valid-by-default test data of the portfolio service."""

from typing import Any

from runtime.atto import ATTO, notional_minor, to_atto
from services.portfolio.booking import Report, ReportKind
from services.portfolio.positions import Fill

ACCOUNT = "ACC-1"
INSTRUMENT = "ALPHA.XSIM"


def fill(quantity: int, price: str, **changes: Any) -> Fill:
    """Return a trade of `quantity` units (sold is negative) at `price`, 1.00 USD of fee."""
    quantity_atto, price_atto = quantity * ATTO, to_atto(price)
    values: dict[str, Any] = {
        "exec_id": "x1",
        "order_id": "o1",
        "account": ACCOUNT,
        "instrument": INSTRUMENT,
        "currency": "USD",
        "quantity_atto": quantity_atto,
        "price_atto": price_atto,
        "notional_minor": abs(notional_minor(price_atto, quantity_atto, "USD")),
        "fee_minor": 100,
    }
    return Fill(**(values | changes))


def trade(filled: Fill, **changes: Any) -> Report:
    """Return the report of a trade; its digest is made from its content."""
    values: dict[str, Any] = {
        "kind": ReportKind.TRADE,
        "fill": filled,
        "refers_to": "",
        "digest": repr(filled).encode(),
        "time_ns": 1,
    }
    return Report(**(values | changes))


def bust(exec_id: str, refers_to: str, filled: Fill) -> Report:
    """Return the report that takes `refers_to` back."""
    named = fill(1, "1", exec_id=exec_id, instrument=filled.instrument)
    return trade(
        named, kind=ReportKind.BUST, refers_to=refers_to, digest=b"bust" + repr(named).encode()
    )


def correction(refers_to: str, filled: Fill) -> Report:
    """Return the report that replaces `refers_to` by `filled`."""
    return trade(filled, kind=ReportKind.CORRECTION, refers_to=refers_to)
