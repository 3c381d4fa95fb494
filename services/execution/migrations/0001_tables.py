"""The first tables of execution, as they were when stores became real."""

from alembic import op
from sqlalchemy import BigInteger, Column, Index, Integer, String

from runtime.stores.schema import BYTES, DIGEST, LONG_TEXT, new_metadata, table

revision = "execution_0001"
down_revision = None

metadata = new_metadata()
QUANTITY = String(40)

table(
    "executions_parents",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("client_order_id", String(64), primary_key=True),
    Column("execution_id", String(36), nullable=False, unique=True),
    Column("spec", BYTES, nullable=False),
    Column("digest", DIGEST, nullable=False),
    Column("decision_id", String(64), nullable=False),
    Column("is_cancel_wanted", Integer, nullable=False),
    Column("created_ns", BigInteger, nullable=False),
)

table(
    "children",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("child_order_id", String(64), primary_key=True),
    Column("client_order_id", String(64), nullable=False),
    Column("venue", String(4), nullable=False),
    Column("quantity", QUANTITY, nullable=False),
    Column("status", String(20), nullable=False),
    Column("filled", QUANTITY, nullable=False),
    Column("leaves", QUANTITY, nullable=False),
    Column("venue_order_id", String(64), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("sent_ns", BigInteger, nullable=False),
    Column("absent_since_ns", BigInteger, nullable=False),
    Column("venue_sequence", BigInteger, nullable=False),
    Column("refusal", String(64), nullable=False),
    Column("number", Integer, nullable=False),
    Column("slice", Integer, nullable=False),
    Column("meeting", String(10), nullable=False),
    Column("price_ticks", BigInteger, nullable=False),
    Column("target_lots", BigInteger, nullable=False),
    Column("market_lots", BigInteger, nullable=False),
    Index("ix_children_parent", "account", "client_order_id"),
    Index("ix_children_status", "status"),
)

table(
    "plans",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("client_order_id", String(64), primary_key=True),
    Column("terms", LONG_TEXT, nullable=False),
    Column("facts", LONG_TEXT, nullable=False),
    Column("status", String(20), nullable=False),
    Column("is_cancel_wanted", Integer, nullable=False),
    Column("is_paused", Integer, nullable=False),
    Column("filled", BigInteger, nullable=False),
    Column("children_made", Integer, nullable=False),
    Column("reports_made", Integer, nullable=False),
    Column("completions", Integer, nullable=False),
    Column("not_before_ns", BigInteger, nullable=False),
    Column("note", String(40), nullable=False),
    Column("trades_until", BigInteger, nullable=False),
    Index("ix_plans_status", "status"),
)

table(
    "schedules",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("client_order_id", String(64), primary_key=True),
    Column("slice", Integer, primary_key=True),
    Column("due_ns", BigInteger, nullable=False),
    Column("target_lots", BigInteger, nullable=False),
    Column("phase", String(10), nullable=False),
    Column("outcome", String(20), nullable=False),
    Column("sent_ns", BigInteger, nullable=False),
    Index("ix_schedules_due", "account", "client_order_id", "due_ns"),
)

table(
    "report_cursors",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("venue_sequence", BigInteger, nullable=False),
)

table(
    "dispatches",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("child_order_id", String(64), primary_key=True),
    Column("attempt", Integer, primary_key=True),
    Column("epoch", BigInteger, nullable=False),
    Column("decision_id", String(64), nullable=False),
    Column("started_ns", BigInteger, nullable=False),
    Column("closed_ns", BigInteger),
    Column("outcome", String(20)),
)

table(
    "replacements",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("request_id", String(64), primary_key=True),
    Column("client_order_id", String(64), nullable=False),
    Column("quantity", String(40), nullable=False),
    Column("limit_price", String(40), nullable=False),
    Column("sent_ns", BigInteger, nullable=False),
)

table(
    "inbox",
    metadata,
    Column("venue", String(4), primary_key=True),
    Column("exec_id", String(64), primary_key=True),
    Column("batch", BigInteger, nullable=False),
    Column("place", Integer, nullable=False),
    Column("account", String(64), nullable=False),
    Column("child_order_id", String(64), nullable=False),
    Column("digest", DIGEST, nullable=False),
    Column("report", BYTES, nullable=False),
    Index("ix_inbox_batch", "batch", "place"),
    Index("ix_inbox_child", "account", "child_order_id"),
)

table(
    "anomalies",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("venue", String(4), nullable=False),
    Column("exec_id", String(64), nullable=False),
    Column("report", BYTES, nullable=False),
    Column("seen_ns", BigInteger, nullable=False),
)

table(
    "venue_sessions",
    metadata,
    Column("venue", String(4), primary_key=True),
    Column("session_id", String(64), nullable=False),
    Column("report_sequence", BigInteger, nullable=False),
)

table(
    "epochs",
    metadata,
    Column("shard", String(64), primary_key=True),
    Column("epoch", BigInteger, nullable=False),
)
table(
    "requests",
    metadata,
    Column("method", String(64), primary_key=True),
    Column("key", String(128), primary_key=True),
    Column("digest", DIGEST, nullable=False),
    Column("answer_type", String(128), nullable=False),
    Column("answer", BYTES, nullable=False),
    Column("stored_ns", BigInteger, nullable=False, index=True),
)


def upgrade() -> None:
    """Create the tables."""
    metadata.create_all(op.get_bind(), checkfirst=False)


def downgrade() -> None:
    """Remove the tables, with everything in them."""
    metadata.drop_all(op.get_bind(), checkfirst=False)
