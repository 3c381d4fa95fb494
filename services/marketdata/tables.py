"""The tables that market data owns; nothing else reads or writes them."""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from runtime.stores import requests_table

NAME = String(32)
DATASET = String(128)
BLOB = LargeBinary(2**22)

metadata = MetaData()

# Confirmed candles, every revision; `body` is the Candle in its one canonical form, so equal
# contents are equal bytes.
candles = Table(
    "candles",
    metadata,
    Column("instrument", NAME, primary_key=True),
    Column("timeframe", SmallInteger, primary_key=True),
    Column("open_ns", BigInteger, primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("sequence", BigInteger, nullable=False, unique=True),
    Column("is_backfill", SmallInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

# What else watchers saw: gaps and forming candles, each as its WatchCandlesResponse.
notices = Table(
    "notices",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),
)

# The last confirmed candle of each line of candles.
series = Table(
    "series",
    metadata,
    Column("instrument", NAME, primary_key=True),
    Column("timeframe", SmallInteger, primary_key=True),
    Column("last_open_ns", BigInteger, nullable=False),
)

# The last sequence given to each stream: "candles" and "ticks".
heads = Table(
    "heads",
    metadata,
    Column("stream", String(32), primary_key=True),
    Column("sequence", BigInteger, nullable=False),
)

# Instruments that imports brought; `body` is the InstrumentSpec.
instruments = Table(
    "instruments",
    metadata,
    Column("instrument", NAME, primary_key=True),
    Column("is_derived", SmallInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

# Imported datasets, a row for each of their lines of candles.
datasets = Table(
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
    Column("layout", Text, nullable=False),  # JSON: column names with their exponents, in order.
)

# Their candles as columns of little-endian integers: opens, closes, then those of the layout.
dataset_blocks = Table(
    "dataset_blocks",
    metadata,
    Column("dataset", DATASET, primary_key=True),
    Column("instrument", NAME, primary_key=True),
    Column("timeframe", SmallInteger, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("payload", BLOB, nullable=False),
)

imports = Table(
    "imports",
    metadata,
    Column("request_id", String(64), primary_key=True),
    Column("dataset", DATASET, nullable=False),
    Column("instrument", NAME, nullable=False),
    Column("timeframe", SmallInteger, nullable=False),
    Column("accepted", BigInteger, nullable=False),
    Column("stored_ns", BigInteger, nullable=False),
)

replays = Table(
    "replays",
    metadata,
    Column("replay_id", String(64), primary_key=True),
    Column("request", LargeBinary, nullable=False),  # StartReplayRequest.
    Column("state", SmallInteger, nullable=False),
    Column("position_ns", BigInteger),  # Close of the last candles published.
    Column("published", BigInteger, nullable=False),
    Column("total", BigInteger, nullable=False),
    Column("failure", Text, nullable=False),
)

# Batches of ticks as they were published; `body` is the TickBatch. Times are of the ticks.
ticks = Table(
    "ticks",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("instrument", NAME, nullable=False),
    Column("sequence_first", BigInteger, nullable=False),
    Column("kind", SmallInteger, nullable=False),
    Column("first_ns", BigInteger, nullable=False),
    Column("last_ns", BigInteger, nullable=False),
    Column("stored_ns", BigInteger, nullable=False),
    Column("body", BLOB, nullable=False),
    UniqueConstraint("instrument", "sequence_first"),
    Index("ticks_by_time", "instrument", "last_ns"),
)

# How far the ticks of each instrument are, and what its present session fixed.
tick_lines = Table(
    "tick_lines",
    metadata,
    Column("instrument", NAME, primary_key=True),
    Column("sequence_next", BigInteger, nullable=False),
    Column("session_ns", BigInteger, nullable=False),
    Column("price_exponent", SmallInteger, nullable=False),
    Column("quantity_exponent", SmallInteger, nullable=False),
    Column("source", LargeBinary, nullable=False),  # DataSource, as last stated.
)

requests = requests_table(metadata)
