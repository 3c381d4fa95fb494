"""Every planted bug."""

from chaos.planted import (
    breakers,
    execution,
    fences,
    idempotency,
    ledger,
    orders,
    risk,
    strategy,
    streams,
)
from chaos.planted.planting import Plant

PLANTS: tuple[Plant, ...] = (
    *idempotency.PLANTS,
    *streams.PLANTS,
    *orders.PLANTS,
    *execution.PLANTS,
    *risk.PLANTS,
    *strategy.PLANTS,
    *fences.PLANTS,
    *breakers.PLANTS,
    *ledger.PLANTS,
)
