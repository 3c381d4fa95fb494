"""What fills leave behind as far as risk cares: quantity, cash flow and open entries."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fill:
    """One trade of one order, as the venue reported it."""

    exec_id: str  # Unique per venue; the venue's name is part of it.
    order_id: str
    account: str
    instrument: str
    quantity_atto: int  # Bought is positive, sold is negative.
    notional_minor: int  # Never negative.
    fee_minor: int


@dataclass(frozen=True, slots=True)
class Holding:
    """One account's position in one instrument."""

    quantity_atto: int = 0
    flow_minor: int = 0  # Cash that its trades brought in, fees paid; negative when paid for.
    entries: tuple[str, ...] = ()  # The orders that opened what is open, oldest first.


NOTHING = Holding()


def hold(holding: Holding, fill: Fill) -> Holding:
    """Return `holding` after `fill`."""
    before, traded = holding.quantity_atto, fill.quantity_atto
    after = before + traded
    paid = fill.notional_minor if traded > 0 else -fill.notional_minor
    flow = holding.flow_minor - paid - fill.fee_minor
    if not after:
        return Holding(0, flow)
    kept = holding.entries if (before > 0) == (after > 0) and before else ()
    grows = abs(after) > abs(before) or not kept
    if grows and fill.order_id not in kept:
        kept = (*kept, fill.order_id)
    return Holding(after, flow, kept)


def replay(fills: Iterable[Fill]) -> Holding:
    """Return the holding that `fills` make in their order."""
    holding = NOTHING
    for fill in fills:
        holding = hold(holding, fill)
    return holding
