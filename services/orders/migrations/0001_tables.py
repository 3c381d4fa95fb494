"""The first tables of orders, as they were when stores became real."""

from alembic import op
from sqlalchemy import BigInteger, Column, Index, Integer, SmallInteger, String, UniqueConstraint

from runtime.stores.schema import BYTES, COUNTER, DECIMAL, DIGEST, LONG_TEXT, new_metadata, table

revision = "orders_0001"
down_revision = None

metadata = new_metadata()

table(
    "orders",
    metadata,
    Column("number", COUNTER, primary_key=True, autoincrement=True),
    Column("account", String(64), nullable=False),
    Column("client_order_id", String(64), nullable=False),
    Column("order_id", String(64), nullable=False, unique=True),
    Column("strategy_id", String(64), nullable=False),
    Column("instrument", String(32), nullable=False),
    Column("spec", BYTES, nullable=False),
    Column("digest", DIGEST, nullable=False),
    Column("decision", BYTES, nullable=False),
    Column("currency", String(8), nullable=False),
    Column("pending_request_id", String(64), nullable=False),
    Column("deadline_ns", BigInteger, nullable=False),
    Column("place", SmallInteger, nullable=False),
    Column("working", SmallInteger, nullable=False),
    Column("quantity", DECIMAL, nullable=False),
    Column("cum", DECIMAL, nullable=False),
    Column("cost", String(96), nullable=False),
    Column("fees", DECIMAL, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("validation", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("decision_id", String(64), nullable=False),
    Column("venue_order_id", String(64), nullable=False),
    Column("reject", LONG_TEXT),
    Column("amendment", LONG_TEXT),
    Column("is_cancel_wanted", SmallInteger, nullable=False),
    Column("is_triggered", SmallInteger, nullable=False),
    Column("doubt_since_ns", BigInteger, nullable=False),
    Column("created_ns", BigInteger, nullable=False),
    Column("updated_ns", BigInteger, nullable=False),
    UniqueConstraint("account", "client_order_id"),
    Index("ix_orders_client_order_id", "client_order_id"),
    Index("ix_orders_place", "place"),
)

table(
    "order_events",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("account", String(64), nullable=False),
    Column("client_order_id", String(64), nullable=False),
    Column("payload", BYTES, nullable=False),
)

table(
    "executions",
    metadata,
    Column("venue", String(8), primary_key=True),
    Column("exec_id", String(64), primary_key=True),
    Column("account", String(64), nullable=False),
    Column("client_order_id", String(64), nullable=False),
    Column("exec_ref_id", String(64), nullable=False),
    Column("quantity", DECIMAL, nullable=False),
    Column("price", DECIMAL, nullable=False),
    Column("fee", DECIMAL, nullable=False),
    Column("digest", DIGEST, nullable=False),
    Column("payload", BYTES, nullable=False),
    Index("ix_executions_order", "account", "client_order_id"),
)

table(
    "dispatches",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("client_order_id", String(64), primary_key=True),
    Column("attempt", Integer, primary_key=True),
    Column("epoch", BigInteger, nullable=False),
    Column("started_ns", BigInteger, nullable=False),
    Column("outcome", String(64), nullable=False),
)

table(
    "signal_decisions",
    metadata,
    Column("number", COUNTER, primary_key=True, autoincrement=True),
    Column("signal_id", String(64), nullable=False, unique=True),
    Column("sequence", BigInteger, nullable=False),
    Column("strategy_id", String(64), nullable=False),
    Column("outcome", SmallInteger, nullable=False),
    Column("client_order_id", String(64), nullable=False),
    Column("order_id", String(64), nullable=False),
    Column("codes", LONG_TEXT, nullable=False),
    Column("decided_ns", BigInteger, nullable=False),
    Index("ix_signal_decisions_sequence", "sequence"),
)

table(
    "feedback_cursors",
    metadata,
    Column("subscriber", String(64), primary_key=True),
    Column("sequence", BigInteger, nullable=False),
)

table(
    "report_cursors",
    metadata,
    Column("source", String(64), primary_key=True),
    Column("sequence", BigInteger, nullable=False),
)

table(
    "dead_letters",
    metadata,
    Column("number", COUNTER, primary_key=True, autoincrement=True),
    Column("event_id", String(128), nullable=False, unique=True),
    Column("sequence", BigInteger, nullable=False),
    Column("error", LONG_TEXT, nullable=False),
    Column("payload", BYTES, nullable=False),
    Column("buried_ns", BigInteger, nullable=False),
)

table(
    "alarms",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("payload", BYTES, nullable=False),
)

table(
    "protections",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("client_order_id", String(64), primary_key=True),
    Column("stop_price", DECIMAL, nullable=False),
    Column("is_over", SmallInteger, nullable=False),
)

table(
    "resolutions",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("client_order_id", String(64), primary_key=True),
    Column("version", BigInteger, primary_key=True),
    Column("person", String(128), nullable=False),
    Column("evidence", LONG_TEXT, nullable=False),
    Column("resolved_ns", BigInteger, nullable=False),
)

table(
    "inbox",
    metadata,
    Column("consumer", String(64), primary_key=True),
    Column("event_id", String(128), primary_key=True),
)
table(
    "outbox",
    metadata,
    Column("id", COUNTER, primary_key=True, autoincrement=True),
    Column("stream", String(64), nullable=False),
    Column("event_id", String(128), nullable=False),
    Column("type", String(128), nullable=False),
    Column("key", String(200), nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("payload", BYTES, nullable=False),
    Column("traceparent", String(64), nullable=False),
    Column("published_ns", BigInteger),
    Index("ix_outbox_unpublished", "published_ns", "id"),
    Index("ix_outbox_sequence", "stream", "sequence"),
    sqlite_autoincrement=True,
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
table(
    "epochs",
    metadata,
    Column("shard", String(64), primary_key=True),
    Column("epoch", BigInteger, nullable=False),
)


def upgrade() -> None:
    """Create the tables."""
    metadata.create_all(op.get_bind(), checkfirst=False)


def downgrade() -> None:
    """Remove the tables, with everything in them."""
    metadata.drop_all(op.get_bind(), checkfirst=False)
