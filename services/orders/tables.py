"""The tables that orders owns; nothing else reads or writes them."""

from sqlalchemy import BigInteger, Column, Index, Integer, SmallInteger, String, UniqueConstraint

from runtime.stores import epochs_table, inbox_table, outbox_table, requests_table
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
from runtime.stores.schema import BYTES, COUNTER, DECIMAL, DIGEST, LONG_TEXT, new_metadata, table

metadata = new_metadata()

# Quantities, prices and fees are exact decimal texts; `cost` is in attos squared.
orders = table(
    "orders",
    metadata,
    Column("number", COUNTER, primary_key=True, autoincrement=True),
    Column("account", String(64), nullable=False),
    Column("client_order_id", String(64), nullable=False),
    Column("order_id", String(64), nullable=False, unique=True),
    Column("strategy_id", String(64), nullable=False),
    Column("instrument", String(32), nullable=False),
    Column("spec", BYTES, nullable=False),  # OrderSpec, with all replacements so far.
    Column("digest", DIGEST, nullable=False),  # Of the order as it was submitted.
    Column("decision", BYTES, nullable=False),  # RiskDecision; empty before there is one.
    Column("currency", String(8), nullable=False),  # Of the fees; empty before the first fill.
    Column("pending_request_id", String(64), nullable=False),  # Of a cancel or replace under way.
    Column("deadline_ns", BigInteger, nullable=False),  # Market time; 0: none.
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
    Column("reject", LONG_TEXT),  # JSON: source, codes, text.
    Column("amendment", LONG_TEXT),  # JSON: quantity, limit price, stop price, in attos.
    Column("is_cancel_wanted", SmallInteger, nullable=False),
    Column("is_triggered", SmallInteger, nullable=False),
    Column("doubt_since_ns", BigInteger, nullable=False),
    Column("created_ns", BigInteger, nullable=False),
    Column("updated_ns", BigInteger, nullable=False),
    UniqueConstraint("account", "client_order_id"),
    Index("ix_orders_client_order_id", "client_order_id"),
    Index("ix_orders_place", "place"),
    # Each ends with the number that counts the rows, so a list is read in its order.
    Index("ix_orders_account", "account"),
    Index("ix_orders_account_place", "account", "place"),
    Index("ix_orders_strategy_id", "strategy_id"),
    Index("ix_orders_instrument", "instrument"),
    *names("account", "client_order_id", "order_id"),
    *flags("is_cancel_wanted", "is_triggered"),
    within("place", 1, 15),
    within("working", 1, 15),
    *amounts("quantity", "cum"),
    *decimals("cost", "fees"),
    *at_least(0, "version", "validation", "attempt", "deadline_ns", "doubt_since_ns"),
    *currencies("currency", is_optional=True),
)

order_events = table(
    "order_events",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("account", String(64), nullable=False),
    Column("client_order_id", String(64), nullable=False),
    Column("payload", BYTES, nullable=False),  # OrderEvent.
    *at_least(1, "sequence"),
    refers(["account", "client_order_id"], "orders"),
    Index("ix_order_events_order", "account", "client_order_id"),
)

# The inbox of reports, and what of them was booked.
executions = table(
    "executions",
    metadata,
    Column("venue", String(8), primary_key=True),
    Column("exec_id", String(64), primary_key=True),
    Column("account", String(64), nullable=False),
    Column("client_order_id", String(64), nullable=False),
    Column("exec_ref_id", String(64), nullable=False),  # Of a bust or correction; else empty.
    Column("quantity", DECIMAL, nullable=False),  # As it holds now; "0" when it never traded
    Column("price", DECIMAL, nullable=False),  # or was busted.
    Column("fee", DECIMAL, nullable=False),
    Column("digest", DIGEST, nullable=False),
    Column("payload", BYTES, nullable=False),  # ExecutionReport.
    Index("ix_executions_order", "account", "client_order_id"),
    *names("venue", "exec_id"),
    *decimals("quantity", "price", "fee"),
)

dispatches = table(
    "dispatches",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("client_order_id", String(64), primary_key=True),
    Column("attempt", Integer, primary_key=True),
    Column("epoch", BigInteger, nullable=False),
    Column("started_ns", BigInteger, nullable=False),
    Column("outcome", String(64), nullable=False),  # Empty until the answer is committed.
    *at_least(1, "attempt"),
    *at_least(0, "epoch"),
    refers(["account", "client_order_id"], "orders"),
)

signal_decisions = table(
    "signal_decisions",
    metadata,
    Column("number", COUNTER, primary_key=True, autoincrement=True),
    Column("signal_id", String(64), nullable=False, unique=True),
    Column("sequence", BigInteger, nullable=False),
    Column("strategy_id", String(64), nullable=False),
    Column("outcome", SmallInteger, nullable=False),
    Column("client_order_id", String(64), nullable=False),
    Column("order_id", String(64), nullable=False),
    Column("codes", LONG_TEXT, nullable=False),  # Joined by ",".
    Column("decided_ns", BigInteger, nullable=False),
    Index("ix_signal_decisions_sequence", "sequence"),
    Index("ix_signal_decisions_strategy_id", "strategy_id"),
    Index("ix_signal_decisions_outcome", "outcome"),
    *names("signal_id"),
    within("outcome", 1, 5),
)

feedback_cursors = table(
    "feedback_cursors",
    metadata,
    Column("subscriber", String(64), primary_key=True),
    Column("sequence", BigInteger, nullable=False),
    *at_least(0, "sequence"),
)

report_cursors = table(
    "report_cursors",
    metadata,
    Column("source", String(64), primary_key=True),
    Column("sequence", BigInteger, nullable=False),
    *at_least(0, "sequence"),
)

dead_letters = table(
    "dead_letters",
    metadata,
    Column("number", COUNTER, primary_key=True, autoincrement=True),
    Column("event_id", String(128), nullable=False, unique=True),
    Column("sequence", BigInteger, nullable=False),
    Column("error", LONG_TEXT, nullable=False),
    Column("payload", BYTES, nullable=False),
    Column("buried_ns", BigInteger, nullable=False),
)

# What people should look at: RiskEvents of our own.
alarms = table(
    "alarms",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("payload", BYTES, nullable=False),  # RiskEvent.
    *at_least(1, "sequence"),
)

# Which entry orders have a stop or a target at the venue that may need work.
protections = table(
    "protections",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("client_order_id", String(64), primary_key=True),  # Of the entry.
    Column("stop_price", DECIMAL, nullable=False),  # Where it stands now; empty: none.
    Column("is_over", SmallInteger, nullable=False),
    *decimals("stop_price"),
    *flags("is_over"),
    refers(["account", "client_order_id"], "orders"),
)

# How people knew what became of orders in doubt.
resolutions = table(
    "resolutions",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("client_order_id", String(64), primary_key=True),
    Column("version", BigInteger, primary_key=True),  # Of the order after it.
    Column("person", String(128), nullable=False),
    Column("evidence", LONG_TEXT, nullable=False),
    Column("resolved_ns", BigInteger, nullable=False),
    *names("person"),
    refers(["account", "client_order_id"], "orders"),
)

inbox = inbox_table(metadata)
outbox = outbox_table(metadata)
requests = requests_table(metadata)
epochs = epochs_table(metadata)
