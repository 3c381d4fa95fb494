"""The tables that market data owns; nothing else reads or writes them."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    Integer,
    SmallInteger,
    String,
    UniqueConstraint,
)

from runtime.stores import epochs_table, requests_table
from runtime.stores.constraints import at_least, flags, names, refers, within
from runtime.stores.schema import BYTES, LONG_TEXT, new_metadata, table

NAME = String(32)
DATASET = String(128)

metadata = new_metadata()

# Confirmed candles, every revision; `body` is the Candle in its one canonical form, so equal
# contents are equal bytes.
candles = table(
    "candles",
    metadata,
    Column("instrument", NAME, primary_key=True),
    Column("timeframe", SmallInteger, primary_key=True),
    Column("open_ns", BigInteger, primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("sequence", BigInteger, nullable=False, unique=True),
    Column("is_backfill", SmallInteger, nullable=False),
    Column("body", BYTES, nullable=False),
    *names("instrument"),
    *at_least(1, "sequence"),
    *at_least(0, "revision"),
    *flags("is_backfill"),
)

# What else watchers saw: gaps and forming candles, each as its WatchCandlesResponse.
notices = table(
    "notices",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("body", BYTES, nullable=False),
    *at_least(1, "sequence"),
)

# The last confirmed candle of each line of candles.
series = table(
    "series",
    metadata,
    Column("instrument", NAME, primary_key=True),
    Column("timeframe", SmallInteger, primary_key=True),
    Column("last_open_ns", BigInteger, nullable=False),
    *names("instrument"),
)

# The last sequence given to each stream: "candles" and "ticks".
heads = table(
    "heads",
    metadata,
    Column("stream", String(32), primary_key=True),
    Column("sequence", BigInteger, nullable=False),
    *at_least(0, "sequence"),
)

# Instruments that imports brought; `body` is the InstrumentSpec.
instruments = table(
    "instruments",
    metadata,
    Column("instrument", NAME, primary_key=True),
    Column("is_derived", SmallInteger, nullable=False),
    Column("body", BYTES, nullable=False),
    *names("instrument"),
    *flags("is_derived"),
)

# Imported datasets, a row for each of their lines of candles.
datasets = table(
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
    Column(
        "layout", LONG_TEXT, nullable=False
    ),  # JSON: column names with their exponents, in order.
    *names("dataset", "instrument"),
    *at_least(0, "row_count", "gap_count"),
)

# Their candles as columns of little-endian integers: opens, closes, then those of the layout.
dataset_blocks = table(
    "dataset_blocks",
    metadata,
    Column("dataset", DATASET, primary_key=True),
    Column("instrument", NAME, primary_key=True),
    Column("timeframe", SmallInteger, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("payload", BYTES, nullable=False),
    *at_least(0, "number"),
    refers(["dataset", "instrument", "timeframe"], "datasets"),
)

imports = table(
    "imports",
    metadata,
    Column("request_id", String(64), primary_key=True),
    Column("dataset", DATASET, nullable=False),
    Column("instrument", NAME, nullable=False),
    Column("timeframe", SmallInteger, nullable=False),
    Column("accepted", BigInteger, nullable=False),
    Column("stored_ns", BigInteger, nullable=False),
    *names("request_id"),
    *at_least(0, "accepted"),
)

replays = table(
    "replays",
    metadata,
    Column("replay_id", String(64), primary_key=True),
    Column("request", BYTES, nullable=False),  # StartReplayRequest.
    Column("state", SmallInteger, nullable=False),
    Column("position_ns", BigInteger),  # Close of the last candles published.
    Column("published", BigInteger, nullable=False),
    Column("total", BigInteger, nullable=False),
    Column("failure", LONG_TEXT, nullable=False),
    *names("replay_id"),
    within("state", 1, 4),
    *at_least(0, "published", "total"),
)

# Batches of ticks as they were published; `body` is the TickBatch. Times are of the ticks.
ticks = table(
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
    Index("ticks_by_age", "stored_ns"),
    *at_least(1, "sequence"),
    *names("instrument"),
    CheckConstraint("first_ns <= last_ns", name="times"),
)

# How far the ticks of each instrument are, and what its present session fixed.
tick_lines = table(
    "tick_lines",
    metadata,
    Column("instrument", NAME, primary_key=True),
    Column("sequence_next", BigInteger, nullable=False),
    Column("session_ns", BigInteger, nullable=False),
    Column("price_exponent", SmallInteger, nullable=False),
    Column("quantity_exponent", SmallInteger, nullable=False),
    Column("source", BYTES, nullable=False),  # DataSource, as last stated.
    *names("instrument"),
    *at_least(0, "sequence_next"),
)

requests = requests_table(metadata)
epochs = epochs_table(metadata)  # Of the one process that writes.
