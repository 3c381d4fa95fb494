"""Test data of algorithms: terms of a parent, valid unless a test says otherwise."""

from dataclasses import replace
from typing import Any

from services.execution.algorithms.terms import NS_PER_S, Kind, Terms

START_NS = 1_700_000_040 * NS_PER_S
MINUTE_NS = 60 * NS_PER_S


def terms(kind: Kind = Kind.TWAP, **changes: Any) -> Terms:
    """Return the terms to buy 100 lots within ten minutes, a slice a minute."""
    made = Terms(
        kind=kind,
        is_buy=True,
        quantity_lots=100,
        start_ns=START_NS,
        end_ns=START_NS + 10 * MINUTE_NS,
        interval_ns=MINUTE_NS,
        display_lots=10,
    )
    return replace(made, **changes)
