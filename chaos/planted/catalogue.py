"""Every planted bug."""

from chaos.planted import (
    breakers,
    deadlines,
    execution,
    exits,
    fences,
    idempotency,
    indicators,
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
    *exits.PLANTS,
    *indicators.PLANTS,
    *ledger.PLANTS,
    *deadlines.PLANTS,
)
