"""The tables of the risk service."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, String, UniqueConstraint

from runtime.stores import epochs_table, requests_table
from runtime.stores.constraints import at_least, decimals, flags, names, refers, within
from runtime.stores.schema import BYTES, DECIMAL, DIGEST, LONG_TEXT, new_metadata, table

metadata = new_metadata()

risk_decisions = table(
    "risk_decisions",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("decision_id", String(64), nullable=False, unique=True),
    Column("account", String(64), nullable=False),
    Column("request_key", String(80), nullable=False),  # The signal or the validation.
    Column("is_signal", Boolean, nullable=False),
    Column("subject_id", String(64), nullable=False),
    Column("strategy_id", String(64), nullable=False),
    Column("slot", String(160), nullable=False),  # Of an approved signal: decided once.
    Column("verdict", Integer, nullable=False),
    Column("decided_ns", BigInteger, nullable=False, index=True),
    Column("digest", DIGEST, nullable=False),  # Of what was asked.
    Column("answer", BYTES, nullable=False),  # The response as it was sent.
    Column("facts", BYTES, nullable=False),  # What limits are compared with.
    Column("names", String(200), nullable=False),  # Currency, instrument and trader.
    UniqueConstraint("account", "request_key"),
    Index("risk_decisions_by_subject", "subject_id"),
    Index("risk_decisions_of_account", "account", "sequence"),
    Index("risk_decisions_of_strategy", "strategy_id", "sequence"),
    Index("risk_decisions_by_verdict", "verdict", "sequence"),
    Index("risk_decisions_of_signals", "is_signal", "sequence"),
    *at_least(1, "sequence"),
    *names("decision_id", "account", "request_key"),
    *flags("is_signal"),
    within("verdict", 1, 3),
)

# One row for each check that failed; the full list is inside the answer.
risk_checks = table(
    "risk_checks",
    metadata,
    Column("decision", BigInteger, primary_key=True, autoincrement=False),
    Column("code", Integer, primary_key=True, autoincrement=False),
    Column("outcome", Integer, nullable=False),
    Column("observed", String(200), nullable=False),
    Column("limit_text", String(200), nullable=False),
    within("outcome", 1, 4),
    refers(["decision"], "risk_decisions", ["sequence"]),
)

risk_holds = table(
    "risk_holds",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("client_order_id", String(64), primary_key=True),
    Column("instrument", String(32), nullable=False),
    Column("strategy_id", String(64), nullable=False),
    Column("direction", Integer, nullable=False),
    Column("leaves", DECIMAL, nullable=False),  # Decimals, here and below.
    Column("opening", DECIMAL, nullable=False),
    Column("filled", DECIMAL, nullable=False),
    Column("replaced_leaves", DECIMAL, nullable=False),  # Empty unless being replaced.
    Column("price", DECIMAL, nullable=False),
    Column("worst", DECIMAL, nullable=False),
    Column("fee_bps", Integer, nullable=False),
    Column("opening_minor", BigInteger, nullable=False),
    Column("hold_minor", BigInteger, nullable=False),
    Column("is_reduce_only", Boolean, nullable=False),
    Column("is_in_doubt", Boolean, nullable=False),
    Column("is_confirmed", Boolean, nullable=False),
    Column("is_over", Boolean, nullable=False),
    Column("approved", Integer, nullable=False),  # Its place among all approvals.
    Column("since_ns", BigInteger, nullable=False),  # When it was approved, or was over.
    Index("risk_holds_over", "is_over", "since_ns"),
    Index("risk_holds_by_approval", "approved"),
    *names("account", "client_order_id"),
    within("direction", -1, 1),
    *decimals("leaves", "opening", "filled", "price", "worst"),
    *decimals("replaced_leaves", is_optional=True),
    *flags("is_reduce_only", "is_in_doubt", "is_confirmed", "is_over"),
)

risk_positions = table(
    "risk_positions",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("instrument", String(32), primary_key=True),
    Column("quantity", DECIMAL, nullable=False),
    Column("flow_minor", BigInteger, nullable=False),
    Column("entries", LONG_TEXT, nullable=False),  # A JSON list of order ids.
    *names("account", "instrument"),
    *decimals("quantity"),
)

risk_fills = table(
    "risk_fills",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("exec_id", String(80), primary_key=True),
    Column("number", BigInteger, nullable=False),  # The order of the fills.
    Column("instrument", String(32), nullable=False),
    Column("order_id", String(64), nullable=False),
    Column("quantity", DECIMAL, nullable=False),
    Column("notional_minor", BigInteger, nullable=False),
    Column("fee_minor", BigInteger, nullable=False),
    Column("corrected_by", String(80), nullable=False),
    Column("is_busted", Boolean, nullable=False),
    Column("strategy_id", String(64), nullable=False),
    Column("time_ns", BigInteger, nullable=False),  # When it was reported.
    Column("is_opening", Boolean, nullable=False),
    Index("risk_fills_of_position", "account", "instrument", "number"),
    Index("risk_fills_in_order", "number"),
    Index("risk_fills_opening", "is_opening", "time_ns"),
    *names("account", "exec_id"),
    *decimals("quantity"),
    *flags("is_busted", "is_opening"),
)

# Reports that took effect, busts and corrections included.
risk_reports = table(
    "risk_reports",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("exec_id", String(80), primary_key=True),
    Column("digest", DIGEST, nullable=False),
)

risk_state = table(
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

# Of each limit that stops trading or warns: since when its breaker stands, and until when.
risk_breakers = table(
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
    within("scope_kind", 1, 4),
    *flags("is_standing", "is_acknowledged"),
)

# What each strategy has open, and what that brought in since it was flat.
risk_trades = table(
    "risk_trades",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("strategy_id", String(64), primary_key=True),
    Column("instrument", String(32), primary_key=True),
    Column("quantity", DECIMAL, nullable=False),
    Column("flow_minor", BigInteger, nullable=False),
    *decimals("quantity"),
)

risk_streaks = table(
    "risk_streaks",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("strategy_id", String(64), primary_key=True),
    Column("losses", Integer, nullable=False),
    Column("after_fill", BigInteger, nullable=False),
    *at_least(0, "losses"),
)

risk_events = table(
    "risk_events",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("body", BYTES, nullable=False),
    *at_least(1, "sequence"),
)

limits = table(
    "limits",
    metadata,
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("scope_kind", Integer, nullable=False),
    Column("scope_id", String(64), nullable=False),
    Column("body", BYTES, nullable=False),
    Column("set_ns", BigInteger, nullable=False),
    *at_least(1, "version"),
    within("scope_kind", 1, 4),
)

trading_modes = table(
    "trading_modes",
    metadata,
    Column("scope_kind", Integer, primary_key=True, autoincrement=False),
    Column("scope_id", String(64), primary_key=True),
    Column("mode", Integer, nullable=False),  # What holds: the stricter of the two below.
    Column("asked", Integer, nullable=False),  # What somebody set; breakers have their own table.
    Column("reason", String(200), nullable=False),
    Column("since_ns", BigInteger, nullable=False),
    within("scope_kind", 1, 4),
    within("mode", 1, 4),
)

marks = table(
    "marks",
    metadata,
    Column("instrument", String(32), primary_key=True),
    Column("price", DECIMAL, nullable=False),
    Column("time_ns", BigInteger, nullable=False),
    Column("stale_after_ns", BigInteger, nullable=False),
    *decimals("price"),
)

inbox = table(
    "inbox",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("digest", DIGEST, nullable=False),
    *at_least(1, "sequence"),
)

cursors = table(
    "cursors",
    metadata,
    Column("stream", String(64), primary_key=True),
    Column("sequence", BigInteger, nullable=False),
    *at_least(0, "sequence"),
)

requests = requests_table(metadata)
epochs = epochs_table(metadata)  # Of the one process that writes.
