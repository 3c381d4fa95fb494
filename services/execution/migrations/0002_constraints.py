"""What the tables of execution refuse to hold, and what they are looked up by."""

from sqlalchemy import Index

from runtime.stores.constraints import amounts, at_least, flags, names, one_of, refers
from runtime.stores.migrating.altering import Additions, relax, strengthen

revision = "execution_0002"
down_revision = "execution_0001"

STATUSES = (
    "PENDING_NEW",
    "IN_DOUBT",
    "NEW",
    "PARTIALLY_FILLED",
    "FILLED",
    "CANCELED",
    "REJECTED",
    "EXPIRED",
    "SUSPENDED",
    "REFUSED",
    "NOT_ACCEPTED",
)
PLAN_STATUSES = ("WORKING", "FILLED", "CANCELED")
MEETINGS = ("", "PASSIVE", "CROSS", "COMPLETE", "SHOW")
PHASES = ("PENDING", "RESTING", "DONE")

ADDITIONS: Additions = {
    "executions_parents": [
        *names("account", "client_order_id", "execution_id"),
        *flags("is_cancel_wanted"),
    ],
    "children": [
        *names("child_order_id"),
        one_of("status", STATUSES),
        *amounts("quantity", "filled", "leaves"),
        *at_least(0, "attempts", "number", "slice", "target_lots", "market_lots"),
        one_of("meeting", MEETINGS),
        refers(["account", "client_order_id"], "executions_parents"),
    ],
    "plans": [
        one_of("status", PLAN_STATUSES),
        *flags("is_cancel_wanted", "is_paused"),
        *at_least(0, "filled", "children_made", "reports_made", "completions"),
        refers(["account", "client_order_id"], "executions_parents"),
    ],
    "schedules": [
        *at_least(0, "target_lots", "sent_ns"),
        one_of("phase", PHASES),
        refers(["account", "client_order_id"], "plans"),
    ],
    "report_cursors": [
        *at_least(0, "venue_sequence"),
    ],
    "dispatches": [
        *at_least(1, "attempt"),
        *at_least(0, "epoch"),
        refers(["account", "child_order_id"], "children"),
    ],
    "replacements": [
        *names("request_id"),
        refers(["account", "client_order_id"], "executions_parents"),
        Index("ix_replacements_parent", "account", "client_order_id"),
    ],
    "inbox": [
        *names("venue", "exec_id"),
        *at_least(1, "batch"),
        *at_least(0, "place"),
    ],
    "venue_sessions": [
        *names("venue"),
        *at_least(0, "report_sequence"),
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
