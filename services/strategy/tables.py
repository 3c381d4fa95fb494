"""The tables that strategy owns; nothing else reads or writes them."""

from sqlalchemy import BigInteger, Column, Index, SmallInteger, String

from runtime.stores import epochs_table, outbox_table, requests_table
from runtime.stores.constraints import at_least, decimals, flags, names, one_of, refers, within
from runtime.stores.schema import BYTES, COUNTER, DECIMAL, LONG_TEXT, new_metadata, table

STATES = ("CREATED", "WARMING", "RUNNING", "PAUSED", "STOPPED", "FAILED")
OUTCOMES = ("NOTHING", "SIGNALLED", "FILTERED", "NOT_WARM", "INPUT_MISSING", "FAILED")

metadata = new_metadata()

strategies = table(
    "strategies",
    metadata,
    Column("number", COUNTER, primary_key=True, autoincrement=True),
    Column("strategy_id", String(64), nullable=False, unique=True),
    Column("state", String(16), nullable=False),
    Column("is_stopping", SmallInteger, nullable=False),
    Column("config_version", BigInteger, nullable=False),
    Column("revision", BigInteger, nullable=False),  # Of configuration and state: the etag.
    Column("anchor_ns", BigInteger),  # NULL before the first candle.
    Column("since_sequence", BigInteger, nullable=False),  # Candles up to it are not evaluated.
    Column("last_error", LONG_TEXT, nullable=False),
    Column("created_ns", BigInteger, nullable=False),
    Column("updated_ns", BigInteger, nullable=False),
    *names("strategy_id"),
    one_of("state", STATES),
    *flags("is_stopping"),
    *at_least(1, "config_version"),
)

# Immutable: what a strategy was configured to do when a signal names its version.
strategy_versions = table(
    "strategy_versions",
    metadata,
    Column("strategy_id", String(64), primary_key=True),
    Column("config_version", BigInteger, primary_key=True),
    Column("config", BYTES, nullable=False),  # StrategyConfig.
    Column("instruments", LONG_TEXT, nullable=False),  # Joined by ",".
    refers(["strategy_id"], "strategies"),
)

# What a strategy remembers of an instrument between candles, as JSON.
strategy_states = table(
    "strategy_states",
    metadata,
    Column("strategy_id", String(64), primary_key=True),
    Column("instrument", String(32), primary_key=True),
    Column("body", LONG_TEXT, nullable=False),
    *names("instrument"),
    refers(["strategy_id"], "strategies"),
)

# What it holds by its fills, and the stops it watches, as JSON; prices in attos.
strategy_positions = table(
    "strategy_positions",
    metadata,
    Column("strategy_id", String(64), primary_key=True),
    Column("instrument", String(32), primary_key=True),
    Column("body", LONG_TEXT, nullable=False),
    *names("instrument"),
    refers(["strategy_id"], "strategies"),
)

# Every fill once; a busted one has the quantity 0.
strategy_fills = table(
    "strategy_fills",
    metadata,
    Column("number", COUNTER, primary_key=True, autoincrement=True),
    Column("fill_id", String(80), nullable=False, unique=True),  # Venue and exec_id.
    Column("strategy_id", String(64), nullable=False),
    Column("instrument", String(32), nullable=False),
    Column("quantity_atto", DECIMAL, nullable=False),  # Above zero: bought.
    Column("price_atto", DECIMAL, nullable=False),
    Column("time_ns", BigInteger, nullable=False),
    Column("signal_id", String(64), nullable=False),
    Index("ix_strategy_fills_of", "strategy_id", "instrument", "number"),
    *names("fill_id"),
    *decimals("quantity_atto", "price_atto"),
    refers(["strategy_id"], "strategies"),
)

# Also where an instrument stands: its last row tells how far it has been evaluated.
evaluations = table(
    "evaluations",
    metadata,
    Column("strategy_id", String(64), primary_key=True),
    Column("instrument", String(32), primary_key=True),
    Column("candle_open_ns", BigInteger, primary_key=True),
    Column("candle_close_ns", BigInteger, nullable=False),
    Column("close_atto", DECIMAL, nullable=False),
    Column("sequence", BigInteger, nullable=False),  # Of the candle in the stream of candles.
    Column("bar_count", BigInteger, nullable=False),  # Since the anchor.
    Column("config_version", BigInteger, nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("is_intrabar_unknown", SmallInteger, nullable=False),
    Column("latency_ns", BigInteger, nullable=False),  # From the candle's close, by the clock.
    Index("ix_evaluations_sequence", "sequence"),
    Index("ix_evaluations_outcome", "strategy_id", "outcome"),
    *decimals("close_atto"),
    one_of("outcome", OUTCOMES),
    *flags("is_intrabar_unknown"),
    refers(["strategy_id"], "strategies"),
)

signals = table(
    "signals",
    metadata,
    Column("number", COUNTER, primary_key=True, autoincrement=True),
    Column("signal_id", String(36), nullable=False, unique=True),
    Column("sequence", BigInteger, unique=True),  # Of published ones, gap-free; else NULL.
    Column("strategy_id", String(64), nullable=False),
    Column("instrument", String(32), nullable=False),
    Column("status", SmallInteger, nullable=False),  # SignalStatus.
    Column("payload", BYTES, nullable=False),  # Signal.
    Index("ix_signals_strategy", "strategy_id", "number"),
    Index("ix_signals_strategy_status", "strategy_id", "status"),
    Index("ix_signals_instrument", "instrument"),
    Index("ix_signals_status", "status"),
    *names("signal_id"),
    *at_least(1, "sequence"),
    within("status", 1, 2),
    refers(["strategy_id"], "strategies"),
)

# How far this service has read: "order_events", and at least so far "candles".
cursors = table(
    "cursors",
    metadata,
    Column("stream", String(64), primary_key=True),
    Column("sequence", BigInteger, nullable=False),
    *at_least(0, "sequence"),
)

outbox = outbox_table(metadata)
requests = requests_table(metadata)
epochs = epochs_table(metadata)
