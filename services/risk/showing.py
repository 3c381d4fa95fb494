"""What was decided, as people and peers read it."""

from functools import lru_cache

from trading.types.v1 import risk_pb2 as types

from runtime.atto import from_atto, minor_to_text
from runtime.times import NS_PER_S, to_timestamp
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
def check_bytes(check: CheckResult, currency: str) -> bytes:
    """Return one check's outcome as a decision has it on the wire: most say the same."""
    code, outcome, observed, limit = check
    message = types.CheckResult(
        code=code,  # type: ignore[arg-type]  # The numbers are those of the contract.
        outcome=outcome,  # type: ignore[arg-type]
        observed=shown(observed, code, currency),
        limit=shown(limit, code, currency),
    )
    return types.RiskDecision(checks=[message]).SerializeToString()


def decision_message(
    decision: Decision, currency: str, *, decided_ns: int, expires_ns: int
) -> types.RiskDecision:
    """Return a decision; the caller adds its names, its state and its token."""
    checks = b"".join([check_bytes(check, currency) for check in decision.checks])
    message = types.RiskDecision.FromString(checks)  # A third of what copying forty messages costs.
    message.verdict = decision.verdict  # type: ignore[assignment]
    message.approved_quantity.value = from_atto(decision.approved_atto)
    for instant, time_ns in ((message.decided_at, decided_ns), (message.expires_at, expires_ns)):
        instant.seconds, instant.nanos = divmod(time_ns, NS_PER_S)
    return message
