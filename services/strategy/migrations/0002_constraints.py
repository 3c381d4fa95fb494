"""What the tables of strategy refuse to hold, and what they are looked up by."""

from sqlalchemy import Index

from runtime.stores.constraints import at_least, decimals, flags, names, one_of, refers, within
from runtime.stores.migrating.altering import Additions, relax, strengthen

revision = "strategy_0002"
down_revision = "strategy_0001"

STATES = ("CREATED", "WARMING", "RUNNING", "PAUSED", "STOPPED", "FAILED")
OUTCOMES = ("NOTHING", "SIGNALLED", "FILTERED", "NOT_WARM", "INPUT_MISSING", "FAILED")

ADDITIONS: Additions = {
    "strategies": [
        *names("strategy_id"),
        one_of("state", STATES),
        *flags("is_stopping"),
        *at_least(1, "config_version"),
    ],
    "strategy_versions": [
        refers(["strategy_id"], "strategies"),
    ],
    "strategy_states": [
        *names("instrument"),
        refers(["strategy_id"], "strategies"),
    ],
    "strategy_positions": [
        *names("instrument"),
        refers(["strategy_id"], "strategies"),
    ],
    "strategy_fills": [
        *names("fill_id"),
        *decimals("quantity_atto", "price_atto"),
        refers(["strategy_id"], "strategies"),
    ],
    "evaluations": [
        *decimals("close_atto"),
        one_of("outcome", OUTCOMES),
        *flags("is_intrabar_unknown"),
        refers(["strategy_id"], "strategies"),
        Index("ix_evaluations_outcome", "strategy_id", "outcome"),
        Index("ix_evaluations_sequence", "sequence"),
    ],
    "signals": [
        *names("signal_id"),
        *at_least(1, "sequence"),
        within("status", 1, 2),
        refers(["strategy_id"], "strategies"),
        Index("ix_signals_instrument", "instrument"),
        Index("ix_signals_status", "status"),
        Index("ix_signals_strategy_status", "strategy_id", "status"),
    ],
    "cursors": [
        *at_least(0, "sequence"),
    ],
    "outbox": [
        *names("stream", "event_id", "type"),
        *at_least(0, "sequence"),
    ],
    "requests": [
        *names("method"),
    ],
    "epochs": [
        *at_least(0, "epoch"),
    ],
}


def upgrade() -> None:
    """Add constraints and indexes; rows that break one must be repaired before."""
    strengthen(ADDITIONS)


def downgrade() -> None:
    """Take them away again."""
    relax(ADDITIONS)
