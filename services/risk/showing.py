"""What was decided, as people and peers read it."""

from functools import lru_cache

from google.type.decimal_pb2 import Decimal
from trading.types.v1 import risk_pb2 as types

from runtime.atto import from_atto, minor_to_text
from runtime.times import to_timestamp
from services.risk.checks import ORDER_CHECKS
from services.risk.decide import Decision
from services.risk.reasons import CheckResult, Reason, Value
from services.risk.signals import SIGNAL_CHECKS

UNITS = {check.code: check.unit for check in (*ORDER_CHECKS, *SIGNAL_CHECKS)}
TEXT_LENGTH_MAX = 200
OFTEN = 4_096


def shown(value: Value, code: Reason, currency: str) -> str:
    """Return a value in its check's unit: "12500 USD", "0.01", "unknown"."""
    if value is None:
        return "unknown"
    if isinstance(value, str):
        return value[:TEXT_LENGTH_MAX]
    unit = UNITS[code]
    if unit == "money":
        return f"{minor_to_text(value, currency)} {currency}"
    if unit == "bps":
        return f"{value} bp"
    if unit == "atto":
        return from_atto(value)
    if unit == "time":
        return str(to_timestamp(value).ToJsonString())
    return str(value)


@lru_cache(OFTEN)
def check_message(check: CheckResult, currency: str) -> types.CheckResult:
    """Return one check's outcome as a message, which nobody may change: most say the same."""
    code, outcome, observed, limit = check
    return types.CheckResult(
        code=code,  # type: ignore[arg-type]  # The numbers are those of the contract.
        outcome=outcome,  # type: ignore[arg-type]
        observed=shown(observed, code, currency),
        limit=shown(limit, code, currency),
    )


def decision_message(
    decision: Decision, currency: str, *, decided_ns: int, expires_ns: int
) -> types.RiskDecision:
    """Return a decision; the caller adds its names, its state and its token."""
    return types.RiskDecision(
        verdict=decision.verdict,  # type: ignore[arg-type]
        checks=[check_message(check, currency) for check in decision.checks],
        approved_quantity=Decimal(value=from_atto(decision.approved_atto)),
        decided_at=to_timestamp(decided_ns),
        expires_at=to_timestamp(expires_ns),
    )
