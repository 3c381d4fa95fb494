"""Every planted bug."""

from chaos.planted import (
    cancels,
    execution,
    halts,
    idempotency,
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
    *execution.PLANTS,
    *risk.PLANTS,
    *strategy.PLANTS,
    *ledger.PLANTS,
    *halts.PLANTS,
    *cancels.PLANTS,
    *venue.PLANTS,
    *watches.PLANTS,
)
