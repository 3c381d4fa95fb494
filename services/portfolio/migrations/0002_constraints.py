"""What the tables of portfolio refuse to hold, and what they are looked up by."""

from sqlalchemy import CheckConstraint, Index

from runtime.stores.constraints import at_least, currencies, decimals, flags, names, refers, within
from runtime.stores.migrating.altering import Additions, relax, strengthen

revision = "portfolio_0002"
down_revision = "portfolio_0001"


ADDITIONS: Additions = {
    "accounts": [
        *names("account"),
        *currencies("currency"),
        *at_least(0, "sequence"),
    ],
    "journals": [
        *at_least(1, "sequence"),
        within("kind", 1, 4),
        *names("source"),
        refers(["account"], "accounts"),
    ],
    "entries": [
        *names("ledger_account"),
        *currencies("currency"),
        refers(["journal"], "journals", ["sequence"]),
    ],
    "balances": [
        *currencies("currency"),
        refers(["account"], "accounts"),
    ],
    "positions": [
        *names("instrument"),
        *currencies("currency"),
        *decimals("quantity"),
        refers(["account"], "accounts"),
    ],
    "fills": [
        *names("exec_id"),
        *decimals("quantity", "price"),
        *at_least(0, "notional_minor"),
        *flags("is_busted"),
        refers(["journal"], "journals", ["sequence"]),
        Index("ix_fills_journal", "journal"),
    ],
    "marks": [
        *decimals("price"),
    ],
    "equity_points": [
        refers(["account"], "accounts"),
        CheckConstraint("equity_low_minor <= equity_high_minor", name="extremes"),
    ],
    "shortfalls": [
        *flags("is_below", "is_told"),
        refers(["account"], "accounts"),
    ],
    "breaks": [
        *flags("is_open"),
    ],
    "inbox": [
        *at_least(1, "sequence"),
    ],
    "cursors": [
        *at_least(0, "sequence"),
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
