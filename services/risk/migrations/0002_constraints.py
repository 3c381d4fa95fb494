"""What the tables of risk refuse to hold, and what they are looked up by."""

from sqlalchemy import Index

from runtime.stores.constraints import at_least, decimals, flags, names, refers, within
from runtime.stores.migrating.altering import Additions, relax, strengthen

revision = "risk_0002"
down_revision = "risk_0001"


ADDITIONS: Additions = {
    "risk_decisions": [
        *at_least(1, "sequence"),
        *names("decision_id", "account", "request_key"),
        *flags("is_signal"),
        within("verdict", 1, 3),
        Index("risk_decisions_by_verdict", "verdict", "sequence"),
        Index("risk_decisions_of_account", "account", "sequence"),
        Index("risk_decisions_of_signals", "is_signal", "sequence"),
        Index("risk_decisions_of_strategy", "strategy_id", "sequence"),
    ],
    "risk_checks": [
        within("outcome", 1, 4),
        refers(["decision"], "risk_decisions", ["sequence"]),
    ],
    "risk_holds": [
        *names("account", "client_order_id"),
        within("direction", -1, 1),
        *decimals("leaves", "opening", "filled", "price", "worst"),
        *decimals("replaced_leaves", is_optional=True),
        *flags("is_reduce_only", "is_in_doubt", "is_confirmed", "is_over"),
        Index("risk_holds_by_approval", "approved"),
    ],
    "risk_positions": [
        *names("account", "instrument"),
        *decimals("quantity"),
    ],
    "risk_fills": [
        *names("account", "exec_id"),
        *decimals("quantity"),
        *flags("is_busted", "is_opening"),
        Index("risk_fills_in_order", "number"),
        Index("risk_fills_opening", "is_opening", "time_ns"),
    ],
    "risk_breakers": [
        within("scope_kind", 1, 4),
        *flags("is_standing", "is_acknowledged"),
    ],
    "risk_trades": [
        *decimals("quantity"),
    ],
    "risk_streaks": [
        *at_least(0, "losses"),
    ],
    "risk_events": [
        *at_least(1, "sequence"),
    ],
    "limits": [
        *at_least(1, "version"),
        within("scope_kind", 1, 4),
    ],
    "trading_modes": [
        within("scope_kind", 1, 4),
        within("mode", 1, 4),
    ],
    "marks": [
        *decimals("price"),
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
