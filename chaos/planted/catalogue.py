"""Every planted bug."""

from chaos.planted import idempotency, ledger, orders, risk, streams
from chaos.planted.planting import Plant

PLANTS: tuple[Plant, ...] = (
    *idempotency.PLANTS,
    *streams.PLANTS,
    *orders.PLANTS,
    *risk.PLANTS,
    *ledger.PLANTS,
)
