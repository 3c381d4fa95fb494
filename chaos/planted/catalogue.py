"""Every planted bug."""

from chaos.planted import (
    breakers,
    cancels,
    deadlines,
    execution,
    exits,
    fences,
    halts,
    idempotency,
    indicators,
    ledger,
    orders,
    risk,
    strategy,
    streams,
    venue,
    watches,
)
from chaos.planted.planting import Plant

PLANTS: tuple[Plant, ...] = (
    *idempotency.PLANTS,
    *streams.PLANTS,
    *orders.PLANTS,
    *cancels.PLANTS,
    *execution.PLANTS,
    *risk.PLANTS,
    *halts.PLANTS,
    *strategy.PLANTS,
    *exits.PLANTS,
    *indicators.PLANTS,
    *ledger.PLANTS,
    *fences.PLANTS,
    *breakers.PLANTS,
    *deadlines.PLANTS,
    *venue.PLANTS,
    *watches.PLANTS,
)
