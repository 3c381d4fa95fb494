"""What each venue takes: its capability table, as its GetCapabilities states it."""

from typing import NamedTuple

from services.risk.orders import OrderType, TimeInForce


class Capabilities(NamedTuple):
    """The order types and times in force that a venue takes."""

    types: frozenset[OrderType]
    lives: frozenset[TimeInForce]


EVERYTHING = Capabilities(
    frozenset(OrderType) - {OrderType.OTHER}, frozenset(TimeInForce) - {TimeInForce.OTHER}
)
NOTHING = Capabilities(frozenset(), frozenset())
VENUES = {"XSIM": EVERYTHING}


def capabilities_of(instrument: str) -> Capabilities:
    """Return what the venue of an instrument takes; of an unknown venue that is nothing."""
    return VENUES.get(instrument[-4:], NOTHING)
