"""The decision: every check that applies, in the order of their codes, and what they say."""

from typing import NamedTuple

from services.risk.case import Case
from services.risk.checks import ORDER_CHECKS, Judge
from services.risk.judging import PASS
from services.risk.orders import Open, TimeInForce
from services.risk.reasons import CheckResult, Outcome, Reason, Verdict
from services.risk.signals import SIGNAL_CHECKS, SignalCase, max_quantity_atto

APPROVED, REJECTED = Verdict.APPROVED, Verdict.REJECTED
GTD = TimeInForce.GTD
PASSED, FAILED = Outcome.PASSED, Outcome.FAILED
WAIVED: dict[Reason, CheckResult] = {c.code: (c.code, Outcome.WAIVED, "", "") for c in ORDER_CHECKS}
PLAIN: dict[Reason, CheckResult] = {c.code: (c.code, PASSED, "", "") for c in ORDER_CHECKS}
SILENT: dict[Reason, CheckResult] = {
    c.code: (c.code, Outcome.NOT_APPLICABLE, "", "") for c in ORDER_CHECKS
}
Rows = tuple[tuple[Reason, Judge | None, CheckResult, CheckResult, CheckResult | None], ...]
# A check, its result when it just passes, when it says nothing, and when reducing waives it.
ON_ORDER: Rows = tuple(
    (c.code, c.judge, PLAIN[c.code], SILENT[c.code], WAIVED[c.code] if c.is_waived else None)
    for c in ORDER_CHECKS
)
# The checks that only say something about orders with a limit, an expiry and so on.
SHAPED = (
    Reason.PRICE_OUTSIDE_COLLAR,
    Reason.EXPIRY_INVALID,
    Reason.REDUCE_ONLY_WOULD_GROW,
    Reason.POST_ONLY_WOULD_CROSS,
    Reason.LIMITS_VERSION_MISMATCH,
)
Shape = tuple[bool, bool, bool, bool, bool]
BY_SHAPE: dict[Shape, Rows] = {}
SIGNALED = {c.code for c in ORDER_CHECKS if c.is_on_signal}
ON_SIGNAL: Rows = tuple(row for row in ON_ORDER if row[0] in SIGNALED)


class Decision(NamedTuple):
    """What was decided, why, and how much may leave; quantities in attos."""

    verdict: Verdict
    checks: tuple[CheckResult, ...]
    approved_atto: int
    max_atto: int = 0  # Only for a signal: the largest order there is room for.

    @property
    def failed(self) -> list[CheckResult]:
        """Return the checks that failed."""
        return [check for check in self.checks if check[1] is FAILED]


def decide(case: Case) -> Decision:
    """Return whether the order may leave (K1): rejected if any check failed."""
    results, is_rejected = _judge(case, _rows_for(case))
    if is_rejected:
        return Decision(REJECTED, tuple(results), 0)
    return Decision(APPROVED, tuple(results), case.order.quantity_atto)


def decide_signal(asked: SignalCase) -> Decision:
    """Return whether the signal may become an order, and the largest one possible."""
    results, is_rejected = _judge(asked.case, ON_SIGNAL)
    for check in SIGNAL_CHECKS:
        finding = check.judge(asked)
        if finding is not None:
            is_rejected |= finding[0]
            results.append((check.code, FAILED if finding[0] else PASSED, *finding[1:]))
    if is_rejected:
        return Decision(Verdict.REJECTED, tuple(results), 0)
    largest, wanted = max_quantity_atto(asked.case), asked.signal.quantity_atto
    if wanted is not None and wanted > largest:
        return Decision(Verdict.RESIZED, tuple(results), largest, largest)
    return Decision(Verdict.APPROVED, tuple(results), wanted or largest, largest)


def held_by(case: Case) -> Open:
    """Return the open order that an approval of `case` makes: what it holds, and why."""
    order, priced = case.order, case.priced
    assert priced is not None, "an order without a price cannot have been approved"
    return Open(
        client_order_id=order.client_order_id,
        instrument=order.instrument,
        strategy_id=order.strategy_id,
        direction=order.direction,
        leaves_atto=order.quantity_atto,
        opening_atto=case.opening_atto,
        price_atto=priced.price_atto,
        worst_atto=priced.worst_atto,
        fee_bps=case.limits.fee_bps_max,
        opening_minor=priced.opening_minor,
        hold_minor=priced.hold_minor,
        is_reduce_only=order.is_reduce_only,
        since_ns=case.now_ns,
    )


def _rows_for(case: Case) -> Rows:
    """Return the checks of an order, less those that say nothing about one of its shape."""
    order = case.order
    shape = (
        order.limit_atto is not None,
        order.life is GTD,
        order.is_reduce_only,
        order.is_post_only,
        case.conditions.decided_by is not None,
    )
    return BY_SHAPE.get(shape) or _shaped(shape)


def _shaped(shape: Shape) -> Rows:
    quiet = {code for code, is_so in zip(SHAPED, shape, strict=True) if not is_so}
    rows = [(row[0], None, *row[2:]) if row[0] in quiet else row for row in ON_ORDER]
    BY_SHAPE[shape] = found = tuple(rows)
    return found


def _judge(case: Case, checks: Rows) -> tuple[list[CheckResult], bool]:
    results, is_rejected, is_reducing = list[CheckResult](), False, case.is_reducing
    passed, add = PASSED, results.append  # Looked up once: this runs for every check.
    for code, judge, plain, silent, waived in checks:
        if is_reducing and waived is not None:
            add(waived)
            continue
        finding = None if judge is None else judge(case)
        if finding is PASS:
            add(plain)
        elif finding is None:
            add(silent)
        elif finding[0]:
            is_rejected = True
            add((code, FAILED, finding[1], finding[2]))
        else:
            add((code, passed, finding[1], finding[2]))
    return results, is_rejected
