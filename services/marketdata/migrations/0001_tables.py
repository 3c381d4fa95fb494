"""The first tables of marketdata, as they were when stores became real."""

from alembic import op
from sqlalchemy import BigInteger, Column, Index, Integer, SmallInteger, String, UniqueConstraint

from runtime.stores.schema import BYTES, DIGEST, LONG_TEXT, new_metadata, table

revision = "marketdata_0001"
down_revision = None

NAME = String(32)
DATASET = String(128)

metadata = new_metadata()

table(
    "candles",
    metadata,
    Column("instrument", NAME, primary_key=True),
    Column("timeframe", SmallInteger, primary_key=True),
    Column("open_ns", BigInteger, primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("sequence", BigInteger, nullable=False, unique=True),
    Column("is_backfill", SmallInteger, nullable=False),
    Column("body", BYTES, nullable=False),
)

table(
    "notices",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("body", BYTES, nullable=False),
)

table(
    "series",
    metadata,
    Column("instrument", NAME, primary_key=True),
    Column("timeframe", SmallInteger, primary_key=True),
    Column("last_open_ns", BigInteger, nullable=False),
)

table(
    "heads",
    metadata,
    Column("stream", String(32), primary_key=True),
    Column("sequence", BigInteger, nullable=False),
)

table(
    "instruments",
    metadata,
    Column("instrument", NAME, primary_key=True),
    Column("is_derived", SmallInteger, nullable=False),
    Column("body", BYTES, nullable=False),
)

table(
    "datasets",
    metadata,
    Column("dataset", DATASET, primary_key=True),
    Column("instrument", NAME, primary_key=True),
    Column("timeframe", SmallInteger, primary_key=True),
    Column("provider", DATASET, nullable=False),
    Column("adjustment", SmallInteger, nullable=False),
    Column("first_open_ns", BigInteger, nullable=False),
    Column("last_close_ns", BigInteger, nullable=False),
    Column("row_count", BigInteger, nullable=False),
    Column("gap_count", BigInteger, nullable=False),
    Column("layout", LONG_TEXT, nullable=False),
)

table(
    "dataset_blocks",
    metadata,
    Column("dataset", DATASET, primary_key=True),
    Column("instrument", NAME, primary_key=True),
    Column("timeframe", SmallInteger, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("payload", BYTES, nullable=False),
)

table(
    "imports",
    metadata,
    Column("request_id", String(64), primary_key=True),
    Column("dataset", DATASET, nullable=False),
    Column("instrument", NAME, nullable=False),
    Column("timeframe", SmallInteger, nullable=False),
    Column("accepted", BigInteger, nullable=False),
    Column("stored_ns", BigInteger, nullable=False),
)

table(
    "replays",
    metadata,
    Column("replay_id", String(64), primary_key=True),
    Column("request", BYTES, nullable=False),
    Column("state", SmallInteger, nullable=False),
    Column("position_ns", BigInteger),
    Column("published", BigInteger, nullable=False),
    Column("total", BigInteger, nullable=False),
    Column("failure", LONG_TEXT, nullable=False),
)

table(
    "ticks",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("instrument", NAME, nullable=False),
    Column("sequence_first", BigInteger, nullable=False),
    Column("kind", SmallInteger, nullable=False),
    Column("first_ns", BigInteger, nullable=False),
    Column("last_ns", BigInteger, nullable=False),
    Column("stored_ns", BigInteger, nullable=False),
    Column("body", BYTES, nullable=False),
    UniqueConstraint("instrument", "sequence_first"),
    Index("ticks_by_time", "instrument", "last_ns"),
)

table(
    "tick_lines",
    metadata,
    Column("instrument", NAME, primary_key=True),
    Column("sequence_next", BigInteger, nullable=False),
    Column("session_ns", BigInteger, nullable=False),
    Column("price_exponent", SmallInteger, nullable=False),
    Column("quantity_exponent", SmallInteger, nullable=False),
    Column("source", BYTES, nullable=False),
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
