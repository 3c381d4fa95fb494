"""What the tables of orders refuse to hold, and what they are looked up by."""

from sqlalchemy import Index

from runtime.stores.constraints import (
    amounts,
    at_least,
    currencies,
    decimals,
    flags,
    names,
    refers,
    within,
)
from runtime.stores.migrating.altering import Additions, relax, strengthen

revision = "orders_0002"
down_revision = "orders_0001"


ADDITIONS: Additions = {
    "orders": [
        *names("account", "client_order_id", "order_id"),
        *flags("is_cancel_wanted", "is_triggered"),
        within("place", 1, 15),
        within("working", 1, 15),
        *amounts("quantity", "cum"),
        *decimals("cost", "fees"),
        *at_least(0, "version", "validation", "attempt", "deadline_ns", "doubt_since_ns"),
        *currencies("currency", is_optional=True),
        Index("ix_orders_account", "account"),
        Index("ix_orders_account_place", "account", "place"),
        Index("ix_orders_instrument", "instrument"),
        Index("ix_orders_strategy_id", "strategy_id"),
    ],
    "order_events": [
        *at_least(1, "sequence"),
        refers(["account", "client_order_id"], "orders"),
        Index("ix_order_events_order", "account", "client_order_id"),
    ],
    "executions": [
        *names("venue", "exec_id"),
        *decimals("quantity", "price", "fee"),
    ],
    "dispatches": [
        *at_least(1, "attempt"),
        *at_least(0, "epoch"),
        refers(["account", "client_order_id"], "orders"),
    ],
    "signal_decisions": [
        *names("signal_id"),
        within("outcome", 1, 5),
        Index("ix_signal_decisions_outcome", "outcome"),
        Index("ix_signal_decisions_strategy_id", "strategy_id"),
    ],
    "feedback_cursors": [
        *at_least(0, "sequence"),
    ],
    "report_cursors": [
        *at_least(0, "sequence"),
    ],
    "alarms": [
        *at_least(1, "sequence"),
    ],
    "protections": [
        *decimals("stop_price"),
        *flags("is_over"),
        refers(["account", "client_order_id"], "orders"),
    ],
    "resolutions": [
        *names("person"),
        refers(["account", "client_order_id"], "orders"),
    ],
    "inbox": [
        *names("consumer", "event_id"),
    ],
    "outbox": [
        *names("stream", "event_id", "type"),
        *at_least(0, "sequence"),
    ],
    "requests": [
        *names("method"),
    ],
    "epochs": [
        *at_least(0, "epoch"),
    ],
}


def upgrade() -> None:
    """Add constraints and indexes; rows that break one must be repaired before."""
    strengthen(ADDITIONS)


def downgrade() -> None:
    """Take them away again."""
    relax(ADDITIONS)
