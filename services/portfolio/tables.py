"""The tables of the portfolio service."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    Integer,
    String,
    UniqueConstraint,
)

from runtime.stores import epochs_table, requests_table
from runtime.stores.constraints import at_least, currencies, decimals, flags, names, refers, within
from runtime.stores.schema import BYTES, DECIMAL, DIGEST, LONG_TEXT, new_metadata, table

metadata = new_metadata()

accounts = table(
    "accounts",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("currency", String(5), nullable=False),  # What it settles in.
    Column("first_ns", BigInteger, nullable=False),
    Column("sequence", BigInteger, nullable=False),  # Its last journal.
    *names("account"),
    *currencies("currency"),
    *at_least(0, "sequence"),
)

journals = table(
    "journals",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("account", String(64), nullable=False),
    Column("kind", Integer, nullable=False),
    Column("source", String(128), nullable=False),
    Column("corrects", String(128), nullable=False),
    Column("strategy_id", String(64), nullable=False),  # Whose order traded; else empty.
    Column("digest", DIGEST, nullable=False),
    Column("occurred_ns", BigInteger, nullable=False),
    UniqueConstraint("account", "source"),
    Index("journals_of_account", "account", "sequence"),
    *at_least(1, "sequence"),
    within("kind", 1, 4),
    *names("source"),
    refers(["account"], "accounts"),
)

entries = table(
    "entries",
    metadata,
    Column("journal", BigInteger, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("ledger_account", String(64), nullable=False),
    Column("currency", String(5), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),  # A debit is positive.
    *names("ledger_account"),
    *currencies("currency"),
    refers(["journal"], "journals", ["sequence"]),
)

balances = table(
    "balances",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("ledger_account", String(64), primary_key=True),
    Column("currency", String(5), primary_key=True),
    Column("amount_minor", BigInteger, nullable=False),
    *currencies("currency"),
    refers(["account"], "accounts"),
)

positions = table(
    "positions",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("instrument", String(32), primary_key=True),
    Column("currency", String(5), nullable=False),
    Column("quantity", DECIMAL, nullable=False),  # A decimal.
    Column("cost_minor", BigInteger, nullable=False),
    Column("realised_minor", BigInteger, nullable=False),
    Column("fees_minor", BigInteger, nullable=False),
    Column("entries", LONG_TEXT, nullable=False),  # A JSON list of order ids.
    *names("instrument"),
    *currencies("currency"),
    *decimals("quantity"),
    refers(["account"], "accounts"),
)

fills = table(
    "fills",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("exec_id", String(80), primary_key=True),
    Column("journal", BigInteger, nullable=False),  # That booked it: the order of the fills.
    Column("instrument", String(32), nullable=False),
    Column("order_id", String(64), nullable=False),
    Column("currency", String(5), nullable=False),
    Column("quantity", DECIMAL, nullable=False),  # A decimal, below zero when sold.
    Column("price", DECIMAL, nullable=False),
    Column("notional_minor", BigInteger, nullable=False),
    Column("fee_minor", BigInteger, nullable=False),
    Column("corrected_by", String(80), nullable=False),
    Column("is_busted", Boolean, nullable=False),
    Index("fills_of_position", "account", "instrument", "journal"),
    *names("exec_id"),
    *decimals("quantity", "price"),
    *at_least(0, "notional_minor"),
    *flags("is_busted"),
    refers(["journal"], "journals", ["sequence"]),
    Index("ix_fills_journal", "journal"),
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

equity_points = table(
    "equity_points",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("second", BigInteger, primary_key=True, autoincrement=False),
    Column("equity_low_minor", BigInteger, nullable=False),
    Column("equity_high_minor", BigInteger, nullable=False),
    Column("time_ns", BigInteger, nullable=False),
    Column("snapshot", BYTES, nullable=False),  # The account's money at the last instant.
    refers(["account"], "accounts"),
    CheckConstraint("equity_low_minor <= equity_high_minor", name="extremes"),
)

anomalies = table(
    "anomalies",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("account", String(64), nullable=False),
    Column("subject", String(128), nullable=False),
    Column("code", String(64), nullable=False),
    Column("text", String(1000), nullable=False),
    Column("noted_ns", BigInteger, nullable=False),
)

# Accounts whose cash is below zero, and whether risk knows.
shortfalls = table(
    "shortfalls",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("journal", BigInteger, nullable=False),  # That brought it below.
    Column("is_below", Boolean, nullable=False),
    Column("is_told", Boolean, nullable=False),
    *flags("is_below", "is_told"),
    refers(["account"], "accounts"),
)

# Where positions differ from a venue's, as far as anybody compared.
breaks = table(
    "breaks",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("instrument", String(32), primary_key=True),
    Column("is_open", Boolean, nullable=False),
    Column("since_ns", BigInteger, nullable=False),
    *flags("is_open"),
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
