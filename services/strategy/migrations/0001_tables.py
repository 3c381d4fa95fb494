"""The first tables of strategy, as they were when stores became real."""

from alembic import op
from sqlalchemy import BigInteger, Column, Index, SmallInteger, String

from runtime.stores.schema import BYTES, COUNTER, DECIMAL, DIGEST, LONG_TEXT, new_metadata, table

revision = "strategy_0001"
down_revision = None

metadata = new_metadata()

table(
    "strategies",
    metadata,
    Column("number", COUNTER, primary_key=True, autoincrement=True),
    Column("strategy_id", String(64), nullable=False, unique=True),
    Column("state", String(16), nullable=False),
    Column("is_stopping", SmallInteger, nullable=False),
    Column("config_version", BigInteger, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("anchor_ns", BigInteger),
    Column("since_sequence", BigInteger, nullable=False),
    Column("last_error", LONG_TEXT, nullable=False),
    Column("created_ns", BigInteger, nullable=False),
    Column("updated_ns", BigInteger, nullable=False),
)

table(
    "strategy_versions",
    metadata,
    Column("strategy_id", String(64), primary_key=True),
    Column("config_version", BigInteger, primary_key=True),
    Column("config", BYTES, nullable=False),
    Column("instruments", LONG_TEXT, nullable=False),
)

table(
    "strategy_states",
    metadata,
    Column("strategy_id", String(64), primary_key=True),
    Column("instrument", String(32), primary_key=True),
    Column("body", LONG_TEXT, nullable=False),
)

table(
    "strategy_positions",
    metadata,
    Column("strategy_id", String(64), primary_key=True),
    Column("instrument", String(32), primary_key=True),
    Column("body", LONG_TEXT, nullable=False),
)

table(
    "strategy_fills",
    metadata,
    Column("number", COUNTER, primary_key=True, autoincrement=True),
    Column("fill_id", String(80), nullable=False, unique=True),
    Column("strategy_id", String(64), nullable=False),
    Column("instrument", String(32), nullable=False),
    Column("quantity_atto", DECIMAL, nullable=False),
    Column("price_atto", DECIMAL, nullable=False),
    Column("time_ns", BigInteger, nullable=False),
    Column("signal_id", String(64), nullable=False),
    Index("ix_strategy_fills_of", "strategy_id", "instrument", "number"),
)

table(
    "evaluations",
    metadata,
    Column("strategy_id", String(64), primary_key=True),
    Column("instrument", String(32), primary_key=True),
    Column("candle_open_ns", BigInteger, primary_key=True),
    Column("candle_close_ns", BigInteger, nullable=False),
    Column("close_atto", DECIMAL, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("bar_count", BigInteger, nullable=False),
    Column("config_version", BigInteger, nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("is_intrabar_unknown", SmallInteger, nullable=False),
    Column("latency_ns", BigInteger, nullable=False),
)

table(
    "signals",
    metadata,
    Column("number", COUNTER, primary_key=True, autoincrement=True),
    Column("signal_id", String(36), nullable=False, unique=True),
    Column("sequence", BigInteger, unique=True),
    Column("strategy_id", String(64), nullable=False),
    Column("instrument", String(32), nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("payload", BYTES, nullable=False),
    Index("ix_signals_strategy", "strategy_id", "number"),
)

table(
    "cursors",
    metadata,
    Column("stream", String(64), primary_key=True),
    Column("sequence", BigInteger, nullable=False),
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
