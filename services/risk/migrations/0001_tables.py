"""The first tables of risk, as they were when stores became real."""

from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, String, UniqueConstraint

from runtime.stores.schema import BYTES, DECIMAL, DIGEST, LONG_TEXT, new_metadata, table

revision = "risk_0001"
down_revision = None

metadata = new_metadata()

table(
    "risk_decisions",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("decision_id", String(64), nullable=False, unique=True),
    Column("account", String(64), nullable=False),
    Column("request_key", String(80), nullable=False),
    Column("is_signal", Boolean, nullable=False),
    Column("subject_id", String(64), nullable=False),
    Column("strategy_id", String(64), nullable=False),
    Column("slot", String(160), nullable=False),
    Column("verdict", Integer, nullable=False),
    Column("decided_ns", BigInteger, nullable=False, index=True),
    Column("digest", DIGEST, nullable=False),
    Column("answer", BYTES, nullable=False),
    Column("facts", BYTES, nullable=False),
    Column("names", String(200), nullable=False),
    UniqueConstraint("account", "request_key"),
    Index("risk_decisions_by_subject", "subject_id"),
)

table(
    "risk_checks",
    metadata,
    Column("decision", BigInteger, primary_key=True, autoincrement=False),
    Column("code", Integer, primary_key=True, autoincrement=False),
    Column("outcome", Integer, nullable=False),
    Column("observed", String(200), nullable=False),
    Column("limit_text", String(200), nullable=False),
)

table(
    "risk_holds",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("client_order_id", String(64), primary_key=True),
    Column("instrument", String(32), nullable=False),
    Column("strategy_id", String(64), nullable=False),
    Column("direction", Integer, nullable=False),
    Column("leaves", DECIMAL, nullable=False),
    Column("opening", DECIMAL, nullable=False),
    Column("filled", DECIMAL, nullable=False),
    Column("replaced_leaves", DECIMAL, nullable=False),
    Column("price", DECIMAL, nullable=False),
    Column("worst", DECIMAL, nullable=False),
    Column("fee_bps", Integer, nullable=False),
    Column("opening_minor", BigInteger, nullable=False),
    Column("hold_minor", BigInteger, nullable=False),
    Column("is_reduce_only", Boolean, nullable=False),
    Column("is_in_doubt", Boolean, nullable=False),
    Column("is_confirmed", Boolean, nullable=False),
    Column("is_over", Boolean, nullable=False),
    Column("approved", Integer, nullable=False),
    Column("since_ns", BigInteger, nullable=False),
    Index("risk_holds_over", "is_over", "since_ns"),
)

table(
    "risk_positions",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("instrument", String(32), primary_key=True),
    Column("quantity", DECIMAL, nullable=False),
    Column("flow_minor", BigInteger, nullable=False),
    Column("entries", LONG_TEXT, nullable=False),
)

table(
    "risk_fills",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("exec_id", String(80), primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("instrument", String(32), nullable=False),
    Column("order_id", String(64), nullable=False),
    Column("quantity", DECIMAL, nullable=False),
    Column("notional_minor", BigInteger, nullable=False),
    Column("fee_minor", BigInteger, nullable=False),
    Column("corrected_by", String(80), nullable=False),
    Column("is_busted", Boolean, nullable=False),
    Column("strategy_id", String(64), nullable=False),
    Column("time_ns", BigInteger, nullable=False),
    Column("is_opening", Boolean, nullable=False),
    Index("risk_fills_of_position", "account", "instrument", "number"),
)

table(
    "risk_reports",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("exec_id", String(80), primary_key=True),
    Column("digest", DIGEST, nullable=False),
)

table(
    "risk_state",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("currency", String(5), nullable=False),
    Column("transfers_minor", BigInteger),
    Column("high_water_minor", BigInteger),
    Column("day", Integer, nullable=False),
    Column("day_equity_minor", BigInteger),
    Column("calendar", String(8), nullable=False),
)

table(
    "risk_breakers",
    metadata,
    Column("scope_kind", Integer, primary_key=True, autoincrement=False),
    Column("scope_id", String(64), primary_key=True),
    Column("code", Integer, primary_key=True, autoincrement=False),
    Column("mode", Integer, primary_key=True, autoincrement=False),
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("is_standing", Boolean, nullable=False),
    Column("since_ns", BigInteger, nullable=False),
    Column("until_ns", BigInteger),
    Column("is_acknowledged", Boolean, nullable=False),
)

table(
    "risk_trades",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("strategy_id", String(64), primary_key=True),
    Column("instrument", String(32), primary_key=True),
    Column("quantity", DECIMAL, nullable=False),
    Column("flow_minor", BigInteger, nullable=False),
)

table(
    "risk_streaks",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("strategy_id", String(64), primary_key=True),
    Column("losses", Integer, nullable=False),
    Column("after_fill", BigInteger, nullable=False),
)

table(
    "risk_events",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("body", BYTES, nullable=False),
)

table(
    "limits",
    metadata,
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("scope_kind", Integer, nullable=False),
    Column("scope_id", String(64), nullable=False),
    Column("body", BYTES, nullable=False),
    Column("set_ns", BigInteger, nullable=False),
)

table(
    "trading_modes",
    metadata,
    Column("scope_kind", Integer, primary_key=True, autoincrement=False),
    Column("scope_id", String(64), primary_key=True),
    Column("mode", Integer, nullable=False),
    Column("asked", Integer, nullable=False),
    Column("reason", String(200), nullable=False),
    Column("since_ns", BigInteger, nullable=False),
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
