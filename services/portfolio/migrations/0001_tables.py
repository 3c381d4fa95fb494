"""The first tables of portfolio, as they were when stores became real."""

from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, String, UniqueConstraint

from runtime.stores.schema import BYTES, DECIMAL, DIGEST, LONG_TEXT, new_metadata, table

revision = "portfolio_0001"
down_revision = None

metadata = new_metadata()

table(
    "accounts",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("currency", String(5), nullable=False),
    Column("first_ns", BigInteger, nullable=False),
    Column("sequence", BigInteger, nullable=False),
)

table(
    "journals",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("account", String(64), nullable=False),
    Column("kind", Integer, nullable=False),
    Column("source", String(128), nullable=False),
    Column("corrects", String(128), nullable=False),
    Column("strategy_id", String(64), nullable=False),
    Column("digest", DIGEST, nullable=False),
    Column("occurred_ns", BigInteger, nullable=False),
    UniqueConstraint("account", "source"),
    Index("journals_of_account", "account", "sequence"),
)

table(
    "entries",
    metadata,
    Column("journal", BigInteger, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("ledger_account", String(64), nullable=False),
    Column("currency", String(5), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
)

table(
    "balances",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("ledger_account", String(64), primary_key=True),
    Column("currency", String(5), primary_key=True),
    Column("amount_minor", BigInteger, nullable=False),
)

table(
    "positions",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("instrument", String(32), primary_key=True),
    Column("currency", String(5), nullable=False),
    Column("quantity", DECIMAL, nullable=False),
    Column("cost_minor", BigInteger, nullable=False),
    Column("realised_minor", BigInteger, nullable=False),
    Column("fees_minor", BigInteger, nullable=False),
    Column("entries", LONG_TEXT, nullable=False),
)

table(
    "fills",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("exec_id", String(80), primary_key=True),
    Column("journal", BigInteger, nullable=False),
    Column("instrument", String(32), nullable=False),
    Column("order_id", String(64), nullable=False),
    Column("currency", String(5), nullable=False),
    Column("quantity", DECIMAL, nullable=False),
    Column("price", DECIMAL, nullable=False),
    Column("notional_minor", BigInteger, nullable=False),
    Column("fee_minor", BigInteger, nullable=False),
    Column("corrected_by", String(80), nullable=False),
    Column("is_busted", Boolean, nullable=False),
    Index("fills_of_position", "account", "instrument", "journal"),
)

table(
    "marks",
    metadata,
    Column("instrument", String(32), primary_key=True),
    Column("price", DECIMAL, nullable=False),
    Column("time_ns", BigInteger, nullable=False),
    Column("stale_after_ns", BigInteger, nullable=False),
)

table(
    "equity_points",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("second", BigInteger, primary_key=True, autoincrement=False),
    Column("equity_low_minor", BigInteger, nullable=False),
    Column("equity_high_minor", BigInteger, nullable=False),
    Column("time_ns", BigInteger, nullable=False),
    Column("snapshot", BYTES, nullable=False),
)

table(
    "anomalies",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("account", String(64), nullable=False),
    Column("subject", String(128), nullable=False),
    Column("code", String(64), nullable=False),
    Column("text", String(1000), nullable=False),
    Column("noted_ns", BigInteger, nullable=False),
)

table(
    "shortfalls",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("journal", BigInteger, nullable=False),
    Column("is_below", Boolean, nullable=False),
    Column("is_told", Boolean, nullable=False),
)

table(
    "breaks",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("instrument", String(32), primary_key=True),
    Column("is_open", Boolean, nullable=False),
    Column("since_ns", BigInteger, nullable=False),
)

table(
    "inbox",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("digest", DIGEST, nullable=False),
)

table(
    "cursors",
    metadata,
    Column("stream", String(64), primary_key=True),
    Column("sequence", BigInteger, nullable=False),
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
