"""What the tables of marketdata refuse to hold, and what they are looked up by."""

from sqlalchemy import CheckConstraint, Index

from runtime.stores.constraints import at_least, flags, names, refers, within
from runtime.stores.migrating.altering import Additions, relax, strengthen

revision = "marketdata_0002"
down_revision = "marketdata_0001"


ADDITIONS: Additions = {
    "candles": [
        *names("instrument"),
        *at_least(1, "sequence"),
        *at_least(0, "revision"),
        *flags("is_backfill"),
    ],
    "notices": [
        *at_least(1, "sequence"),
    ],
    "series": [
        *names("instrument"),
    ],
    "heads": [
        *at_least(0, "sequence"),
    ],
    "instruments": [
        *names("instrument"),
        *flags("is_derived"),
    ],
    "datasets": [
        *names("dataset", "instrument"),
        *at_least(0, "row_count", "gap_count"),
    ],
    "dataset_blocks": [
        *at_least(0, "number"),
        refers(["dataset", "instrument", "timeframe"], "datasets"),
    ],
    "imports": [
        *names("request_id"),
        *at_least(0, "accepted"),
    ],
    "replays": [
        *names("replay_id"),
        within("state", 1, 4),
        *at_least(0, "published", "total"),
    ],
    "ticks": [
        *at_least(1, "sequence"),
        *names("instrument"),
        CheckConstraint("first_ns <= last_ns", name="times"),
        Index("ticks_by_age", "stored_ns"),
    ],
    "tick_lines": [
        *names("instrument"),
        *at_least(0, "sequence_next"),
    ],
    "requests": [
        *names("method"),
    ],
}


def upgrade() -> None:
    """Add constraints and indexes; rows that break one must be repaired before."""
    strengthen(ADDITIONS)


def downgrade() -> None:
    """Take them away again."""
    relax(ADDITIONS)
