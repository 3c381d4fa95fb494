"""The tables that execution owns."""

from sqlalchemy import BigInteger, Column, Index, Integer, String

from runtime.stores import epochs_table, requests_table
from runtime.stores.constraints import amounts, at_least, flags, names, one_of, refers
from runtime.stores.schema import BYTES, DIGEST, LONG_TEXT, new_metadata, table

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

metadata = new_metadata()
QUANTITY = String(40)  # Attos as text: they outgrow 64 bits.

parents = table(
    "executions_parents",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("client_order_id", String(64), primary_key=True),
    Column("execution_id", String(36), nullable=False, unique=True),
    Column("spec", BYTES, nullable=False),  # OrderSpec.
    Column("digest", DIGEST, nullable=False),
    Column("decision_id", String(64), nullable=False),  # The last one that was used.
    Column("is_cancel_wanted", Integer, nullable=False),
    Column("created_ns", BigInteger, nullable=False),
    *names("account", "client_order_id", "execution_id"),
    *flags("is_cancel_wanted"),
)

children = table(
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
    # Of the children of an algorithm; else zero and empty. Lots and ticks.
    Column("number", Integer, nullable=False),  # From 1, in the order of sending.
    Column("slice", Integer, nullable=False),
    Column("meeting", String(10), nullable=False),  # PASSIVE, CROSS, COMPLETE or SHOW.
    Column("price_ticks", BigInteger, nullable=False),
    Column("target_lots", BigInteger, nullable=False),  # Most that may be filled and open.
    Column("market_lots", BigInteger, nullable=False),  # POV: the market's volume at the send.
    Index("ix_children_parent", "account", "client_order_id"),
    Index("ix_children_status", "status"),
    *names("child_order_id"),
    one_of("status", STATUSES),
    *amounts("quantity", "filled", "leaves"),
    *at_least(0, "attempts", "number", "slice", "target_lots", "market_lots"),
    one_of("meeting", MEETINGS),
    refers(["account", "client_order_id"], "executions_parents"),
)

# How the parents that are not DIRECT are worked, in lots and ticks.
plans = table(
    "plans",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("client_order_id", String(64), primary_key=True),
    Column("terms", LONG_TEXT, nullable=False),  # JSON of `algorithms.terms.Terms`, as in force.
    Column("facts", LONG_TEXT, nullable=False),  # JSON of `plans.PlanFacts`: what never changes.
    Column("status", String(20), nullable=False),
    Column("is_cancel_wanted", Integer, nullable=False),
    Column("is_paused", Integer, nullable=False),
    Column("filled", BigInteger, nullable=False),
    Column("children_made", Integer, nullable=False),
    Column("reports_made", Integer, nullable=False),
    Column("completions", Integer, nullable=False),
    Column("not_before_ns", BigInteger, nullable=False),
    Column("note", String(40), nullable=False),  # Why the last slice sent nothing.
    Column("trades_until", BigInteger, nullable=False),  # The market's last trade, at the end.
    Index("ix_plans_status", "status"),
    one_of("status", PLAN_STATUSES),
    *flags("is_cancel_wanted", "is_paused"),
    *at_least(0, "filled", "children_made", "reports_made", "completions"),
    refers(["account", "client_order_id"], "executions_parents"),
)

# The slices of a plan: when each is due, and how much is to be sent by then.
schedules = table(
    "schedules",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("client_order_id", String(64), primary_key=True),
    Column("slice", Integer, primary_key=True),
    Column("due_ns", BigInteger, nullable=False),
    Column("target_lots", BigInteger, nullable=False),
    Column("phase", String(10), nullable=False),
    Column("outcome", String(20), nullable=False),  # Empty while pending.
    Column("sent_ns", BigInteger, nullable=False),  # 0: nothing was sent.
    Index("ix_schedules_due", "account", "client_order_id", "due_ns"),
    *at_least(0, "target_lots", "sent_ns"),
    one_of("phase", PHASES),
    refers(["account", "client_order_id"], "plans"),
)

# How far each account's reports are applied without a gap (X8).
report_cursors = table(
    "report_cursors",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("venue_sequence", BigInteger, nullable=False),
    *at_least(0, "venue_sequence"),
)

# Committed before each send (X3); open until its outcome is known.
dispatches = table(
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
    *at_least(1, "attempt"),
    *at_least(0, "epoch"),
    refers(["account", "child_order_id"], "children"),
)

# Other quantities and limits that were asked for, committed before the venue is (X14).
replacements = table(
    "replacements",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("request_id", String(64), primary_key=True),
    Column("client_order_id", String(64), nullable=False),
    Column("quantity", String(40), nullable=False),  # Empty: unchanged.
    Column("limit_price", String(40), nullable=False),  # Empty: unchanged.
    Column("sent_ns", BigInteger, nullable=False),
    *names("request_id"),
    refers(["account", "client_order_id"], "executions_parents"),
    Index("ix_replacements_parent", "account", "client_order_id"),
)

# Every report of a venue, once (X7), and where it stands on the stream to orders.
inbox = table(
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
    *names("venue", "exec_id"),
    *at_least(1, "batch"),
    *at_least(0, "place"),
)

# Reports that say something else under a name that is taken: kept, never applied.
anomalies = table(
    "anomalies",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("venue", String(4), nullable=False),
    Column("exec_id", String(64), nullable=False),
    Column("report", BYTES, nullable=False),
    Column("seen_ns", BigInteger, nullable=False),
)

venue_sessions = table(
    "venue_sessions",
    metadata,
    Column("venue", String(4), primary_key=True),
    Column("session_id", String(64), nullable=False),
    Column("report_sequence", BigInteger, nullable=False),
    *names("venue"),
    *at_least(0, "report_sequence"),
)

epochs = epochs_table(metadata)
requests = requests_table(metadata)
